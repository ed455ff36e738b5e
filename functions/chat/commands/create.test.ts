import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findAgent, listAgents } from '../../database/agents.ts'
import { agents, deployments } from '../../database/schema.ts'
import { chatOf, type FakeChat } from '../chat-window.fake.ts'
import { type FakeWorld, startFakeWorld } from '../handling.fake.ts'

let world: FakeWorld
let person = 50_000
beforeAll(async () => {
  world = await startFakeWorld()
})
afterAll(() => world.close())

const newcomer = (language?: string) => chatOf(world, { id: ++person, ...(language ? { language } : {}) })

async function toConfirm(chat: FakeChat): Promise<void> {
  await chat.says('/create')
  await chat.says('Rex')
  await chat.says('Look after my dog')
  await chat.presses('GLM 4.7')
}

describe('the wizard of /create', () => {
  test('asks below what is typed, rewrites what is pressed, and confirms what was chosen', async () => {
    const chat = newcomer()
    await chat.says('/create')
    expect(chat.last.text).toContain('Step 1 of 4')
    expect(chat.buttons()).toEqual(['Cancel'])
    await chat.says('  Rex \n the  dog ')
    expect(chat.last.text).toContain('What is Rex the dog for?')
    // The question above the typed words stays, without its buttons.
    expect(chat.messages.map((message) => chat.buttons(message).length > 0)).toEqual([false, true])
    expect(chat.messages[0]?.text).toContain('Step 1 of 4')
    await chat.says('Look after my dog')
    expect(chat.last.text).toContain('Step 3 of 4')
    await chat.presses('GLM 4.7')
    expect(chat.last.text).toContain('Look after my dog')
    expect(chat.messages).toHaveLength(3)
    await chat.presses('‹ Back')
    await chat.presses('‹ Back')
    expect(chat.messages).toHaveLength(3)
    await chat.says('/cancel')
    expect(chat.last.text).toContain('Cancelled.')
    expect(chat.messages.flatMap((message) => chat.buttons(message))).toEqual([])
    expect(await listAgents(world.database, person)).toEqual([])
  })

  test('creates the agent with sealed secrets when confirmed, and shows the progress in the same message', async () => {
    const chat = newcomer()
    await toConfirm(chat)
    await chat.presses('🚀 Create')
    expect(chat.messages).toHaveLength(3)
    expect(chat.last.text).toMatch(/Creating Rex\n▱+ 0%/)
    const [agent] = await listAgents(world.database, person)
    expect(agent).toMatchObject({ name: 'Rex', model: 'glm-4.7', status: 'creating' })
    expect(agent?.prompt).toContain('You are Rex')
    expect(agent?.prompt).toContain('Look after my dog')
    const secret = await world.seal.open(agent!.secretSealed, { what: 'agent-secret', id: agent!.id })
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32)
    const key = await world.seal.open(agent!.inferenceKeySealed, { what: 'inference-key', id: agent!.id })
    expect(key).toMatch(/^bk-[\w-]{43}$/)
    const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(key))
    expect(agent?.inferenceKeyHash).toBe(Buffer.from(hash).toString('hex'))
    expect(world.started.at(-1)).toMatchObject({ agentId: agent?.id, kind: 'create' })
  })

  test('edits its progress in place, then lets the agent introduce itself and be talked to', async () => {
    const chat = newcomer()
    await toConfirm(chat)
    await chat.presses('🚀 Create')
    const [agent] = await listAgents(world.database, person)
    await chat.reports({ agentId: agent!.id, seq: 2, step: 'packages', progress: 0.4 })
    expect(chat.last.text).toBe('Creating Rex\n▰▰▰▰▰▱▱▱▱▱▱▱ 40% · 43 s\nInstalling what it needs')
    await chat.reports({ agentId: agent!.id, seq: 1, step: 'placement', progress: 0.1 })
    expect(chat.last.text).toContain('40%')
    await world.bringUp(agent!.id)
    const done = await chat.reports({ agentId: agent!.id, seq: 3, status: 'done', step: 'done', progress: 1 })
    expect(chat.messages).toHaveLength(3)
    expect(chat.last.text).toBe('✅ Rex is ready (43 s).')
    expect(done.turn).toMatchObject({ agentId: agent!.id, user: { id: person, role: 'owner' } })
    expect(done.turn?.message).toContain('Introduce yourself')
    const again = await chat.reports({ agentId: agent!.id, seq: 3, status: 'done', step: 'done', progress: 1 })
    expect(again).toEqual({ outgoing: [] })
    const { turn, lane } = await chat.says('hello')
    expect(lane).toBe('turn')
    expect(turn).toMatchObject({ agentId: agent!.id, message: 'hello' })
  })

  test('says why a deployment failed and offers another try and deletion', async () => {
    const chat = newcomer()
    await toConfirm(chat)
    await chat.presses('🚀 Create')
    const [agent] = await listAgents(world.database, person)
    await world.database.update(agents).set({ status: 'failed' }).where(eq(agents.id, agent!.id))
    await finishDeployment(agent!.id)
    await chat.reports({
      agentId: agent!.id,
      status: 'failed',
      error: { code: 'placement_timeout', message: 'no CRN placed it' },
    })
    expect(chat.last.text).toContain('the computer is slow to start')
    expect(chat.buttons()).toEqual(['🔁 Try again', '🗑 Delete'])
    await chat.presses('🔁 Try again')
    expect(chat.last.text).toContain('Creating Rex')
    expect(chat.messages).toHaveLength(3)
    expect((await findAgent(world.database, agent!.id))?.status).toBe('creating')
    expect(world.started.filter(({ agentId }) => agentId === agent!.id)).toHaveLength(2)
  })

  test('says of a repair what could not be saved, and from when the copy is', async () => {
    const chat = newcomer()
    await toConfirm(chat)
    await chat.presses('🚀 Create')
    const [agent] = await listAgents(world.database, person)
    const done = { agentId: agent!.id, kind: 'repair', status: 'done', progress: 1 } as const
    await chat.reports({ ...done, deploymentId: 'r1', loss: { copiedAt: world.time - 5 * 3_600_000 } })
    expect(chat.last.text).toContain('memory and files are those of 5 hours ago, what came after could not be saved')
    await chat.reports({ ...done, deploymentId: 'r2', loss: {} })
    expect(chat.last.text).toContain('there was no copy: memory and files could not be saved')
    await chat.reports({ ...done, deploymentId: 'r3' })
    expect(chat.last.text).toBe('✅ Rex is repaired and running.')
  })

  test('tells a reason it does not know in the words that came with it', async () => {
    const chat = newcomer()
    await toConfirm(chat)
    await chat.presses('🚀 Create')
    const [agent] = await listAgents(world.database, person)
    await chat.reports({ agentId: agent!.id, status: 'failed', error: { code: 'meteor', message: 'A meteor fell.' } })
    expect(chat.last.text).toContain('A meteor fell.')
  })

  test.each([
    ['a'.repeat(64), true],
    ['a'.repeat(65), false],
    ['🐕'.repeat(64), true],
    ['🐕'.repeat(65), false],
  ])('counts a name in characters, whatever they are made of: %s', async (name, fits) => {
    const chat = newcomer()
    await chat.says('/create')
    await chat.says(name)
    expect(chat.last.text).toContain(fits ? 'Step 2 of 4' : 'That is 65 characters; a name can have 64.')
    expect(chat.messages).toHaveLength(2)
  })

  test('asks again for a name that has nothing to see in it', async () => {
    const chat = newcomer()
    await chat.says('/create')
    await chat.says('\u200b\u202e \n')
    expect(chat.last.text).toContain('The name is empty')
  })

  test('gives an agent without a purpose a good prompt of its own', async () => {
    const chat = newcomer()
    await chat.says('/create')
    await chat.says('Rex')
    await chat.presses('Skip')
    await chat.presses('Qwen3 Coder')
    expect(chat.last.text).toContain('anything you ask')
    await chat.presses('🚀 Create')
    const [agent] = await listAgents(world.database, person)
    expect(agent?.prompt).toContain('You help with whatever comes up')
  })

  test('refuses a model that is not offered, typed or forged', async () => {
    const chat = newcomer()
    await chat.says('/create')
    await chat.says('Rex')
    await chat.presses('Skip')
    await chat.says('gpt-5')
    expect(chat.last.text).toContain('I do not have that model')
    const good = chat.press('GLM 4.7').callback_query?.data ?? ''
    await chat.receives(chat.pressed(good.replace('glm-4.7', 'gemma-4'), chat.last.id))
    expect(chat.last.text).toContain('I do not have that model')
    await chat.says('glm 4.7')
    expect(chat.last.text).toContain('Ready to create')
  })

  test('goes back step by step and keeps what was given', async () => {
    const chat = newcomer()
    await toConfirm(chat)
    await chat.presses('‹ Back')
    await chat.presses('‹ Back')
    await chat.presses('‹ Back')
    expect(chat.last.text).toContain('Step 1 of 4')
    await chat.says('Max')
    await chat.presses('Skip')
    await chat.presses('GLM 4.7')
    expect(chat.last.text).toContain('Max')
  })

  test('ends without a trace when cancelled by button', async () => {
    const chat = newcomer()
    await chat.says('/create')
    await chat.presses('Cancel')
    expect(chat.last.text).toBe('Cancelled. Nothing was changed.')
    expect(chat.buttons()).toEqual([])
    expect((await chat.says('Rex')).turn).toBeUndefined()
    expect(await listAgents(world.database, person)).toEqual([])
  })

  test.each([
    ['/help'],
    ['/status'],
    ['/usage'],
    ['/privacy'],
    ['/account'],
    ['/settings'],
    ['/list'],
    ['/steps'],
    ['/doctor'],
    ['/files'],
    ['/Help@baal_bot'],
  ])('waits while something is looked up with %s, and asks again below it', async (command) => {
    const chat = newcomer()
    await chat.says('/create')
    await chat.says('Rex')
    const skip = chat.press('Skip')
    await chat.says(command)
    expect(chat.messages.map(({ text }) => text.split('\n')[0])).not.toContain('Cancelled. Nothing was changed.')
    expect(chat.messages).toHaveLength(4)
    expect(chat.last.text).toContain('What is Rex for?')
    expect(chat.buttons()).toEqual(['Skip', '‹ Back', 'Cancel'])
    expect(chat.buttons(chat.messages[1]!)).toEqual([])
    // A press on the former question, on its way meanwhile, means the same.
    await chat.receives(skip)
    expect(chat.last.text).toContain('Step 3 of 4')
    await chat.says('/cancel')
    expect(chat.last.text).toContain('Cancelled.')
    expect(chat.messages).toHaveLength(5)
    expect(chat.buttons()).toEqual([])
  })

  test('makes way for a command, and an old button then changes nothing', async () => {
    const chat = newcomer()
    await chat.says('/create')
    await chat.says('Rex')
    const skip = chat.press('Skip')
    await chat.says('/language')
    expect(chat.messages[1]?.text).toBe('Cancelled. Nothing was changed.')
    const { answer } = await chat.receives(skip)
    expect(answer?.text).toBe('This menu is out of date.')
    expect(await listAgents(world.database, person)).toEqual([])
  })

  test('answers the button of a former step politely and shows the present one', async () => {
    const chat = newcomer()
    await chat.says('/create')
    await chat.says('Rex')
    const skip = chat.press('Skip')
    await chat.says('For fun')
    const { answer } = await chat.receives(skip)
    expect(answer?.text).toBe('This menu is out of date.')
    expect(chat.last.text).toContain('Step 3 of 4')
  })

  test('creates one agent when the last button is pressed twice', async () => {
    const chat = newcomer()
    await toConfirm(chat)
    const first = chat.press('🚀 Create')
    const second = chat.press('🚀 Create')
    await chat.receives(first)
    const { answer, outgoing } = await chat.receives(second)
    expect(answer?.text).toBe('This menu is out of date.')
    expect(outgoing).toEqual([])
    expect(await listAgents(world.database, person)).toHaveLength(1)
  })

  test('creates one agent when the press is handled twice after a crash', async () => {
    const chat = newcomer()
    await toConfirm(chat)
    await chat.receives(chat.press('🚀 Create'), { crash: true })
    const own = await listAgents(world.database, person)
    expect(own).toHaveLength(1)
    expect(new Set(world.started.filter(({ agentId }) => agentId === own[0]?.id).map((s) => s.deploymentId)).size).toBe(
      1,
    )
    expect(chat.last.text).toContain('Creating Rex')
  })

  test('is over after half an hour, and says so', async () => {
    const chat = newcomer()
    await chat.says('/create')
    world.time += 31 * 60_000
    await chat.says('Rex')
    expect(chat.messages[0]?.text).toBe('This menu has expired. Nothing was changed.')
    expect(chat.last.text).toContain('You have no agent yet')
  })

  test('wants words, not pictures', async () => {
    const chat = newcomer()
    await chat.says('/create')
    const { text: _text, ...message } = chat.message('x')
    const photo = [{ file_id: 'a', file_unique_id: 'a', width: 1, height: 1 }]
    await chat.receives(chat.update({ message: { ...message, photo } as never }))
    expect(chat.last.text).toContain('Please write it as text.')
  })

  test('takes the name with the command', async () => {
    const chat = newcomer()
    await chat.says('/create Rex')
    expect(chat.last.text).toContain('What is Rex for?')
  })

  test('begins at the model with one of the ideas of /start', async () => {
    const chat = newcomer()
    await chat.says('/start')
    await chat.presses('💻 Help me code')
    await chat.presses('GLM 4.7')
    expect(chat.last.text).toContain('Coder')
    expect(chat.last.text).toContain('write, run and fix code')
  })

  test('stops at as many agents as one person may have, also when presses come at once', async () => {
    const chat = newcomer()
    for (const name of ['A', 'B']) {
      await chat.says(`/create ${name}`)
      await chat.presses('Skip')
      await chat.presses('GLM 4.7')
      await chat.presses('🚀 Create')
    }
    const rivals = [1, 2, 3, 4, 5].map(() => chatOf(world, { id: person }))
    for (const rival of rivals) {
      await rival.says('/create C')
      await rival.presses('Skip')
      await rival.presses('GLM 4.7')
    }
    await Promise.all(rivals.map((rival) => rival.presses('🚀 Create')))
    expect(await listAgents(world.database, person)).toHaveLength(3)
    expect(rivals.filter((rival) => rival.last.text.includes('Delete one first'))).toHaveLength(4)
    await chat.says('/create')
    expect(chat.last.text).toContain('You have 3 agents, which is as many as you can have')
  })
})

async function finishDeployment(agentId: string): Promise<void> {
  await world.database.update(deployments).set({ status: 'failed' }).where(eq(deployments.agentId, agentId))
}
