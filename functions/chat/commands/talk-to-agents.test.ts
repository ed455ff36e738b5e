import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findAgent } from '../../database/agents.ts'
import { dayOf } from '../../database/limits.ts'
import { agents, deployments, usage } from '../../database/schema.ts'
import { saveUserSettings } from '../../database/users.ts'
import { chatOf } from '../chat-window.fake.ts'
import { agentOf, type FakeWorld, giveAgent, startFakeWorld } from '../handling.fake.ts'

let world: FakeWorld
let person = 65_000
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

describe('the conversation', () => {
  test('/stop stops, and says so when there is nothing to stop', async () => {
    const { chat, agentId } = await owner()
    chat.running = { agentId, turnId: 't1' }
    expect((await chat.says('/stop')).lane).toBe('control')
    expect(chat.running).toBeUndefined()
    await chat.says('/stop')
    expect(chat.last.text).toBe('Nothing is running.')
  })

  test('a Stop button of a former answer does not stop the present one', async () => {
    const { chat, agentId } = await owner()
    chat.running = { agentId, turnId: 'new' }
    expect((await chat.receives(chat.pressed('stop:old'))).answer?.text).toBe('Nothing is running.')
    expect(chat.running).toBeDefined()
    await chat.receives(chat.pressed('stop:new'))
    expect(chat.running).toBeUndefined()
  })

  test('Telegram’s own Stop stops too', async () => {
    const { chat, agentId } = await owner()
    chat.running = { agentId, turnId: 't' }
    const stopped = { chat: { id: 1, type: 'private' as const, first_name: 'A' }, draft_id: 1 }
    expect(await chat.receives(chat.update({ stopped_message_generation: stopped }))).toMatchObject({ outgoing: [] })
    expect(chat.running).toBeUndefined()
  })

  test('/compact says that an answer is under way, not that the conversation is short', async () => {
    const { chat, agentId } = await owner()
    chat.running = { agentId, turnId: 't1' }
    await chat.says('/compact')
    expect(chat.last.text).toBe('It is working on an answer. /stop stops it.')
  })

  test('/new clears it and keeps the rest, /compact shortens it', async () => {
    const { chat, agentId } = await owner()
    await chat.says('/new')
    expect(agentOf(world, agentId).cleared).toBe(1)
    expect(chat.last.text).toContain('Memory and files are kept')
    await chat.says('/compact')
    expect(chat.last.text).toContain('shorter now')
    await chat.says('/compact')
    expect(chat.last.text).toContain('short already')
  })

  test('/status tells how the agent is, also when its machine is silent', async () => {
    const { chat, agentId } = await owner()
    await chat.says('/status')
    expect(chat.last.text).toContain('Rex: running')
    expect(chat.last.text).toContain('It has been running for 2 hours.')
    expect(chat.last.text).not.toContain('1.2.3')
    world.agents.delete(agentId)
    await chat.says('/status')
    expect(chat.last.text).toContain('does not answer at the moment')
  })

  test('a machine that is silent is told in the person’s language', async () => {
    const { chat, agentId } = await owner()
    world.agents.delete(agentId)
    await chat.says('/language fr')
    await chat.says('/new')
    expect(chat.last.text).toContain('L’ordinateur de l’agent ne répond pas')
  })

  test('/verbose hides and shows the steps', async () => {
    const { chat } = await owner()
    await chat.says('/verbose off')
    expect((await chat.says('hi')).turn?.quiet).toBe(true)
    await chat.presses('Show the steps')
    expect((await chat.says('hi')).turn?.quiet).toBeUndefined()
  })

  test('/cancel leaves a menu, or says that there is none', async () => {
    const { chat } = await owner()
    await chat.says('/cancel')
    expect(chat.last.text).toBe('There is nothing to cancel.')
    await chat.says('/create')
    await chat.says('/cancel')
    expect(chat.last.text).toBe('Cancelled. Nothing was changed.')
  })

  test('/schedule shows what is planned, cancels by button and by word, and lets the agent plan what is new', async () => {
    const { chat, agentId } = await owner()
    await chat.says('/timezone Europe/Paris')
    expect((await chat.says('hello')).turn?.user.timezone).toBe('Europe/Paris')
    await chat.says('/schedule')
    expect(chat.last.text).toContain('Nothing. Tell it')
    const { planned } = agentOf(world, agentId)
    for (const id of [3, 4]) planned.push({ id, prompt: `task ${id}`, when: 'Tue 24 Nov 2026, 09:00 (Europe/Paris)' })
    await chat.says('/schedule')
    expect(chat.last.text).toContain('3. Tue 24 Nov 2026, 09:00 (Europe/Paris)\ntask 3')
    const press = chat.press('🗑 Cancel 3')
    expect((await chat.receives(press)).answer?.text).toBe('Cancelled.')
    expect((await chat.receives(press)).answer?.text).toBe('That is no longer planned.')
    await chat.says('/schedule cancel 4')
    expect(planned).toEqual([])
    expect((await chat.says('/schedule water the plants at 9')).turn?.message).toBe(
      'Please schedule this: water the plants at 9 (my time zone: Europe/Paris)',
    )
  })
})

describe('what its buttons do', () => {
  test('can be typed: memory, files, name, personality, the card, talking and leaving', async () => {
    const { chat, agentId } = await owner()
    const agent = agentOf(world, agentId)
    agent.files.set('memory/MEMORY.md', 'likes tea').set('docs/plan.txt', 'x')
    await chat.says('/memory edit')
    await chat.says('likes coffee')
    expect(agent.files.get('memory/MEMORY.md')).toBe('likes coffee\n')
    await chat.says('/memory forget')
    await chat.presses('Yes, forget')
    expect(agent.files.get('memory/MEMORY.md')).toBe('')
    await chat.says('/files docs/plan.txt')
    expect(chat.sent.at(-1)).toMatchObject({ kind: 'agent_file', from: { path: 'docs/plan.txt' }, name: 'plan.txt' })
    await chat.says('/soul name Max')
    await chat.says('/soul personality Be a pirate.')
    expect(await findAgent(world.database, agentId)).toMatchObject({ name: 'Max', prompt: 'Be a pirate.' })
    await chat.says('/list max')
    expect(chat.buttons()).toContain('🎭 Customize')
    await chat.says('/leave')
    expect(chat.last.text).toContain('You left Max')
    await chat.says('/chat max')
    expect((await chat.says('hi')).turn?.agentId).toBe(agentId)
    await chat.says('/retry')
    expect(chat.last.text).toContain('nothing to set up again')
    await chat.says('/delete nonsense')
    expect((await findAgent(world.database, agentId))?.status).toBe('running')
    await chat.says('/delete yes')
    expect((await findAgent(world.database, agentId))?.status).toBe('deleting')
  })

  test('can be typed in the wizard, too', async () => {
    const { chat } = await owner()
    await chat.says('/create')
    await chat.says('Ada')
    await chat.says('/skip')
    expect(chat.last.text).toContain('Step 3 of 4')
    await chat.says('/back')
    expect(chat.last.text).toContain('Step 2 of 4')
    await chat.says('/skip')
    await chat.says('glm 4.7')
    await chat.says('yes')
    expect(chat.last.text).toContain('Creating Ada')
    await chat.says('/back')
    expect(chat.last.text).toBe('No menu is open just now.')
  })
})

describe('/doctor, when something is used up', () => {
  test('tells of a key that is refused and of a budget that is used up, with what helps', async () => {
    const { chat, agentId, person: id } = await owner()
    const day = dayOf(world.time)
    await world.database.insert(usage).values({ agentId, day, model: 'glm-4.7', requests: 3, promptTokens: 2_000_000 })
    await chat.says('/doctor')
    expect(chat.last.text).toContain('✅ Its thinking for today: 10% used.')
    await world.database.update(usage).set({ promptTokens: 30_000_000 })
    await chat.says('/usage')
    expect(chat.last.text).toContain('Today Rex used 30,000,000 tokens, 100% of its day.')
    const apiKeySealed = await world.seal.seal('some-key-0123456789', { what: 'user-key', id: String(id) })
    await saveUserSettings(world.database, id, { apiKeySealed })
    world.provider.answer = { kind: 'refused' }
    await chat.says('/doctor')
    world.provider.answer = { kind: 'valid' }
    expect(chat.last.text).toContain('❌ It has thought as much as it may today. It goes on in')
    expect(chat.last.text).toContain('❌ LibertAI refuses your key')
    expect(chat.buttons()).toEqual(['🔑 Use my own key'])
  })
})

describe('an exported agent that is sent back', () => {
  const archive = (caption?: string, bytes = 1000) => ({
    document: { file_id: 'f1', file_unique_id: 'u1', file_name: 'Ada.agent.tar.gz', file_size: bytes },
    ...(caption ? { caption } : {}),
  })

  test('becomes the agent that is chosen, with its name, personality and model', async () => {
    const { chat, agentId } = await owner()
    expect((await chat.sends(archive())).lane).toBe('control')
    expect(chat.buttons()).toEqual(['📥 Into Rex', '📄 No, it is just a file'])
    await chat.presses('📥 Into Rex')
    expect(agentOf(world, agentId).imported).toEqual(['f1'])
    expect(chat.last.text).toContain('Ada has it all: 3 files, 12 messages')
    await chat.says('/soul')
    expect(chat.last.text).toContain('You are Ada.')
  })

  test('keeps a model that is offered, and tells the agent so', async () => {
    const { chat, agentId } = await owner()
    const agent = agentOf(world, agentId)
    const soul = { name: 'Ada', prompt: 'You are Ada.', model: 'gone-1' }
    agent.importAnswer = { kind: 'done', files: 1, messages: 1, soul }
    await chat.sends(archive('/import Rex'))
    expect(agent.configured.at(-1)).toEqual({ name: 'Ada', model: 'glm-4.7' })
    await chat.says('/model')
    expect(chat.buttons()).toContain('● GLM 4.7')
  })

  test('is handed to the agent as a file when it is only that', async () => {
    const { chat, agentId } = await owner()
    await chat.sends(archive())
    const { turn } = await chat.presses('📄 No, it is just a file')
    expect(turn).toMatchObject({ agentId, source: { document: { file_id: 'f1' } } })
    expect(agentOf(world, agentId).imported).toEqual([])
  })

  test('is refused with a reason, when it is too large or no agent at all', async () => {
    const { chat, agentId } = await owner()
    await chat.sends(archive('/import', 21 * 1024 * 1024))
    expect(chat.last.text).toContain('up to 20 MB')
    agentOf(world, agentId).importAnswer = { kind: 'refused', reason: 'invalid_archive' }
    await chat.sends(archive('/import rex'))
    expect(chat.last.text).toBe('That file cannot be taken in: it is no whole exported agent.')
    await chat.says('/import')
    expect(chat.last.text).toContain('Send the file that /export made')
  })
})

describe('/soul and /model', () => {
  test('change name, personality and model, told to the agent before they are kept', async () => {
    const { chat, agentId } = await owner()
    await chat.says('/soul')
    expect(chat.last.text).toContain('You are Rex')
    await chat.presses('Name')
    await chat.says('Max')
    expect(chat.last.text).toContain('Max follows it from your next message on')
    await chat.says('/soul')
    await chat.presses('Personality')
    await chat.says('Be a pirate.')
    await chat.says('/soul')
    await chat.presses('Model')
    await chat.presses('Qwen3 Coder')
    expect(agentOf(world, agentId).configured).toEqual([
      // Its own instructions call it by the new name, too.
      { name: 'Max', system_prompt: expect.stringMatching(/^You are Max, a personal AI agent\./) },
      { system_prompt: 'Be a pirate.' },
      { model: 'qwen3-coder-next' },
    ])
    expect(await findAgent(world.database, agentId)).toMatchObject({
      name: 'Max',
      prompt: 'Be a pirate.',
      model: 'qwen3-coder-next',
    })
  })

  test('change nothing when the agent cannot be told, and can be tried again', async () => {
    const { chat, agentId } = await owner()
    await chat.says('/soul')
    await chat.presses('Name')
    const silent = agentOf(world, agentId)
    world.agents.delete(agentId)
    await chat.says('Max')
    expect(chat.last.text).toContain('does not answer')
    expect((await findAgent(world.database, agentId))?.name).toBe('Rex')
    world.agents.set(agentId, silent)
    await chat.says('Max')
    expect((await findAgent(world.database, agentId))?.name).toBe('Max')
  })

  test('/model takes a name at once and refuses what is not offered, typed or forged', async () => {
    const { chat, agentId } = await owner()
    await chat.says('/model qwen3-coder-next')
    expect((await findAgent(world.database, agentId))?.model).toBe('qwen3-coder-next')
    await chat.says('/model gpt-5')
    expect(chat.messages.at(-2)?.text).toContain('I do not have that model')
    const { answer } = await chat.receives(chat.pressed(`model:${agentId}:gemma-4`))
    expect(answer?.text).toContain('I do not have that model')
    expect((await findAgent(world.database, agentId))?.model).toBe('qwen3-coder-next')
  })
})

describe('/memory, /files and /export', () => {
  test('memory can be seen, rewritten and forgotten', async () => {
    const { chat, agentId } = await owner()
    const { files } = agentOf(world, agentId)
    await chat.says('/memory')
    expect(chat.last.text).toContain('Nothing yet')
    files.set('memory/MEMORY.md', '- my dog is called Rex\n')
    await chat.says('/memory')
    expect(chat.last.text).toContain('my dog is called Rex')
    await chat.presses('✏️ Rewrite')
    await chat.says('- my cat is called Tom')
    expect(files.get('memory/MEMORY.md')).toBe('- my cat is called Tom\n')
    await chat.says('/memory')
    await chat.presses('🧽 Forget everything')
    expect(files.get('memory/MEMORY.md')).toContain('Tom')
    await chat.presses('Yes, forget')
    expect(files.get('memory/MEMORY.md')).toBe('')
  })

  test('a memory longer than a message comes as a file beside its beginning', async () => {
    const { chat, agentId } = await owner()
    agentOf(world, agentId).files.set('memory/MEMORY.md', 'long '.repeat(2000))
    const { outgoing } = await chat.says('/memory')
    expect(outgoing.find(({ kind }) => kind === 'agent_file')).toMatchObject({ from: { path: 'memory/MEMORY.md' } })
  })

  test('files can be walked through and fetched', async () => {
    const { chat, agentId } = await owner()
    const { files } = agentOf(world, agentId)
    files.set('notes.txt', 'hello')
    files.set('photos/a very long name that does not fit into a button at all.jpg', 'x')
    await chat.says('/files')
    expect(chat.buttons()).toEqual(['📁 photos', '📄 notes.txt · 5 B', '‹ Back'])
    expect((await chat.presses(/notes/)).outgoing).toEqual([
      { kind: 'agent_file', agentId, from: { path: 'notes.txt' }, name: 'notes.txt' },
    ])
    await chat.presses('📁 photos')
    const photo = chat.press(/a very long/)
    await chat.presses('⬆ Up')
    expect(chat.buttons()).toContain('📁 photos')
    const stale = await chat.receives(photo)
    expect(stale.answer?.text).toContain('out of date')
    expect(stale.outgoing.every(({ kind }) => kind === 'edit')).toBe(true)
    await chat.says('/files nowhere')
    expect(chat.last.text).toContain('This folder is empty')
  })

  test('an export is one file named after the agent', async () => {
    const { chat, agentId } = await owner('Röx / 🐕')
    const { outgoing } = await chat.says('/export')
    expect(outgoing.at(-1)).toMatchObject({ kind: 'agent_file', agentId, from: 'export', name: 'Röx.agent.tar.gz' })
  })
})

describe('/doctor', () => {
  test('finds everything well', async () => {
    const { chat } = await owner()
    await chat.says('/doctor')
    expect(chat.last.text.match(/✅/g)).toHaveLength(4)
    expect(chat.buttons()).toEqual([])
  })

  test('names a silent machine, a model that is gone and the last failure, with buttons that help', async () => {
    const { chat, agentId } = await owner()
    world.agents.delete(agentId)
    await world.database.update(agents).set({ model: 'gemma-4' }).where(eq(agents.id, agentId))
    await world.database.insert(deployments).values({
      id: `d${agentId}`,
      agentId,
      kind: 'repair',
      status: 'failed',
      errorCode: 'unhealthy',
      createdAt: world.time + 1,
      updatedAt: world.time,
    })
    await chat.says('/doctor')
    expect(chat.last.text).toContain('❌ Its computer does not answer')
    expect(chat.last.text).toContain('❌ The model gemma-4 is not offered any more')
    expect(chat.last.text).toContain('Last problem: it was set up but does not answer')
    expect(chat.buttons()).toEqual(['🔧 Repair', 'Model'])
  })
})

describe('edited messages', () => {
  test('are offered once, and run again only when asked', async () => {
    const { chat, agentId } = await owner()
    const edit = await chat.edits(42, 'what is 2+3?')
    expect(edit.turn).toBeUndefined()
    expect(chat.buttons()).toEqual(['🔁 Run again'])
    expect((await chat.edits(42, 'what is 2+4?')).outgoing).toEqual([])
    const offer = chat.press('🔁 Run again')
    expect((await chat.receives(offer)).turn).toMatchObject({ agentId, message: 'what is 2+4?' })
    const again = await chat.receives(offer)
    expect(again.turn).toBeUndefined()
    expect(again.answer?.text).toContain('too long ago')
  })
})

describe('buttons under answers', () => {
  test('show the steps of a turn', async () => {
    const { chat } = await owner()
    chat.steps = [
      { type: 'tool_use', id: '1', name: 'bash', input: { command: 'git --version' } },
      { type: 'tool_result', id: '1', name: 'bash', ok: true, summary: 'git version 2.39' },
      { type: 'tool_use', id: '2', name: 'read_file', input: { path: 'x' } },
    ]
    await chat.receives(chat.pressed('steps:t1'))
    expect(chat.last.text).toBe('✓ bash · git --version → git version 2.39\n… read_file · x')
  })

  test('ask the same again, as the same person and counted like any message', async () => {
    const { chat, agentId, person: id } = await owner()
    chat.formerTurn = { agentId, user: { id, name: 'Ana', role: 'owner' }, message: 'hello', retryOf: 't1' }
    const again = { agentId, message: 'hello', retryOf: 't1' }
    expect((await chat.receives(chat.pressed('retry:t1'))).turn).toMatchObject(again)
    chat.formerTurn = { ...chat.formerTurn, user: { id: 1, name: 'X', role: 'owner' } }
    expect((await chat.receives(chat.pressed('retry:t1'))).turn).toBeUndefined()
    chat.formerTurn = undefined
    expect((await chat.receives(chat.pressed('retry:t1'))).turn).toBeUndefined()
  })
})
