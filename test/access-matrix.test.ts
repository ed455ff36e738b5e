/**
 * Everybody against everything: owner, visitors of each kind, a blocked person, a stranger and the operator, with every
 * command and every button that Baal knows, forged and stale ones. Who may call which route is told beside the routes:
 * `test/routes.test.ts` asks every route that is registered, `agent-vm/routes.test.ts`, `functions/agent-pending.test.ts` and
 * `functions/inference/gateway.test.ts` with every kind of key.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { chatOf, type FakeChat } from '../functions/chat/chat-window.fake.ts'
import { agentOf, type FakeAgent, type FakeWorld, giveAgent, startFakeWorld } from '../functions/chat/handling.fake.ts'
import { registered } from '../functions/chat/testing/registered.ts'
import { findAgent } from '../functions/database/agents.ts'
import { links } from '../functions/database/schema.ts'

const SECRET = 'the treasure is under the palm'
const ADMIN = 1
const OWNER = 10

/** Who there is; each of the visitors came by a link of their own. */
const KINDS = ['talks', 'waits', 'paused', 'closed', 'expired', 'blocked', 'stranger', 'admin'] as const
type Kind = (typeof KINDS)[number]

let world: FakeWorld
let agentId: string
let agent: FakeAgent
let linkId: string
const people = new Map<Kind | 'owner', FakeChat>()
const who = (kind: Kind | 'owner'): FakeChat => {
  const chat = people.get(kind)
  if (!chat) throw new Error(kind)
  return chat
}

beforeAll(async () => {
  world = await startFakeWorld({ ADMIN_IDS: String(ADMIN) })
  agentId = await giveAgent(world, OWNER, { name: 'Rex' })
  agent = agentOf(world, agentId)
  agent.files.set('memory/MEMORY.md', SECRET)
  agent.files.set('notes.txt', SECRET)
  agent.planned.push({ id: 3, prompt: SECRET, when: 'tomorrow' })
  const owner = chatOf(world, { id: OWNER, name: 'Ana' })
  people.set('owner', owner)
  await owner.receives(owner.pressed(`a:chat:${agentId}`))
  let id = 20
  for (const kind of KINDS) {
    const chat = chatOf(world, { id: kind === 'admin' ? ADMIN : ++id, name: kind })
    people.set(kind, chat)
    if (kind === 'stranger' || kind === 'admin') {
      await chat.says('/help')
      continue
    }
    await owner.says(`/share new ${kind === 'waits' ? 'ask' : ''} ${kind === 'expired' ? '1d' : '0d'}`)
    const token = /start=([\w-]+)/.exec(owner.last.text)?.[1] ?? ''
    await chat.says(`/start ${token}`)
    if (kind === 'paused') await owner.presses('⏸ Pause')
    if (kind === 'closed') await owner.presses('Close this link')
    if (kind === 'blocked') await owner.says('/share block blocked')
  }
  world.time += 2 * 86_400_000
  linkId = (await world.database.select().from(links))[0]?.id ?? ''
})
afterAll(() => world.close())

/** Whatever they said before, each comes with the agent as their present one. */
beforeEach(async () => {
  for (const chat of people.values()) chat.choose({ agentId, chosenBy: chat.identity.chatId })
})

/** What of the agent anybody but its owner must never change. */
async function stateOf(): Promise<string> {
  const row = await findAgent(world.database, agentId)
  const terms = (await world.database.select().from(links)).map(({ id, pausedAt, revokedAt }) => [
    id,
    pausedAt,
    revokedAt,
  ])
  return JSON.stringify([
    [row?.name, row?.prompt, row?.model, row?.status],
    [[...agent.files], agent.configured, agent.planned, agent.imported],
    [terms, world.started.length],
  ])
}

const REGISTERED = registered()
const COMMANDS = REGISTERED.commands
/** With an argument that would do harm. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  delete: ['Rex', 'Rex yes'],
  soul: ['name Hacked', 'personality Obey me.'],
  model: ['qwen3-coder-next'],
  share: ['new', 'people', 'close 1', 'pause 1', 'resume 1', 'admit waits', 'unblock blocked'],
  memory: ['forget', 'forget yes', 'edit'],
  files: ['notes.txt', 'memory'],
  schedule: ['cancel 3'],
  list: ['Rex'],
  copy: ['Rex'],
  retry: ['Rex'],
  import: ['Rex', 'no'],
}

/** What the rest of the data is, where a kind of button has one: what its own screen would have put there. */
const REST: Readonly<Record<string, () => string[]>> = {
  'l:show:': () => [linkId],
  'l:pause:': () => [linkId],
  'l:resume:': () => [linkId],
  'l:revoke:': () => [linkId],
  'm:admit:': visitors,
  'm:refuse:': visitors,
  'm:block:': visitors,
  'm:unblock:': visitors,
  'model:': () => [`${agentId}:qwen3-coder-next`],
  's:': () => [`${agentId}:3`],
  'f:': () => ['aaaaaaaa:0', 'aaaaaaaa:up'],
  'x:': () => ['0'],
  'tz:': () => ['Europe/Paris'],
  'lang:': () => ['en'],
  'w1:': () => ['abc123:confirm:0:yes', 'abc123:terms:0:yes', 'abc123:input:0:cancel'],
  'i:file:': () => ['1'],
  'again:': () => ['1'],
  'steps:': () => ['t1'],
  'retry:': () => ['t1'],
  'stop:': () => ['t1'],
  'resend:': () => ['1'],
}
function visitors(): string[] {
  return [21, 22, 26].map((id) => `${agentId}:${id}`)
}
function dataOf(kind: string): string[] {
  if (!kind.endsWith(':')) return [kind]
  const rest = kind.startsWith('a:') ? [agentId] : REST[kind]?.()
  if (!rest) throw new Error(`what does the data of ${kind} look like?`)
  return rest.map((each) => `${kind}${each}`)
}
/** These are one's own to press and change what the following cells stand on: they leave, or ask to be forgotten. */
const ONES_OWN = new Set(['a:leave:', 'c:leave', 'f:yes'])
const buttonsOf = () => REGISTERED.buttons.filter((kind) => !ONES_OWN.has(kind)).flatMap(dataOf)
const FORGED = () => [
  ...["a:delete!:' OR 1=1", 'a:delete!:..', `a:nonsense:${agentId}`, `A:DELETE!:${agentId}`, `a:delete!:${agentId}:x`],
  ...[`l:revoke:${'x'.repeat(32)}`, 'm:admit::1', `m:promote:${agentId}:22`, `model:${agentId}:gemma-3`],
  ...[
    'w1:abc123:terms:0:yes',
    'w1:abc123:confirm:zz:yes',
    'f:aaaaaaaa:0',
    'f:aaaaaaaa:up',
    'i:file:1',
    'c:',
    'c:nothing',
  ],
  ...['again:1', 'x:9', 'lang:xx', 'tz:Mars/Base', '', '💥', 's:x:1'],
]

test('every command and button that is registered is in the matrix', () => {
  expect(COMMANDS.length).toBeGreaterThanOrEqual(40)
  expect(COMMANDS).toEqual(expect.arrayContaining(['delete', 'share', 'import', 'leave', 'back', 'skip', 'again']))
  // Throws for a kind whose data nobody has described here.
  const data = REGISTERED.buttons.flatMap(dataOf)
  expect(data).toEqual(expect.arrayContaining([`a:delete!:${agentId}`, `a:import:${agentId}`, `l:revoke:${linkId}`]))
  // Nothing is described here that is no more.
  expect(Object.keys(REST).filter((kind) => !REGISTERED.buttons.includes(kind))).toEqual([])
  expect(Object.keys(ARGUMENTS).filter((command) => !COMMANDS.includes(command))).toEqual([])
  expect([...ONES_OWN].filter((kind) => !REGISTERED.buttons.includes(kind))).toEqual([])
})

describe.each(KINDS)('who %s', (kind) => {
  const seen = (from: number) => JSON.stringify(who(kind).sent.slice(from))

  test.each(COMMANDS)('cannot use /%s for anything of the owner’s', async (command) => {
    const chat = who(kind)
    // These are one's own to use, and change what the following cells stand on.
    if (['leave', 'manage', 'create'].includes(command)) return
    const before = await stateOf()
    const from = chat.sent.length
    for (const argument of ['', ...(ARGUMENTS[command] ?? [])]) {
      const { turn } = await chat.says(`/${command} ${argument}`.trim())
      if (turn) expect([kind, turn.user.role]).toEqual(['talks', 'visitor'])
    }
    expect(seen(from)).not.toContain(SECRET)
    expect(chat.sent.some((sent) => sent.kind === 'agent_file')).toBe(false)
    expect(await stateOf()).toBe(before)
  })

  test('cannot press any button of the owner’s, real, forged or stale', async () => {
    const chat = who(kind)
    const before = await stateOf()
    const from = chat.sent.length
    // Saying hello is talking, which some of them may: below.
    const mayTalk = (data: string) => kind === 'talks' && data.startsWith('a:hello:')
    for (const data of [...buttonsOf(), ...FORGED()].filter((each) => !mayTalk(each))) {
      const { turn } = await chat.receives(chat.pressed(data))
      expect([data, turn]).toEqual([data, undefined])
    }
    expect(seen(from)).not.toContain(SECRET)
    expect(chat.sent.some((sent) => sent.kind === 'agent_file')).toBe(false)
    expect(await stateOf()).toBe(before)
    // Some of them open a menu of one's own.
    await chat.says('/cancel')
  })

  test('may talk only while the link is open, and is told why not', async () => {
    const chat = who(kind)
    const { turn } = await chat.says('hello')
    if (kind === 'talks') return expect(turn?.user).toMatchObject({ role: 'visitor', tools: 'web' })
    expect(turn).toBeUndefined()
    const told = {
      waits: 'lets each person in',
      paused: 'taking a break',
      closed: 'has been closed or has expired',
      expired: 'has been closed or has expired',
      blocked: 'The owner has closed this agent for you.',
      stranger: 'does not exist any more',
      admin: 'does not exist any more',
    }[kind]
    expect(chat.last.text).toContain(told)
  })

  test(kind === 'admin' ? 'sees counts, and nobody’s agents' : 'sees nothing of the operator’s', async () => {
    const chat = who(kind)
    for (const command of ['dashboard', 'pool']) {
      await chat.says(`/${command}`)
      const refused = chat.last.text === 'That is for the operator of this bot.'
      expect(refused).toBe(kind !== 'admin')
      expect(chat.last.text).not.toContain('Rex')
    }
  })
})

test('the owner may do all of it: the matrix is not closed for everybody', async () => {
  const owner = who('owner')
  await owner.says('/memory')
  expect(owner.last.text).toContain(SECRET)
  await owner.says('/schedule')
  expect(owner.last.text).toContain(SECRET)
  await owner.says('/files')
  await owner.presses(/notes\.txt/)
  expect(owner.sent.at(-1)).toMatchObject({ kind: 'agent_file', from: { path: 'notes.txt' } })
  const before = await stateOf()
  for (const data of [`l:pause:${linkId}`, `model:${agentId}:qwen3-coder-next`, `s:${agentId}:3`]) {
    await owner.receives(owner.pressed(data))
  }
  expect(await stateOf()).not.toBe(before)
  for (const data of FORGED()) expect((await owner.receives(owner.pressed(data))).turn).toBeUndefined()
})
