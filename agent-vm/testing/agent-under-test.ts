/** An agent server with a fake model, spoken to over HTTP like the Worker does. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AgentParts, type RunningAgent, startAgent } from '../agent.ts'
import { parseConfig } from '../config.ts'
import type { Log } from '../log.ts'
import { type FakeModel, type Reply, type Script, startFakeModel } from '../model/model.fake.ts'
import { AgentEvent, type ChatRequest } from '../protocol.ts'
import { createFakeTools, type FakeTools } from '../tools/tool-runner.fake.ts'
import type { ToolPorts } from '../tools/tool-runner.ts'
import { fakeParts } from './fake-parts.ts'

export const SECRET = 'test-secret'

export interface NumberedEvent {
  readonly id: number
  readonly event: AgentEvent
}

export interface AgentUnderTest extends AgentClient {
  readonly url: string
  readonly model: FakeModel
  readonly workspace: string
  readonly databasePath: string
  tools: FakeTools
  ports: ToolPorts
  runBackground: Parameters<AgentParts['startBackground']>[0]['runTurn']
  readonly logged: { level: string; event: string; fields: unknown }[]
  /** Ends it as a service manager would, and starts another on the same data. */
  restart(env?: Record<string, string>): Promise<void>
  /** Another server starts on what was on the disk at this moment, as after `kill -9`; the old one is not heard again. */
  startOver(): Promise<void>
  close(): Promise<void>
}

export interface TestOptions {
  readonly script?: Script | readonly Reply[]
  readonly env?: Record<string, string>
  readonly createTools?: (workspace: string) => FakeTools
  /** Where its folder is made. */
  readonly place?: string
}

/** For tests that open databases by the hundred: no power is cut, so the disk may be memory. */
export const FAST_DISK = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

export async function startTestAgent(options: TestOptions = {}): Promise<AgentUnderTest> {
  const folder = mkdtempSync(join(options.place ?? tmpdir(), 'agent-test-'))
  const workspace = join(folder, 'workspace')
  mkdirSync(workspace)
  const model = await startFakeModel(options.script ?? [{ content: 'hello' }])
  const environment = buildEnvironment({ folder, workspace, modelUrl: model.url, ...options.env })
  const logged: AgentUnderTest['logged'] = []
  const test = { model, workspace, logged, databasePath: environment.DB_PATH ?? '' } as unknown as AgentUnderTest
  let running: RunningAgent | undefined
  const start = async (env: Record<string, string>) => {
    const config = parseConfig(env)
    const log: Log = (level, event, fields) => logged.push({ level, event, fields })
    const parts: AgentParts = {
      ...fakeParts(config),
      createTools: async ({ workspacePath, ports }) => {
        test.ports = ports
        test.tools = (options.createTools ?? createFakeTools)(workspacePath)
        return test.tools
      },
      startBackground: ({ runTurn }) => {
        test.runBackground = runTurn
        return { stop: () => undefined, configChanged: () => undefined }
      },
    }
    running = await startAgent({ config, version: 'test', log, parts })
    Object.assign(test, createAgentClient(running.url), { url: running.url })
  }
  await start(environment)
  return Object.assign(test, {
    restart: async (env: Record<string, string> = {}) => {
      const before = running
      running = undefined
      await before?.stop()
      await start({ ...environment, ...env })
    },
    startOver: async () => {
      const before = running
      const from = environment.DB_PATH ?? ''
      const to = join(mkdtempSync(join(folder, 'data-')), 'agent.db')
      // Every transaction is synchronous: between two steps of the event loop the files are what a killed server leaves.
      for (const suffix of ['', '-wal']) if (existsSync(from + suffix)) copyFileSync(from + suffix, to + suffix)
      environment.DB_PATH = to
      Object.assign(test, { databasePath: to })
      await start(environment)
      await before?.stop()
    },
    close: async () => {
      await running?.stop()
      await model.close()
      rmSync(folder, { recursive: true, force: true })
    },
  })
}

export function buildEnvironment(place: {
  folder: string
  workspace: string
  modelUrl: string
  [name: string]: string
}): Record<string, string> {
  const { folder, workspace, modelUrl, ...env } = place
  return {
    AGENT_NAME: 'Testa',
    SYSTEM_PROMPT: 'Be helpful.',
    LIBERTAI_API_KEY: 'key',
    LIBERTAI_BASE_URL: modelUrl,
    AGENT_SECRET: SECRET,
    PORT: '0',
    DB_PATH: join(folder, 'data', 'agent.db'),
    WORKSPACE_PATH: workspace,
    OWNER_CHAT_ID: 'owner-chat',
    MODEL_RETRY_BASE_MS: '5',
    ...env,
  }
}

export interface AgentClient {
  request(path: string, init?: RequestInit): Promise<Response>
  post(path: string, body: unknown): Promise<Response>
  /** Opens the stream of a turn; read it with `readEvents`. */
  openTurn(request: ChatRequest, afterId?: number): Promise<Response>
  /** Runs a turn to its end. */
  chat(request: ChatRequest | string, afterId?: number): Promise<NumberedEvent[]>
}

export function createAgentClient(url: string): AgentClient {
  const request = (path: string, init: RequestInit = {}) =>
    fetch(`${url}${path}`, { ...init, headers: { authorization: `Bearer ${SECRET}`, ...init.headers } })
  const post = (path: string, body: unknown) =>
    request(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  const openTurn = (body: ChatRequest, afterId = 0) =>
    request('/chat', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'last-event-id': String(afterId) },
      body: JSON.stringify(body),
    })
  return {
    request,
    post,
    openTurn,
    chat: async (turn, afterId) => {
      const body = typeof turn === 'string' ? { message: turn, chat_id: 'c1' } : turn
      const response = await openTurn(body, afterId)
      if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
      return Array.fromAsync(readEvents(response))
    },
  }
}

export async function* readEvents(response: Response): AsyncGenerator<NumberedEvent> {
  let buffer = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    buffer += decoder.decode(chunk, { stream: true })
    const blocks = buffer.split('\n\n')
    buffer = blocks.pop() ?? ''
    for (const block of blocks) {
      const id = Number(/^id: (\d+)$/m.exec(block)?.[1])
      const data = /^data: (.*)$/m.exec(block)?.[1] ?? ''
      yield { id, event: AgentEvent.parse(JSON.parse(data)) }
    }
  }
}

/** Events without what varies. */
export function plain(events: readonly NumberedEvent[]): AgentEvent[] {
  return events
    .map(({ event }) => event)
    .filter(({ type }) => type !== 'usage' && type !== 'turn' && type !== 'keepalive')
}

export function textsOf(events: readonly NumberedEvent[]): string[] {
  return events.flatMap(({ event }) => (event.type === 'text' ? [event.content] : []))
}

export function reasonOf(events: readonly NumberedEvent[]): string | undefined {
  const last = events.at(-1)?.event
  return last?.type === 'done' ? last.reason : undefined
}
