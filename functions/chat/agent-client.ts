/** The agent server's routes, called with the agent's own secret. Schemas are the agent's (`agent-vm/protocol.ts`). */
import { eq } from 'drizzle-orm'
import type { z } from 'zod'
import {
  AgentErrorBody,
  AgentHealth,
  type ChatRequest,
  ClearResponse,
  CompactResponse,
  type ConfigUpdate,
  FilesResponse,
  ImportResponse,
  PendingResponse,
  SchedulesResponse,
  type StopRequest,
  StopResponse,
} from '../../agent-vm/protocol.ts'
import { readText } from '../bounded-body.ts'
import type { Config } from '../config.ts'
import type { Database } from '../database/database.ts'
import { agents } from '../database/schema.ts'
import { type Seal, sealFor } from '../seal.ts'
import { UserFacingError } from '../user-facing-error.ts'

const CALL_TIMEOUT_MS = 15_000
/** Somebody waits to hear whether it is there at all, and everything else they ask waits behind it. */
const HEALTH_TIMEOUT_MS = 5_000
/** Compaction asks the model. */
const COMPACT_TIMEOUT_MS = 120_000
/** Where a person waits for it, a stop must act within a second or be given up. */
const STOP_TIMEOUT_MS = 900
const FILE_TIMEOUT_MS = 300_000
/** Pending results are the longest; an agent's machine is not ours to trust. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024
const MAX_REFUSAL_BYTES = 16 * 1024
const MAX_REFUSAL_CHARS = 300
/** Until the headers of a stream: what does not even begin by then never will, and others wait behind it. */
const STREAM_START_TIMEOUT_MS = 30_000

/** The agent server's own answer when it could not write; no gateway says it. */
const FULL = 507
/** These say nothing about the request itself, whoever says them. */
const TRANSIENT: ReadonlySet<number> = new Set([408, 421, 425, 429])

export class AgentNotReady extends UserFacingError {
  readonly code = 'agent_not_ready'
  readonly userMessage = 'This agent has no machine yet. See /manage.'
}

/** What an agent server says when its disk takes nothing more, for a file or at all. */
const DISK_FULL: ReadonlySet<string> = new Set(['storage', 'disk_full'])

/** The agent server answered, and said no. */
export class AgentRefused extends UserFacingError {
  readonly code: 'agent_refused' | 'agent_disk_full'
  readonly status: number
  /** The agent's own word for it. */
  readonly reason: string
  readonly userMessage: string

  constructor(status: number, route: string, body: AgentErrorBody | undefined) {
    super(`${route}: ${status} ${body?.error ?? ''}`)
    this.status = status
    this.reason = body?.error ?? ''
    this.code = DISK_FULL.has(this.reason) ? 'agent_disk_full' : 'agent_refused'
    this.userMessage = body?.message?.slice(0, MAX_REFUSAL_CHARS) ?? `The agent refused (${status}).`
  }
}

/** The agent's machine did not answer. */
export class AgentUnreachable extends UserFacingError {
  readonly code = 'agent_unreachable'
  readonly userMessage = 'The agent’s machine does not answer. Try again in a minute, or see /manage.'
}

export interface AgentDownload {
  readonly body: ReadableStream<Uint8Array>
  /** Where the agent says so beforehand. */
  readonly bytes: number | undefined
}

export interface AgentClient {
  /** @param after id of the last event that is safely kept; @returns the stream of events after it */
  startTurn(request: ChatRequest, options: { after: number; signal: AbortSignal }): Promise<ReadableStream<Uint8Array>>
  /** @returns false when no turn runs in this chat any more */
  steer(chatId: string, message: string, id: string): Promise<boolean>
  /**
   * @param options.turnId the turn that is meant; an older agent stops whatever runs in the chat
   * @param options.patient nobody waits for it
   * @returns false when there was nothing to stop
   */
  stop(chatId: string, options: { turnId: string; patient?: boolean }): Promise<boolean>
  compact(chatId: string): Promise<CompactResponse>
  clear(chatId: string): Promise<ClearResponse>
  configure(update: ConfigUpdate): Promise<void>
  health(): Promise<AgentHealth>
  pending(): Promise<PendingResponse>
  acknowledge(upTo: number): Promise<void>
  putFile(path: string, body: ReadableStream<Uint8Array>, bytes?: number): Promise<void>
  getFile(path: string): Promise<AgentDownload>
  listFiles(dir: string): Promise<FilesResponse>
  /** The whole agent as one tar.gz: its settings without secrets, its workspace, its conversations. */
  exportAll(): Promise<AgentDownload>
  /** Becomes what such an archive holds. @throws {AgentRefused} 400 no sound archive, 409 at work */
  importAll(body: ReadableStream<Uint8Array>): Promise<ImportResponse>
  schedules(chatId: string): Promise<SchedulesResponse>
  /** @returns false when it is not planned any more */
  cancelSchedule(chatId: string, id: number): Promise<boolean>
}

/**
 * @throws {AgentNotReady} when the agent is unknown, deleted or has no address yet
 * @throws {SealBroken} when its secret does not open
 */
export async function agentClientFor(
  agentId: string,
  { config, database, seal }: { config: Config; database: Database; seal?: Seal },
): Promise<AgentClient> {
  const [agent] = await database
    .select({ url: agents.url, secretSealed: agents.secretSealed, status: agents.status })
    .from(agents)
    .where(eq(agents.id, agentId))
    .limit(1)
  if (!agent?.url || agent.status === 'deleted' || agent.status === 'deleting') {
    throw new AgentNotReady(`agent ${agentId} has no address`)
  }
  const opener = seal ?? sealFor(config)
  const secret = await opener.open(agent.secretSealed, { what: 'agent-secret', id: agentId })
  return createAgentClient({ url: agent.url, secret })
}

export function createAgentClient({ url, secret }: { url: string; secret: string }): AgentClient {
  const base = url.replace(/\/$/, '')
  const authorization = `Bearer ${secret}`
  const call = async (route: string, init: RequestInit & { timeoutMs?: number } = {}): Promise<Response> => {
    const { timeoutMs = CALL_TIMEOUT_MS, ...request } = init
    return checked(route, () =>
      fetch(`${base}${route}`, {
        ...request,
        headers: { authorization, ...request.headers },
        signal: request.signal ?? AbortSignal.timeout(timeoutMs),
      }),
    )
  }
  const json = (body: unknown): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const chat = (chatId: string) => `/chat/${encodeURIComponent(chatId)}`
  return {
    startTurn: (request, options) => startTurn(call, json(request), options),
    async steer(chatId, message, id) {
      try {
        await drop(await call(`${chat(chatId)}/steer`, json({ message, id })))
        return true
      } catch (error) {
        if (error instanceof AgentRefused && error.status === 409) return false
        throw error
      }
    },
    async stop(chatId, { turnId, patient = false }) {
      const request = json({ turn_id: turnId } satisfies StopRequest)
      const timeoutMs = patient ? CALL_TIMEOUT_MS : STOP_TIMEOUT_MS
      return (await read(await call(`${chat(chatId)}/stop`, { ...request, timeoutMs }), StopResponse)).stopped
    },
    compact: async (chatId) =>
      read(await call(`${chat(chatId)}/compact`, { ...json({}), timeoutMs: COMPACT_TIMEOUT_MS }), CompactResponse),
    clear: async (chatId) => read(await call(chat(chatId), { method: 'DELETE' }), ClearResponse),
    configure: async (update) => drop(await call('/config', { ...json(update), method: 'PUT' })),
    health: async () => read(await call('/health', { timeoutMs: HEALTH_TIMEOUT_MS }), AgentHealth),
    pending: async () => read(await call('/pending'), PendingResponse),
    acknowledge: async (upTo) => drop(await call('/pending/ack', json({ up_to: upTo }))),
    async putFile(path, body, bytes) {
      const headers = { 'content-type': 'application/octet-stream' }
      const stream = bytes === undefined ? body : fixedLength(body, bytes)
      const request = { method: 'PUT', headers, body: stream, duplex: 'half', timeoutMs: FILE_TIMEOUT_MS }
      await drop(await call(filePath(path), request))
    },
    getFile: async (path) => download(call, filePath(path)),
    listFiles: async (dir) => read(await call(`/files?dir=${encodeURIComponent(dir)}`), FilesResponse),
    async importAll(body) {
      const request = { method: 'POST', body, duplex: 'half', timeoutMs: FILE_TIMEOUT_MS }
      return read(await call('/import', request), ImportResponse)
    },
    schedules: async (chatId) =>
      read(await call(`/schedules?chat_id=${encodeURIComponent(chatId)}`), SchedulesResponse),
    async cancelSchedule(chatId, id) {
      try {
        await drop(await call(`/schedules/${id}?chat_id=${encodeURIComponent(chatId)}`, { method: 'DELETE' }))
        return true
      } catch (error) {
        if (error instanceof AgentRefused && error.status === 404) return false
        throw error
      }
    },
    exportAll: async () => download(call, '/export'),
  }
}

type Call = (route: string, init: RequestInit) => Promise<Response>

async function startTurn(
  call: Call,
  request: RequestInit,
  { after, signal }: { after: number; signal: AbortSignal },
): Promise<ReadableStream<Uint8Array>> {
  const headers = new Headers(request.headers)
  headers.set('accept', 'text/event-stream')
  if (after > 0) headers.set('last-event-id', String(after))
  const init = { ...request, headers: Object.fromEntries(headers) }
  const response = await beginning(signal, (soon) => call('/chat', { ...init, signal: soon }))
  if (!response.body) throw new AgentUnreachable('a turn without a stream')
  return response.body
}

async function download(call: Call, route: string): Promise<AgentDownload> {
  const { body, headers } = await beginning(AbortSignal.timeout(FILE_TIMEOUT_MS), (signal) => call(route, { signal }))
  if (!body) throw new AgentUnreachable('a file without a body')
  const length = headers.get('content-length')
  return { body, bytes: length === null ? undefined : Number(length) }
}

/** @param signal bounds the whole; the headers must come much sooner */
async function beginning(signal: AbortSignal, call: (signal: AbortSignal) => Promise<Response>): Promise<Response> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), STREAM_START_TIMEOUT_MS)
  try {
    return await call(AbortSignal.any([signal, late.signal]))
  } finally {
    clearTimeout(timer)
  }
}

async function checked(route: string, call: () => Promise<Response>): Promise<Response> {
  const shown = route.replace(/^(\/chat|\/files)\/.*/, '$1/…')
  let response: Response
  try {
    response = await call()
  } catch (cause) {
    throw new AgentUnreachable(`${shown}: no answer`, { cause })
  }
  if (response.ok) return response
  const body = AgentErrorBody.safeParse(await readJson(response, MAX_REFUSAL_BYTES).catch(() => undefined))
  // A gateway in front of the agent speaks in its place when the machine is down, and not in the agent's words.
  const isOurs =
    body.success && (response.status === FULL || (response.status < 500 && !TRANSIENT.has(response.status)))
  if (!isOurs) throw new AgentUnreachable(`${shown}: ${response.status}`)
  throw new AgentRefused(response.status, shown, body.data)
}

/** @throws {AgentUnreachable} for an answer that no agent server gives: what stands in it is not repeated anywhere */
async function read<S extends z.ZodType>(response: Response, schema: S): Promise<z.infer<S>> {
  const answer = schema.safeParse(await readJson(response, MAX_ANSWER_BYTES).catch(() => undefined))
  if (answer.success) return answer.data
  throw new AgentUnreachable('an answer that is not understood')
}

async function readJson(response: Response, maxBytes: number): Promise<unknown> {
  return JSON.parse(await readText(response, maxBytes))
}

async function drop(response: Response): Promise<void> {
  await response.body?.cancel()
}

function filePath(path: string): string {
  return `/files/${path.split('/').map(encodeURIComponent).join('/')}`
}

/** In workerd a stream of known length keeps its `content-length`; elsewhere it goes chunked. */
function fixedLength(body: ReadableStream<Uint8Array>, bytes: number): ReadableStream<Uint8Array> {
  return typeof FixedLengthStream === 'undefined' ? body : body.pipeThrough(new FixedLengthStream(bytes))
}
