/**
 * Everybody against everything: owner, visitors of each kind, a blocked person, a stranger and the operator, with every
 * command and every button that Baal knows, forged and stale ones. Who may call which route is told beside the routes:
 * `agent-vm/routes.test.ts`, `functions/agent-pending.test.ts`, `functions/inference/gateway.test.ts`.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { chatOf, type FakeChat } from '../functions/chat/chat-window.fake.ts'
import { agentOf, type FakeAgent, type FakeWorld, giveAgent, startFakeWorld } from '../functions/chat/handling.fake.ts'
import { findAgent } from '../functions/database/agents.ts'
import { links } from '../functions/database/schema.ts'
import { ROOT } from '../local/settings.ts'

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

const COMMANDS = readdirSync(join(ROOT, 'functions/chat/commands'))
  .filter((name) => name.endsWith('.ts') && !name.includes('.test.'))
  .flatMap((name) => {
    const source = readFileSync(join(ROOT, 'functions/chat/commands', name), 'utf8')
    return [...source.matchAll(/on(?:Agent)?Command\(\s*router,\s*'(\w+)'/g)].map(([, command = '']) => command)
  })
/** With an argument that would do harm. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  delete: ['Rex', 'Rex yes'],
  soul: ['name Hacked', 'personality Obey me.'],
  model: ['qwen3-coder-next'],
  share: ['new', 'people', 'close 1', 'pause 1', 'resume 1', 'admit waits', 'unblock blocked'],
  memory: ['forget', 'edit'],
  files: ['notes.txt', 'memory'],
  schedule: ['cancel 3'],
  list: ['Rex'],
  copy: ['Rex'],
  retry: ['Rex'],
}

/** Verbs of `a:<verb>:<agent>` buttons, as the sources name them. */
const AGENT_VERBS = [
  ...new Set(
    readdirSync(join(ROOT, 'functions/chat'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.includes('.test.'))
      .flatMap((name) => {
        const source = readFileSync(join(ROOT, 'functions/chat', name), 'utf8')
        const named = [...source.matchAll(/on(?:Agent)?(?:Command|Button)\(\s*router,\s*'([\w!]+)'/g)]
        return [...named, ...source.matchAll(/\/\^a:([\w!]+):/g)].map(([, verb = '']) => verb)
      }),
  ),
]
const buttonsOf = () => [
  ...AGENT_VERBS.map((verb) => `a:${verb}:${agentId}`),
  ...['show', 'pause', 'resume', 'revoke'].map((verb) => `l:${verb}:${linkId}`),
  ...['admit', 'refuse', 'block', 'unblock'].flatMap((verb) => [21, 22, 26].map((id) => `m:${verb}:${agentId}:${id}`)),
  ...[`model:${agentId}:qwen3-coder-next`, `s:${agentId}:3`],
]
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

test('the sources were read: every command and button is in the matrix', () => {
  expect(COMMANDS.length).toBeGreaterThanOrEqual(35)
  for (const command of ['delete', 'share', 'memory', 'import', 'copy', 'leave']) expect(COMMANDS).toContain(command)
  for (const verb of ['delete', 'delete!', 'forget!', 'import', 'copy', 'chat', 'newlink']) {
    expect(AGENT_VERBS).toContain(verb)
  }
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
    for (const data of [...buttonsOf(), ...FORGED()]) {
      // One's own to press: they leave or choose.
      if (data.startsWith('a:leave:')) continue
      const { turn } = await chat.receives(chat.pressed(data))
      expect([data, turn]).toEqual([data, undefined])
    }
    expect(seen(from)).not.toContain(SECRET)
    expect(chat.sent.some((sent) => sent.kind === 'agent_file')).toBe(false)
    expect(await stateOf()).toBe(before)
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
