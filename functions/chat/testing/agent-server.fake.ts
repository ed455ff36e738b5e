/**
 * An agent server that plays scripts, faithful to `agent-vm/protocol.ts` where delivery depends on it: a turn goes on without
 * its reader, the same turn id never runs twice, the turns of a chat run one after the other, `Last-Event-ID` replays, steering
 * is refused when nothing runs, a stop may name its turn.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  AGENT_PROTOCOL_VERSION,
  type AgentEvent,
  type AgentHealth,
  ChatRequest,
  PendingAck,
  type PendingMessage,
  STOPS_ONE_TURN_SINCE,
  SteerRequest,
  StopRequest,
} from '../../../agent-vm/protocol.ts'

export interface FakeTurn {
  readonly id: string
  readonly request: ChatRequest
  /** Fires when the turn is stopped. */
  readonly signal: AbortSignal
  emit(event: AgentEvent): void
  /** Streams a text word by word and closes it with `text`. */
  say(text: string, options?: { everyMs?: number; words?: number }): Promise<void>
  /** A tool call with its result. */
  useTool(name: string, input: unknown, options?: { takesMs?: number }): Promise<void>
  sleep(ms: number): Promise<void>
  /** What was handed to the running turn so far. */
  readonly steered: readonly string[]
}

export type FakeBrain = (turn: FakeTurn) => Promise<void>

export interface FakeAgentServer {
  readonly url: string
  readonly secret: string
  /** How often each turn id was started: more than once would be a second run. */
  readonly runs: ReadonlyMap<string, number>
  readonly requests: readonly ChatRequest[]
  /** `Last-Event-ID` of each request, in order. */
  readonly resumedFrom: readonly string[]
  /** The turn that each stop named, in order. */
  readonly stops: readonly (string | undefined)[]
  readonly files: Map<string, Uint8Array>
  readonly pending: PendingMessage[]
  brain: FakeBrain
  /** Of an older release: a stop means whatever runs in the chat, and its background work where nothing does. */
  old: boolean
  /** Answers 503 to everything until it is false again. */
  down: boolean
  /** Answered to everything, as by something else in its place. */
  strange: { status: number; body: string } | undefined
  /** How many turns somebody reads right now. */
  openReaders(): number
  /** Knows no turn any more, as on a machine that was set up anew. */
  forget(): void
  /** Cuts every open stream, as a broken connection does. */
  cutStreams(): void
  close(): Promise<void>
}

interface Turn {
  readonly events: { id: number; event: AgentEvent }[]
  readonly stop: AbortController
  readonly steered: string[]
  readonly steerIds: Set<string>
  readonly readers: Set<ServerResponse>
  readonly chatId: string
  readonly ended: Promise<void>
  done: boolean
}

export async function startFakeAgentServer(brain: FakeBrain): Promise<FakeAgentServer> {
  const turns = new Map<string, Turn>()
  const runs = new Map<string, number>()
  const requests: ChatRequest[] = []
  const resumedFrom: string[] = []
  const stops: (string | undefined)[] = []
  const state: Pick<FakeAgentServer, 'brain' | 'old' | 'down' | 'strange'> = {
    brain,
    old: false,
    down: false,
    strange: undefined,
  }
  const files = new Map<string, Uint8Array>()
  const pending: PendingMessage[] = []
  const secret = 'fake-agent-secret-0123456789'

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500)
      response.end(String(error))
    })
  })

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://agent')
    const path = decodeURIComponent(url.pathname)
    if (state.down) return json(response, 503, { error: 'down' })
    if (state.strange) {
      response.writeHead(state.strange.status, { 'content-type': 'text/html' })
      response.end(state.strange.body)
      return
    }
    if (path !== '/health' && request.headers.authorization !== `Bearer ${secret}`) {
      return json(response, 401, { error: 'unauthorized' })
    }
    const body = await readBody(request)
    const route = `${request.method} ${path}`
    const sideRoute = /^\/chat\/(.+)\/(steer|stop|compact)$/.exec(path)
    if (route === 'POST /chat') return chat(request, response, body)
    if (sideRoute?.[2] === 'steer') return steer(response, sideRoute[1], body)
    if (sideRoute?.[2] === 'stop') return json(response, 200, { stopped: stop(sideRoute[1], body) })
    if (route === 'GET /health') return json(response, 200, health())
    if (route === 'GET /pending') return json(response, 200, { messages: pending })
    if (route === 'POST /pending/ack') {
      const { up_to } = PendingAck.parse(JSON.parse(body.toString()))
      while (pending[0] && pending[0].id <= up_to) pending.shift()
      return json(response, 200, {})
    }
    if (path.startsWith('/files/')) return file(request, response, path.slice('/files/'.length), body)
    return json(response, 404, { error: 'not_found' })
  }

  function chat(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const parsed = ChatRequest.parse(JSON.parse(body.toString()))
    const id = parsed.turn_id ?? `own-${runs.size}`
    const last = String(request.headers['last-event-id'] ?? '')
    requests.push(parsed)
    resumedFrom.push(last)
    const turn = turns.get(id) ?? begin(id, parsed)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const { id: eventId, event } of turn.events) if (eventId > Number(last)) write(response, eventId, event)
    if (turn.done) {
      response.end()
      return
    }
    turn.readers.add(response)
    response.on('close', () => turn.readers.delete(response))
  }

  function begin(id: string, request: ChatRequest): Turn {
    const before = [...turns.values()].filter(({ chatId }) => chatId === request.chat_id).map(({ ended }) => ended)
    const { promise: ended, resolve: markEnded } = Promise.withResolvers<void>()
    const turn: Turn = {
      ended,
      events: [],
      stop: new AbortController(),
      steered: [],
      steerIds: new Set(),
      readers: new Set(),
      chatId: request.chat_id,
      done: false,
    }
    turns.set(id, turn)
    runs.set(id, (runs.get(id) ?? 0) + 1)
    const emit = (event: AgentEvent) => {
      const eventId = turn.events.length + 1
      turn.events.push({ id: eventId, event })
      for (const reader of turn.readers) write(reader, eventId, event)
    }
    const end = (reason: 'stop' | 'cancelled' | 'error') => {
      emit({ type: 'done', reason })
      turn.done = true
      markEnded()
      for (const reader of turn.readers) reader.end()
    }
    emit({ type: 'turn', turn_id: id })
    Promise.all(before)
      .then(() => state.brain(fakeTurn(id, request, turn, emit)))
      .then(
        () => end(turn.stop.signal.aborted ? 'cancelled' : 'stop'),
        () => end('error'),
      )
    return turn
  }

  function steer(response: ServerResponse, chatId: string | undefined, body: Buffer) {
    const { message, id } = SteerRequest.parse(JSON.parse(body.toString()))
    const turn = [...turns.values()].find((each) => each.chatId === chatId && !each.done)
    if (!turn) return json(response, 409, { error: 'no_turn' })
    if (id === undefined || !turn.steerIds.has(id)) turn.steered.push(message)
    if (id !== undefined) turn.steerIds.add(id)
    return json(response, 200, {})
  }

  function stop(chatId: string | undefined, body: Buffer): boolean {
    const { turn_id } = StopRequest.parse(JSON.parse(body.toString()))
    stops.push(turn_id)
    const live = [...turns].filter(([, each]) => each.chatId === chatId && !each.done)
    const meant = live.filter(([id]) => state.old || turn_id === undefined || turn_id === id)
    for (const [, turn] of meant) turn.stop.abort()
    return meant.length > 0
  }

  function health(): AgentHealth {
    const protocol = state.old ? STOPS_ONE_TURN_SINCE - 1 : AGENT_PROTOCOL_VERSION
    return { status: 'ok', agent_name: 'Rex', version: 'fake', model: 'm', uptime_s: 1, turns_running: 0, protocol }
  }

  function file(request: IncomingMessage, response: ServerResponse, path: string, body: Buffer) {
    if (request.method === 'PUT') {
      files.set(path, new Uint8Array(body))
      return json(response, 200, {})
    }
    const content = files.get(path)
    if (!content) return json(response, 404, { error: 'not_found' })
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': content.byteLength })
    response.end(content)
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    secret,
    runs,
    requests,
    resumedFrom,
    stops,
    files,
    pending,
    get old() {
      return state.old
    },
    set old(next) {
      state.old = next
    },
    get brain() {
      return state.brain
    },
    set brain(next) {
      state.brain = next
    },
    get down() {
      return state.down
    },
    set down(next) {
      state.down = next
    },
    get strange() {
      return state.strange
    },
    set strange(next) {
      state.strange = next
    },
    openReaders: () => [...turns.values()].filter((turn) => !turn.done && turn.readers.size > 0).length,
    forget() {
      for (const turn of turns.values()) turn.stop.abort()
      turns.clear()
    },
    cutStreams() {
      for (const turn of turns.values()) for (const reader of turn.readers) reader.destroy()
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function fakeTurn(id: string, request: ChatRequest, turn: Turn, emit: (event: AgentEvent) => void): FakeTurn {
  let calls = 0
  const sleep = (ms: number) =>
    new Promise<void>((resolve) => {
      if (turn.stop.signal.aborted) return resolve()
      const timer = setTimeout(resolve, ms)
      turn.stop.signal.addEventListener('abort', () => {
        clearTimeout(timer)
        resolve()
      })
    })
  return {
    id,
    request,
    signal: turn.stop.signal,
    steered: turn.steered,
    emit,
    sleep,
    async say(text, { everyMs = 0, words = 1 } = {}) {
      const pieces = text.match(new RegExp(`(?:\\S+\\s*|\\s+){1,${words}}`, 'g')) ?? []
      let said = ''
      for (const piece of pieces) {
        if (turn.stop.signal.aborted) break
        emit({ type: 'delta', content: piece })
        said += piece
        if (everyMs > 0) await sleep(everyMs)
      }
      emit({ type: 'text', content: said })
    },
    async useTool(name, input, { takesMs = 0 } = {}) {
      if (turn.stop.signal.aborted) return
      calls += 1
      emit({ type: 'tool_use', id: `call-${calls}`, name, input })
      if (takesMs > 0) await sleep(takesMs)
      emit({ type: 'tool_result', id: `call-${calls}`, name, ok: true, summary: `${name} is done` })
    },
  }
}

function write(response: ServerResponse, id: number, event: AgentEvent): void {
  response.write(`id: ${id}\ndata: ${JSON.stringify(event)}\n\n`)
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
