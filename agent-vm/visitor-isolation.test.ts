/**
 * An agent with its real tools, owner and visitors in turns. What the owner has is planted with words that occur nowhere else;
 * a visitor's model then tries everything, and no word of it may reach the model or the visitor.
 */
import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type RunningAgent, startAgent } from './agent.ts'
import { parseConfig } from './config.ts'
import { type FakeCall, type FakeModel, startFakeModel } from './model/model.fake.ts'
import type { ChatUser, VisitorTools } from './protocol.ts'
import { realParts } from './real-parts.ts'
import { type AgentClient, buildEnvironment, createAgentClient, textsOf } from './testing/agent-under-test.ts'

const PLACES = [
  'file',
  'memory',
  'day',
  'heartbeat',
  'skill',
  'history',
  'pending',
  'schedule',
  'database',
  'neighbour',
]
const OWNER_CHAT = '1001'

let folder: string
let workspace: string
let secrets: ReadonlyMap<string, string>
let model: FakeModel
let running: RunningAgent
let agent: AgentClient

const secret = (place: string) => secrets.get(place) ?? ''
let visitors = 2000
/** Somebody new each time, in a private chat: its id is theirs. */
const visitor = (tools?: VisitorTools): ChatUser => ({
  id: String(++visitors),
  name: 'Vi',
  role: 'visitor',
  ...(tools ? { tools } : {}),
})

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'agent-visitor-'))
  workspace = join(folder, 'workspace')
  secrets = new Map(PLACES.map((place) => [place, `${place}-${randomUUID()}`]))
  plant('notes.txt', 'file')
  plant('memory/MEMORY.md', 'memory')
  plant(`memory/${new Date().toISOString().slice(0, 10)}.md`, 'day')
  plant('HEARTBEAT.md', 'heartbeat')
  plant('skills/diary/SKILL.md', 'skill')
  plant('visitors/3003/mine.txt', 'neighbour')
  plant('../data/other.db', 'database')
  model = await startFakeModel([{ content: 'ok' }])
  const config = parseConfig(
    buildEnvironment({ folder, workspace, modelUrl: model.url, OWNER_CHAT_ID: OWNER_CHAT, HEARTBEAT_INTERVAL: '0' }),
  )
  const log = () => undefined
  running = await startAgent({ config, version: 'test', log, parts: realParts(config, log) })
  agent = createAgentClient(running.url)
  await liveAsOwner()
})
afterAll(async () => {
  await running.stop()
  await model.close()
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
})

function plant(path: string, place: string): void {
  const target = join(workspace, path)
  mkdirSync(join(target, '..'), { recursive: true })
  writeFileSync(target, `---\nname: x\ndescription: ${secret(place)}\n---\n${secret(place)}\n`)
}

/** A conversation, a schedule, and a subagent whose result waits to be fetched. */
async function liveAsOwner(): Promise<void> {
  const calls: FakeCall[] = [
    { name: 'schedule', arguments: { action: 'create', prompt: secret('schedule'), in_minutes: 600 } },
    { name: 'spawn', arguments: { task: 'look into it' } },
  ]
  let isAsked = false
  model.script = ({ messages }) => {
    if (JSON.stringify(messages.at(-1)).includes('look into it')) return { content: secret('pending') }
    if (isAsked) return { content: 'done' }
    isAsked = true
    return { calls }
  }
  await agent.chat({
    message: secret('history'),
    chat_id: OWNER_CHAT,
    user: { id: '1001', name: 'Ana', role: 'owner' },
  })
  await vi.waitFor(async () => expect(await (await agent.request('/pending')).text()).toContain(secret('pending')))
}

/** One turn of a visitor whose model makes all these calls. @returns all that the model and the visitor got to see */
async function attempt(calls: readonly FakeCall[], user: ChatUser): Promise<string> {
  const before = model.calls.length
  model.script = (_call, index) => (index === before && calls.length > 0 ? { calls } : { content: 'That is all.' })
  const events = await agent.chat({ message: 'show me everything', chat_id: user.id, user })
  expect(textsOf(events).at(-1)).toBe('That is all.')
  return JSON.stringify([events, model.calls.slice(before).map(({ raw }) => raw)])
}

function expectNothingOf(seen: string): void {
  for (const [place, planted] of secrets) expect(seen.includes(planted), `saw the ${place}`).toBe(false)
}

/** Everything under any name it might be reached by. */
function everyPath(visitorId: string): string[] {
  const inside = [
    ...['notes.txt', 'memory/MEMORY.md', 'HEARTBEAT.md', 'skills/diary/SKILL.md', 'visitors/3003/mine.txt', '.'],
    `memory/${new Date().toISOString().slice(0, 10)}.md`,
  ]
  const outside = ['../data/other.db', '../data/agent.db', '../data/schedules.db']
  return [...inside, ...outside].flatMap((path) => [
    path,
    `../../${path}`,
    join(workspace, path),
    `${workspace}/visitors/${visitorId}/../../${path}`,
    `/proc/self/cwd/${path}`,
  ])
}

const LEVELS = ['chat', 'web', 'workspace', undefined] as const

describe.each(LEVELS)('a visitor with the tools “%s”', (tools) => {
  test('reads nothing of the owner by any file tool, the web, a shell or the agent’s own memory', async () => {
    const person = visitor(tools)
    const reads = everyPath(person.id).flatMap((path) => [
      { name: 'read_file', arguments: { path } },
      { name: 'list_dir', arguments: { path } },
      { name: 'search_files', arguments: { pattern: '-', path } },
      { name: 'send_file', arguments: { path } },
      { name: 'edit_file', arguments: { path, old_text: '---', new_text: '+++' } },
      { name: 'bash', arguments: { command: `cat ${path}` } },
    ])
    const others = [
      { name: 'bash', arguments: { command: `grep -r . ${folder} /proc/*/environ` } },
      { name: 'search_history', arguments: { query: 'history pending schedule' } },
      { name: 'schedule', arguments: { action: 'list' } },
      { name: 'spawn', arguments: { task: 'read memory/MEMORY.md' } },
      { name: 'web_fetch', arguments: { url: `file://${workspace}/notes.txt` } },
      { name: 'web_fetch', arguments: { url: `${running.url}/pending` } },
      { name: 'web_fetch', arguments: { url: `${running.url}/export` } },
      { name: 'search_files', arguments: { pattern: '.' } },
    ]
    expectNothingOf(await attempt([...reads, ...others], person))
    // Nothing was changed either.
    expect(readFileSync(join(workspace, 'notes.txt'), 'utf8')).toContain(`---\n${secret('file')}`)
  })

  test('is offered exactly these tools, and a prompt without the owner’s things', async () => {
    expectNothingOf(await attempt([], visitor(tools)))
    const offered = (model.calls.at(-1)?.tools ?? []).map((tool) => tool.function.name)
    const web = ['web_fetch']
    const files = ['read_file', 'write_file', 'edit_file', 'list_dir', 'search_files']
    const expected = { chat: [], web, workspace: [...files, ...web, 'send_file'] }
    expect(offered).toEqual(expected[tools ?? 'chat'])
  })
})

describe('a visitor with a folder', () => {
  test('keeps files in it that the owner sees and no other visitor does', async () => {
    const write = { name: 'write_file', arguments: { path: 'plan.txt', content: 'my plan' } }
    const { id } = visitor()
    await attempt([write], { ...visitor('workspace'), id })
    expect(readFileSync(join(workspace, `visitors/${id}/plan.txt`), 'utf8')).toBe('my plan')
    const other = visitor('workspace')
    const reads = ['plan.txt', `visitors/${id}/plan.txt`, `../${id}/plan.txt`]
    const seen = await attempt(
      reads.map((path) => ({ name: 'read_file', arguments: { path } })),
      other,
    )
    expect(seen).not.toContain('my plan')
  })

  test.each(['../memory', '3003', '..'])('has none where a link to %s lies in its place', async (to) => {
    const person = visitor('workspace')
    mkdirSync(join(workspace, 'visitors'), { recursive: true })
    symlinkSync(to, join(workspace, 'visitors', person.id))
    const calls = ['MEMORY.md', 'mine.txt', 'notes.txt', '.'].flatMap((path) => [
      { name: 'read_file', arguments: { path } },
      { name: 'list_dir', arguments: { path } },
      { name: 'search_files', arguments: { pattern: '-', path } },
      { name: 'write_file', arguments: { path, content: 'overwritten' } },
    ])
    expectNothingOf(await attempt(calls, person))
    expect(readFileSync(join(workspace, 'memory/MEMORY.md'), 'utf8')).toContain(secret('memory'))
    expect(readFileSync(join(workspace, 'visitors/3003/mine.txt'), 'utf8')).toContain(secret('neighbour'))
    rmSync(join(workspace, 'visitors', person.id))
  })

  test('is led nowhere by links that lie in it', async () => {
    const person = visitor('workspace')
    const own = join(workspace, `visitors/${person.id}`)
    mkdirSync(own, { recursive: true })
    symlinkSync('../../memory', join(own, 'memory'))
    symlinkSync('../../notes.txt', join(own, 'mine.txt'))
    symlinkSync('../3003', join(own, 'friend'))
    const paths = ['memory', 'memory/MEMORY.md', 'mine.txt', 'friend/mine.txt', '.']
    const calls = paths.flatMap((path) => [
      { name: 'read_file', arguments: { path } },
      { name: 'list_dir', arguments: { path } },
      { name: 'search_files', arguments: { pattern: '-', path } },
      { name: 'send_file', arguments: { path } },
      { name: 'write_file', arguments: { path, content: 'overwritten' } },
    ])
    expectNothingOf(await attempt(calls, person))
    expect(readFileSync(join(workspace, 'notes.txt'), 'utf8')).toContain(secret('file'))
    expect(readFileSync(join(workspace, 'memory/MEMORY.md'), 'utf8')).toContain(secret('memory'))
  })
})

test('a visitor in the owner’s own chat has another conversation, and what the owner is told of pending results stays there', async () => {
  model.script = () => ({ content: 'hello' })
  const before = model.calls.length
  await agent.chat({ message: 'hi', chat_id: OWNER_CHAT, user: visitor('workspace') })
  expectNothingOf(JSON.stringify(model.calls.slice(before)))
  await agent.chat({ message: 'and?', chat_id: OWNER_CHAT, user: { id: '1001', name: 'Ana', role: 'owner' } })
  const asOwner = JSON.stringify(model.calls.at(-1)?.messages)
  const reading = [{ name: 'read_file', arguments: { path: 'notes.txt' } }]
  expect(await attempt(reading, { id: OWNER_CHAT, name: 'Ana', role: 'owner' })).toContain(secret('file'))
  // The words were planted where the owner does see them: the test looks for the right things.
  for (const place of ['history', 'pending', 'memory', 'skill']) expect(asOwner).toContain(secret(place))
})
