/**
 * What the agent server serves over HTTP: schemas and types, nothing else. Callers import this file alone.
 *
 * Old meets new: callers ignore unknown fields and unknown event types; what a caller may not take for granted raises
 * `AGENT_PROTOCOL_VERSION`. 2: a stop may name its turn (1 stops whatever runs in the chat).
 */
import { z } from 'zod'

export const AGENT_PROTOCOL_VERSION = 2
/** The first version that stops one turn and leaves the others alone. */
export const STOPS_ONE_TURN_SINCE = 2

/** A message above this is refused with 413: more does not fit any offered model. */
export const MAX_MESSAGE_CHARS = 1_000_000

/** How long a finished turn can still be replayed by `turn_id`, as promised to readers. */
export const TURN_REPLAY_MS = 15 * 60_000

/** Silence on an event stream never lasts longer: a `keepalive` data event is sent (comments do not pass every proxy). */
export const KEEPALIVE_INTERVAL_MS = 15_000

/** Ids become file names and SQL keys on the agent's side: keep them plain. */
export const ChatId = z.string().regex(/^[\w:.-]{1,96}$/)
export const TurnId = z.string().regex(/^[\w:.-]{1,96}$/)

/** `owner` sees everything; a `visitor` has a session and a folder of their own and a reduced set of tools. */
export const Role = z.enum(['owner', 'visitor'])
export type Role = z.infer<typeof Role>

export const Attachment = z.object({
  /** Path inside the workspace, relative, as it was given to `PUT /files/*path`. */
  path: z.string().min(1).max(1024),
  name: z.string().max(255),
  mime: z.string().max(255),
})
export type Attachment = z.infer<typeof Attachment>

/**
 * What a visitor's turns may use: nothing, the web, or also files in a folder of their own. Never a shell. What is absent or
 * unknown is nothing.
 */
export const VisitorTools = z.enum(['chat', 'web', 'workspace'])
export type VisitorTools = z.infer<typeof VisitorTools>

export const ChatUser = z.object({
  id: z.string().max(64),
  name: z.string().max(256),
  role: Role,
  /** For visitors; an owner has every tool. */
  tools: VisitorTools.catch('chat').optional(),
  /** IANA name, as the person set it. */
  timezone: z.string().max(64).refine(isTimezone).optional().catch(undefined),
})
export type ChatUser = z.infer<typeof ChatUser>

/** Body of `POST /chat`. Without `turn_id` the server makes one; without `user` the owner is meant. */
export const ChatRequest = z.object({
  message: z.string().max(MAX_MESSAGE_CHARS),
  chat_id: ChatId,
  turn_id: TurnId.optional(),
  user: ChatUser.optional(),
  attachments: z.array(Attachment).max(32).optional(),
})
export type ChatRequest = z.infer<typeof ChatRequest>

/** Body of `POST /chat/:chat_id/steer`. The same `id` is taken once per turn, so that a caller may repeat it. */
export const SteerRequest = z.object({ message: z.string().min(1).max(MAX_MESSAGE_CHARS), id: TurnId.optional() })
export type SteerRequest = z.infer<typeof SteerRequest>

/**
 * Body of `POST /chat/:chat_id/stop`, which may also be empty. With `turn_id` that turn alone is stopped, running or waiting;
 * without, the chat's turns, or where there are none its background work.
 */
export const StopRequest = z.object({ turn_id: TurnId.optional() })
export type StopRequest = z.infer<typeof StopRequest>

/** `stopped` false: there was nothing to stop, or the turn has ended or is not known. */
export const StopResponse = z.object({ stopped: z.boolean() })
export type StopResponse = z.infer<typeof StopResponse>

export const CompactResponse = z.object({ compacted: z.boolean(), notice: z.string().optional() })
export type CompactResponse = z.infer<typeof CompactResponse>

export const ClearResponse = z.object({ status: z.literal('ok'), deleted: z.int() })
export type ClearResponse = z.infer<typeof ClearResponse>

export const DoneReason = z.enum(['stop', 'max_iterations', 'cancelled', 'error'])
export type DoneReason = z.infer<typeof DoneReason>

/**
 * Codes of `error` events. `content` is a sentence a person may read.
 * `model_unreachable` network or 5xx after retries · `model_refused` the model refuses the request as it is ·
 * `rate_limited` 429 after retries · `out_of_credit` the key may not spend more · `unauthorized` the model refuses the key ·
 * `context_overflow` too long even after compaction · `interrupted` the server died in the turn and something may have been
 * done · `storage` the disk takes nothing · `internal` a defect.
 */
export const ErrorCode = z.enum([
  'model_unreachable',
  'model_refused',
  'rate_limited',
  'out_of_credit',
  'unauthorized',
  'context_overflow',
  'interrupted',
  'storage',
  'internal',
])
export type ErrorCode = z.infer<typeof ErrorCode>

/** Codes of `notice` events. `condensed` the older part of the conversation is a summary now · `trimmed` it is left out. */
export const NoticeCode = z.enum(['condensed', 'trimmed'])
export type NoticeCode = z.infer<typeof NoticeCode>

/** The `data:` of one server-sent event; its `id:` is a number that grows within the turn. `done` is always last. */
export const AgentEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('turn'), turn_id: z.string() }),
  z.object({ type: z.literal('delta'), content: z.string() }),
  /** The deltas since the last `text` are void: that answer is being asked for again (retry, restart). */
  z.object({ type: z.literal('reset') }),
  z.object({ type: z.literal('text'), content: z.string() }),
  z.object({ type: z.literal('tool_use'), id: z.string(), name: z.string(), input: z.unknown() }),
  z.object({ type: z.literal('tool_result'), id: z.string(), name: z.string(), ok: z.boolean(), summary: z.string() }),
  z.object({ type: z.literal('file'), path: z.string(), caption: z.string().optional() }),
  /** One of `NoticeCode`, or one that a newer agent has, or none: then `content` says it. */
  z.object({ type: z.literal('notice'), code: z.string().optional(), content: z.string() }),
  z.object({
    type: z.literal('usage'),
    prompt_tokens: z.int(),
    cached_tokens: z.int(),
    completion_tokens: z.int(),
  }),
  z.object({ type: z.literal('keepalive') }),
  /** One of `ErrorCode`, or one that a newer agent has: then `content` says it. */
  z.object({ type: z.literal('error'), code: z.string(), content: z.string() }),
  z.object({ type: z.literal('done'), reason: DoneReason.catch('error') }),
])
export type AgentEvent = z.infer<typeof AgentEvent>

/** One result of background work, kept on the VM until it is acknowledged. `source` is `heartbeat`, `schedule` or `subagent`. */
export const PendingMessage = z.object({
  id: z.int(),
  chat_id: z.string(),
  content: z.string(),
  source: z.string(),
  created_at: z.string(),
  /** The work failed, and `content` is what the server itself says of it: the code of its `error` event. */
  code: z.string().optional(),
  /** With `code`: the first words of what was to be done, as somebody put it. `content` names it too. */
  task: z.string().optional(),
  file: z.object({ path: z.string(), caption: z.string().optional() }).optional(),
})
export type PendingMessage = z.infer<typeof PendingMessage>

export const PendingResponse = z.object({ messages: z.array(PendingMessage) })
export type PendingResponse = z.infer<typeof PendingResponse>

export const PendingAck = z.object({ up_to: z.int().nonnegative() })
export type PendingAck = z.infer<typeof PendingAck>

/** Body of `PUT /config`: only what is given changes. Takes effect with the next turn and survives a restart. */
export const ConfigUpdate = z.object({
  name: z.string().min(1).max(64).optional(),
  system_prompt: z.string().min(1).max(32_768).optional(),
  model: z.string().min(1).max(128).optional(),
  /** Seconds between heartbeats; 0 turns them off. */
  heartbeat_interval: z
    .int()
    .min(0)
    .max(7 * 86_400)
    .optional(),
})
export type ConfigUpdate = z.infer<typeof ConfigUpdate>

export const FileEntry = z.object({
  name: z.string(),
  kind: z.enum(['file', 'dir']),
  bytes: z.int(),
  modified_at: z.string(),
})
export type FileEntry = z.infer<typeof FileEntry>
export const FilesResponse = z.object({ entries: z.array(FileEntry) })
export type FilesResponse = z.infer<typeof FilesResponse>

/** What is planned in one chat (`GET /schedules?chat_id=`), the next first. */
export const SchedulesResponse = z.object({
  schedules: z.array(
    z.object({
      id: z.int(),
      prompt: z.string(),
      /** In the person's own time, with the zone. */
      when: z.string(),
    }),
  ),
})
export type SchedulesResponse = z.infer<typeof SchedulesResponse>

export const ImportResponse = z.object({
  files: z.int(),
  messages: z.int(),
  /** What the agent is from now on. */
  config: z.object({ name: z.string(), system_prompt: z.string(), model: z.string() }),
})
export type ImportResponse = z.infer<typeof ImportResponse>

export const AgentHealth = z.object({
  status: z.literal('ok'),
  agent_name: z.string(),
  version: z.string(),
  model: z.string(),
  uptime_s: z.number(),
  turns_running: z.int(),
  protocol: z.int().default(1),
})
export type AgentHealth = z.infer<typeof AgentHealth>

/** What a database was before a newer server changed its schema lies beside it under this name, for whoever goes back. */
export const FORMER_DATABASE_SUFFIX = '.former'

/** Every refusal: a stable code, and a sentence where one helps. */
export const AgentErrorBody = z.object({ error: z.string(), message: z.string().optional() })
export type AgentErrorBody = z.infer<typeof AgentErrorBody>

/** A zone that this machine does not know is none. */
function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}
