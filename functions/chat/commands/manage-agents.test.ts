import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findAgent } from '../../database/agents.ts'
import { agents, deployments } from '../../database/schema.ts'
import { chatOf, groupOf } from '../chat-window.fake.ts'
import { type FakeWorld, giveAgent, startFakeWorld } from '../handling.fake.ts'
import { GROUP_COMMANDS } from '../routing/on-command.ts'

let world: FakeWorld
let person = 60_000
beforeAll(async () => {
  world = await startFakeWorld()
})
afterAll(() => world.close())

/** A person with one running agent, talking to it. */
async function owner(name = 'Rex') {
  const chat = chatOf(world, { id: ++person, name: 'Ana' })
  const agentId = await giveAgent(world, person, { name })
  await chat.says('/list')
  await chat.presses(name)
  await chat.presses('💬 Chat')
  return { chat, agentId, person }
}

const statusOf = async (agentId: string) => (await findAgent(world.database, agentId))?.status

describe('/start', () => {
  test('greets a newcomer with a sentence, ideas to press and a word on privacy', async () => {
    const chat = chatOf(world, { id: ++person, name: 'Ana' })
    await chat.says('/start')
    expect(chat.last.text).toContain('Hi Ana')
    expect(chat.last.text).toContain('🔒 Your agent is private')
    expect(chat.buttons()).toEqual([
      '➕ Create an agent',
      '🗓 Plan my week',
      '📚 Teach me a language',
      '💻 Help me code',
    ])
    await chat.presses('➕ Create an agent')
    expect(chat.last.text).toContain('Step 1 of 4')
  })

  test('speaks the language of the person’s Telegram', async () => {
    const chat = chatOf(world, { id: ++person, name: 'Ana', language: 'fr-FR' })
    await chat.says('/start')
    expect(chat.buttons()[0]).toBe('➕ Créer un agent')
  })

  test('offers their agents to whoever comes back', async () => {
    const { chat } = await owner()
    await chat.says('/start')
    expect(chat.last.text).toContain('Welcome back, Ana. You have 1 agent.')
    expect(chat.buttons()).toContain('💬 Rex')
  })

  test('leads to a place by its name, and is not fooled by names that objects have', async () => {
    const chat = chatOf(world, { id: ++person })
    await chat.says('/start create')
    expect(chat.last.text).toContain('Step 1 of 4')
    await chat.says('/start constructor')
    expect(chat.last.text).toContain('Hi Person')
  })
})

describe('/help', () => {
  test('names every command to who has an agent', async () => {
    const { chat } = await owner()
    await chat.says('/help')
    for (const command of ['create', 'list', 'share', 'doctor', 'export', 'timezone', 'privacy', 'forget me']) {
      expect(chat.last.text).toContain(`/${command}`)
    }
    expect(chat.buttons()).toEqual(['My agents', 'My account'])
  })

  test('names nothing that only an owner can do to who has none, and has a button', async () => {
    const chat = chatOf(world, { id: ++person })
    await chat.says('/help')
    for (const command of ['create', 'list', 'stop', 'account', 'privacy']) {
      expect(chat.last.text).toContain(`/${command}`)
    }
    for (const command of ['share', 'soul', 'memory', 'delete']) expect(chat.last.text).not.toContain(`/${command}`)
    expect(chat.buttons()).toContain('➕ Create an agent')
  })

  test('names in a group what works there, and leads to the private chat', async () => {
    const group = groupOf(world, -60_900)
    await group.says('/help@baal_bot')
    expect(group.last.text).toContain('@baal_bot')
    for (const named of group.last.text.matchAll(/^\/(\w+)/gm)) expect(GROUP_COMMANDS).toContain(named[1])
    expect(group.buttons()).toEqual(['💬 Open our private chat'])
  })
})

test('/settings is the account, under the name that people try', async () => {
  const chat = chatOf(world, { id: ++person })
  await chat.says('/settings')
  expect(chat.last.text).toContain('Your account')
})

test('/privacy says who can read what, and how it is deleted', async () => {
  const chat = chatOf(world, { id: ++person })
  await chat.says('/privacy')
  for (const said of ['LibertAI', 'operator', '/export', '/forget me']) expect(chat.last.text).toContain(said)
})

describe('/list', () => {
  test('shows each agent, and a card with everything to be done with it', async () => {
    const { chat, agentId } = await owner()
    await chat.says('/list')
    expect(chat.last.text).toContain('🟢 Rex: running')
    await chat.presses('Rex')
    expect(chat.last.text).toContain('You are talking to it')
    expect(chat.buttons()).toEqual([
      '💬 Chat',
      '🎭 Customize',
      '🧠 Memory',
      '📁 Files',
      '🗓 Plans',
      '🔗 Share',
      '⬆️ Update',
      '🔧 Repair',
      '🗑 Delete',
      '‹ Back',
    ])
    await world.database.update(agents).set({ status: 'failed' }).where(eq(agents.id, agentId))
    await chat.presses('‹ Back')
    await chat.presses('Rex')
    expect(chat.buttons()).toContain('🔁 Try again')
  })

  test('says so when there is none', async () => {
    const chat = chatOf(world, { id: ++person })
    await chat.says('/list')
    expect(chat.last.text).toContain('You have no agent yet.')
  })
})

describe('/manage', () => {
  test('leaves the agent, which stays as it is', async () => {
    const { chat, agentId } = await owner()
    await chat.says('/manage')
    expect(chat.last.text).toContain('You left Rex')
    expect((await chat.says('hello')).turn).toBeUndefined()
    expect(chat.last.text).toContain('You are not talking to an agent now')
    await chat.presses('💬 Rex')
    expect((await chat.says('hello')).turn?.agentId).toBe(agentId)
  })
})

describe('/delete', () => {
  test('asks first, then closes the agent at once and shows the removal in place', async () => {
    const { chat, agentId } = await owner()
    await chat.says('/delete')
    expect(chat.last.text).toContain('Delete Rex?')
    expect(await statusOf(agentId)).toBe('running')
    await chat.presses('Yes, delete it')
    expect(chat.last.text).toContain('Deleting Rex')
    expect(await statusOf(agentId)).toBe('deleting')
    expect(world.started.at(-1)).toMatchObject({ agentId, kind: 'destroy' })
    expect((await chat.says('hello')).turn).toBeUndefined()
    await chat.reports({ agentId, status: 'done', step: 'done' })
    expect(chat.last.text).toContain('You have no agent yet')
    expect(chat.messages.some(({ text }) => text.includes('Rex is gone'))).toBe(true)
  })

  test('can be thought better of', async () => {
    const { chat, agentId } = await owner()
    await chat.says('/delete Rex')
    await chat.presses('No, keep it')
    expect(chat.last.text).toContain('Status')
    expect(await statusOf(agentId)).toBe('running')
  })

  test('is done once, also when handled twice after a crash or pressed twice', async () => {
    const { chat, agentId } = await owner()
    await chat.says('/delete')
    const press = chat.press('Yes, delete it')
    await chat.receives(press, { crash: true })
    expect(chat.last.text).toContain('Deleting Rex')
    const again = await chat.receives(chat.pressed(press.callback_query?.data ?? '', chat.last.id))
    expect(again.answer?.text).toContain('does not exist')
    expect(again.outgoing).toEqual([])
    const ids = world.started.filter((started) => started.agentId === agentId).map((started) => started.deploymentId)
    expect(new Set(ids).size).toBe(1)
  })

  test('stops what the agent is doing', async () => {
    const { chat, agentId } = await owner()
    chat.running = { agentId, turnId: 't' }
    await chat.says('/delete')
    await chat.presses('Yes, delete it')
    expect(chat.running).toBeUndefined()
  })

  test('asks which one, when there are several and none is in the chat', async () => {
    const { chat, person: id } = await owner()
    await giveAgent(world, id, { name: 'Max' })
    await chat.says('/manage')
    await chat.says('/delete')
    expect(chat.last.text).toBe('Which agent?')
    await chat.presses('Max')
    expect(chat.last.text).toContain('Delete Max?')
    await chat.says('/delete Nobody')
    expect(chat.messages.at(-2)?.text).toContain('does not exist')
    expect(chat.last.text).toBe('Which agent?')
  })
})

describe('/repair and /update', () => {
  test('create what never had a machine, and show an agent that failed as being set up again', async () => {
    const { chat, agentId } = await owner()
    await world.database.update(agents).set({ status: 'failed', url: null }).where(eq(agents.id, agentId))
    await chat.says('hello')
    expect(chat.last.text).toContain('Rex is not working')
    await chat.says('/repair')
    expect(world.started.at(-1)).toMatchObject({ agentId, kind: 'create' })
    expect(await statusOf(agentId)).toBe('creating')
    await chat.says('hello')
    expect(chat.last.text).toContain('still being created')
  })

  test('work on the machine and say so in one message', async () => {
    const { chat, agentId } = await owner()
    await chat.says('/repair')
    expect(chat.last.text).toContain('Repairing Rex')
    expect(world.started.at(-1)).toMatchObject({ agentId, kind: 'repair' })
    await chat.says('/update')
    expect(chat.last.text).toContain('Rex is being worked on already')
    await world.bringUp(agentId)
    await chat.reports({ agentId, status: 'done', step: 'done' })
    expect(chat.messages.some(({ text }) => text.includes('Rex is repaired'))).toBe(true)
    await chat.says('/list')
    await chat.presses('Rex')
    await chat.presses('⬆️ Update')
    expect(chat.last.text).toContain('Updating Rex')
    const failed = await chat.reports({ agentId, seq: 9, status: 'failed', error: { code: 'busy', message: '' } })
    expect(failed.turn).toBeUndefined()
    await world.database.update(deployments).set({ status: 'failed' }).where(eq(deployments.agentId, agentId))
    await chat.presses('🔁 Try again')
    expect(world.started.at(-1)).toMatchObject({ agentId, kind: 'update' })
  })
})
