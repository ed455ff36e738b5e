/** What a machine gets: the one bundled file, run by plain `node`, with real tools; everything over HTTP. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildAgentBundle } from './bundle.ts'
import { type FakeModel, startFakeModel } from './model/model.fake.ts'
import type { PendingResponse } from './protocol.ts'
import {
  type AgentClient,
  buildEnvironment,
  createAgentClient,
  readEvents,
  reasonOf,
} from './testing/agent-under-test.ts'

const NOBODY = 65_534
const isRoot = process.getuid?.() === 0
/** Of the gateway, which the server knows and its tools must not. */
const KEY = `key-${randomUUID()}`

let folder: string
let model: FakeModel
let platform: { server: Server; asked: string[]; deaf: boolean }
let server: ChildProcess
let agent: AgentClient

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'agent-deployed-'))
  // Readable to the tools' user, as on a machine.
  chmodSync(folder, 0o755)
  mkdirSync(join(folder, 'workspace'))
  if (isRoot) chownSync(join(folder, 'workspace'), NOBODY, NOBODY)
  await buildAgentBundle(join(folder, 'agent.mjs'))
  platform = startPlatform()
  await once(platform.server.listen(0, '127.0.0.1'), 'listening')
  // A message `{"name": …, "arguments": …}` is answered with that call.
  model = await startFakeModel((call) => {
    const last = call.messages.at(-1)
    const wanted = /\{"name".*\}$/s.exec(String(last?.content))?.[0]
    return last?.role === 'user' && wanted ? { calls: [JSON.parse(wanted)] } : { content: 'Done.' }
  })
  agent = await startServer()
})

afterAll(async () => {
  server.kill('SIGKILL')
  await model.close()
  platform.server.close()
  platform.server.closeAllConnections()
  rmSync(folder, { recursive: true, force: true })
})

/** The Worker's routes that agents call; deaf to pings until told otherwise. */
function startPlatform(): typeof platform {
  const state = { asked: [] as string[], deaf: true, server: createServer() }
  state.server.on('request', (request, response) => {
    state.asked.push(`${request.method} ${request.url} ${request.headers.authorization}`)
    if (request.url === '/v1/search') {
      return response.end(
        JSON.stringify({ results: [{ title: 'Found', url: 'https://example.org', description: 'x' }] }),
      )
    }
    response.writeHead(state.deaf ? 503 : 200).end()
  })
  return state
}

async function startServer(): Promise<AgentClient> {
  const { port } = platform.server.address() as AddressInfo
  const environment = buildEnvironment({
    folder,
    workspace: join(folder, 'workspace'),
    modelUrl: model.url,
    LIBERTAI_API_KEY: KEY,
    CALLBACK_URL: `http://127.0.0.1:${port}/agents/7/pending`,
    ...(isRoot && { TOOL_USER: 'nobody' }),
  })
  server = spawn(process.execPath, [join(folder, 'agent.mjs')], {
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  for await (const line of createInterface({ input: server.stderr! })) {
    const entry: unknown = JSON.parse(line)
    if (typeof entry === 'object' && entry !== null && 'url' in entry) return createAgentClient(String(entry.url))
  }
  throw new Error('the server ended before it was ready')
}

async function endServer(signal: NodeJS.Signals): Promise<void> {
  const gone = once(server, 'exit')
  server.kill(signal)
  await gone
}

/** @returns what the model read of the call */
async function runTool(name: string, input: unknown): Promise<string> {
  expect(reasonOf(await agent.chat(JSON.stringify({ name, arguments: input })))).toBe('stop')
  return String(model.calls.at(-1)!.messages.at(-1)!.content)
}

const bash = (command: string) => runTool('bash', { command })

function isRunning(command: string): boolean {
  return spawnSync('pgrep', ['-f', `^${command}$`]).status === 0
}

test('tools run as somebody else where the server may switch, with an environment of their own', async () => {
  const content = await bash('id -u; env')
  if (isRoot) expect(content).toMatch(new RegExp(`^${NOBODY}\n`))
  expect(content).not.toMatch(/LIBERTAI|AGENT_|CALLBACK|DB_PATH/)
  expect(await runTool('write_file', { path: 'notes/a.txt', content: 'one\ntwo\n' })).toContain('wrote notes/a.txt')
  expect(await runTool('read_file', { path: 'notes/a.txt' })).toContain('2\ttwo')
})

test.runIf(isRoot)(
  'no command reads the server’s key: not from its environment, memory, files or database',
  async () => {
    const pid = server.pid
    const attempts = [
      `for f in e""nviron m""aps m""em cmdline; do cat /pr*/${pid}/$f; done`,
      `for f in /pr*/${pid}/f""d/*; do cat $f; done; ls -la /pr*/${pid}/cwd/ /pr*/${pid}/root/root`,
      `cat ${folder}/data/* ${folder}/data/*-wal; ls ${folder}/data; ln -s ${folder}/data/agent.db db; cat db`,
      `cd /pr""oc && for p in [0-9]*; do tr '\\0' '\\n' < $p/e""nviron; done`,
    ]
    for (const command of attempts) {
      const content = await bash(`{ ${command}; } 2>&1 | grep -a -c -e ${KEY.slice(0, 12)}'${KEY.slice(12)}' -e SQLite`)
      expect(content, command).toMatch(/^0\n/)
    }
    expect(await runTool('read_file', { path: 'db' })).not.toContain('SQLite')
  },
)

test('a folder that the tools may not write is an error that the model can act on', async () => {
  mkdirSync(join(folder, 'workspace', 'sealed'), { mode: 0o555 })
  const content = await runTool('write_file', { path: 'sealed/x.txt', content: 'x' })
  expect(content).toContain('sealed/x.txt may not be accessed by you (permission denied)')
})

test('/stop ends a command with everything it started, and the chat goes on', async () => {
  const command = 'setsid sleep 77881 & nohup sleep 77882 & sleep 77883'
  const response = await agent.openTurn({
    message: JSON.stringify({ name: 'bash', arguments: { command } }),
    chat_id: 'c1',
  })
  const events = Array.fromAsync(readEvents(response))
  const sleeps = ['sleep 77881', 'sleep 77882', 'sleep 77883']
  await expect.poll(() => sleeps.every(isRunning), { timeout: 20_000 }).toBe(true)
  expect(await (await agent.post('/chat/c1/stop', {})).json()).toEqual({ stopped: true })
  expect(reasonOf(await events)).toBe('cancelled')
  await expect.poll(() => sleeps.some(isRunning), { timeout: 20_000 }).toBe(false)
  expect(await bash('echo still here')).toBe('still here')
  expect(model.illegal).toEqual([])
})

test('web tools: nothing inside can be read, and searches go through the platform with the key', async () => {
  const content = await runTool('web_fetch', { url: model.url })
  expect(content).toContain('127.0.0.1 is not on the public internet')
  expect(await runTool('web_search', { query: 'x' })).toContain('https://example.org')
  expect(platform.asked).toContain(`POST /v1/search Bearer ${KEY}`)
})

test('a schedule survives `kill -9`; its result waits, is told until it is heard, and stays until acknowledged', async () => {
  expect(await runTool('schedule', { action: 'create', prompt: 'call mother', in_minutes: 60 })).toContain('is set')
  await endServer('SIGKILL')
  const database = new DatabaseSync(join(folder, 'data', 'schedules.db'))
  database.exec('UPDATE schedules SET due_at = 1')
  database.close()
  agent = await startServer()
  const pending = async () => (await (await agent.request('/pending')).json<PendingResponse>()).messages
  await expect
    .poll(pending, { timeout: 20_000 })
    .toMatchObject([{ content: 'Done.', source: 'schedule', chat_id: 'c1' }])
  const ping = `POST /agents/7/pending Bearer ${KEY}`
  const pings = () => platform.asked.filter((each) => each === ping).length
  await expect.poll(pings, { timeout: 20_000 }).toBeGreaterThanOrEqual(2)
  platform.deaf = false
  const [message] = await pending()
  expect((await agent.post('/pending/ack', { up_to: message!.id })).status).toBe(200)
  expect(await pending()).toEqual([])
  // Nothing waits any more: a server that starts has nothing to tell.
  const heard = pings()
  await endServer('SIGKILL')
  agent = await startServer()
  await agent.chat('hi')
  expect(pings()).toBeLessThanOrEqual(heard + 1)
})

test('told to end, it takes its tools along and keeps the turn for the next start', async () => {
  const message = JSON.stringify({ name: 'bash', arguments: { command: 'sleep 77884' } })
  const response = await agent.openTurn({ message, chat_id: 'c1', turn_id: 't-last' })
  const broken = Array.fromAsync(readEvents(response)).catch(() => undefined)
  await expect.poll(() => isRunning('sleep 77884'), { timeout: 20_000 }).toBe(true)
  await endServer('SIGTERM')
  await broken
  await expect.poll(() => isRunning('sleep 77884'), { timeout: 20_000 }).toBe(false)
  agent = await startServer()
  expect(reasonOf(await agent.chat({ message, chat_id: 'c1', turn_id: 't-last' }))).toBe('stop')
  const result = model.calls.at(-1)!.messages.findLast(({ role }) => role === 'tool')
  expect(String(result?.content)).toContain('may have run')
  expect(model.illegal).toEqual([])
})
