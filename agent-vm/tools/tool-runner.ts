/**
 * The port between the turn loop and the tools: the loop knows names, schemas and results, never how a tool works.
 */
import type { ChatUser } from '../protocol.ts'

/** As sent to the model. The order of definitions is fixed: it is part of the stable prefix of every request. */
export interface ToolDefinition {
  readonly name: string
  readonly description: string
  /** JSON schema of the input object. */
  readonly parameters: Record<string, unknown>
}

export interface ToolCall {
  readonly id: string
  readonly name: string
  /** Decoded JSON, not yet checked against the tool's schema. */
  readonly input: unknown
}

export interface ToolResult {
  readonly ok: boolean
  /** What the model reads. */
  readonly content: string
  /** One short line for a person: `wrote notes.txt (12 lines)`. */
  readonly summary: string
  /** Files to hand to the person, paths relative to the workspace. */
  readonly files?: readonly { readonly path: string; readonly caption?: string }[]
}

export interface ToolContext {
  readonly chatId: string
  readonly turnId: string
  readonly user: ChatUser
  /** `chat` has every tool; `subagent` has no `spawn`; `heartbeat` and `schedule` are turns without a reader. */
  readonly origin: 'chat' | 'subagent' | 'heartbeat' | 'schedule'
  /** Aborted by `/stop`: the tool's whole process group must be gone within a second. */
  readonly signal: AbortSignal
}

export interface ToolRunner {
  /** Fixed order and stable JSON for the same role and origin. */
  definitions(session: Pick<ToolContext, 'user' | 'origin'>): readonly ToolDefinition[]
  /** True when the call only reads, so that several such calls may run side by side. */
  readsOnly(name: string): boolean
  /** Never throws for what a model may do wrong: an unknown tool, a bad input or a failure is a result with `ok: false`. */
  run(call: ToolCall, context: ToolContext): Promise<ToolResult>
  close(): Promise<void>
}

/** What server-side tools need from the rest of the agent server; built by the entry. */
export interface ToolPorts {
  /** Starts a background turn of its own (15 iterations, no `spawn`); its answer goes to the chat's pending messages. Returns its id. */
  spawnSubagent(task: string, context: ToolContext): Promise<string>
  /** Full-text search over everything ever said in this chat, compacted rows included; newest first. */
  searchHistory(
    query: string,
    context: ToolContext,
    limit: number,
  ): Promise<readonly { role: string; content: string; created_at: string }[]>
  /** Runs a prompt as a background turn because a schedule is due; resolves when its result is stored as pending. */
  runScheduled(prompt: string, chatId: string, user: ChatUser): Promise<void>
}
