/**
 * How far a turn has come, folded from the agent's events. Kept with the number of the last event it holds, in one statement:
 * after a crash the stream is read on from there, and nothing is counted twice.
 */
import { z } from 'zod'
import { type AgentEvent, DoneReason } from '../../agent-vm/protocol.ts'
import { describeTool } from './tool-label.ts'

/** For the "Steps" view; more than this nobody reads, and the row must stay small. */
export const MAX_STEPS = 120
const MAX_INPUT_CHARS = 600
const MAX_SUMMARY_CHARS = 300
/**
 * An agent's machine is not ours to trust, and a row holds two megabytes: what goes beyond this would neither be kept nor
 * end. Far above what a model says in a turn.
 */
export const MAX_ANSWER_CHARS = 200_000
const MAX_MESSAGES = 500
const MAX_NOTICES = 20
const MAX_NOTICE_CHARS = 2_000
const MAX_NAME_CHARS = 128

const Step = z.discriminatedUnion('type', [
  z.object({ type: z.literal('tool_use'), id: z.string(), name: z.string(), input: z.unknown() }),
  z.object({ type: z.literal('tool_result'), id: z.string(), name: z.string(), ok: z.boolean(), summary: z.string() }),
])
export type Step = z.infer<typeof Step>

const Tool = z.object({ id: z.string(), label: z.string(), state: z.enum(['running', 'ok', 'failed']) })
export type Tool = z.infer<typeof Tool>

/**
 * Error codes that every Worker knows which may read a row, and one that was rolled back as well: it fails at any other. What an
 * agent says beyond them is kept as `internal`, with its own code beside it.
 */
const StoredErrorCode = z.enum([
  'model_unreachable',
  'rate_limited',
  'out_of_credit',
  'unauthorized',
  'context_overflow',
  'interrupted',
  'internal',
])

/** A Worker that is rolled back reads rows of the newer one: add fields that may be missing, and keep what is there as it is. */
export const TurnProgress = z.object({
  /** Id of the last event folded in. */
  cursor: z.int(),
  /** Whole assistant messages, in order. */
  settled: z.array(z.string()),
  /** What has come of the message that is being written. */
  live: z.string(),
  /** The latest, for the status line. */
  tools: z.array(Tool),
  toolCount: z.int(),
  steps: z.array(Step),
  notices: z.array(z.string()),
  /** What the agent called each of them, `''` where it gave no code. An earlier Worker leaves them out. */
  noticeCodes: z.array(z.string()).optional(),
  /** More was said than is kept. */
  clipped: z.boolean().optional(),
  /** Files handed to the person. */
  files: z.int(),
  error: z.object({ code: StoredErrorCode, content: z.string(), exactCode: z.string().optional() }).optional(),
  done: DoneReason.optional(),
})
export type TurnProgress = z.infer<typeof TurnProgress>

export const NO_PROGRESS: TurnProgress = {
  cursor: 0,
  settled: [],
  live: '',
  tools: [],
  toolCount: 0,
  steps: [],
  notices: [],
  files: 0,
}

/** Tools shown at a time. */
const SHOWN_TOOLS = 5

/** @param id number of the event; one that was folded in before changes nothing */
export function advance(progress: TurnProgress, id: number, event: AgentEvent): TurnProgress {
  if (id <= progress.cursor) return progress
  return { ...progress, ...change(progress, event), cursor: id }
}

function change(progress: TurnProgress, event: AgentEvent): Partial<TurnProgress> {
  switch (event.type) {
    case 'delta': {
      const live = progress.live + event.content
      return { live: clip(live, roomOf(progress)), ...clippedBy(live, progress) }
    }
    case 'reset':
      return { live: '' }
    case 'text':
      // The whole message as the agent keeps it; what was streamed of it is replaced.
      return { live: '', settled: addMessage(progress, event.content), ...clippedBy(event.content, progress) }
    case 'tool_use':
      return startTool(progress, event)
    case 'tool_result':
      return endTool(progress, event)
    case 'file':
      return { files: progress.files + 1 }
    case 'notice':
      return addNotice(progress, event)
    case 'error':
      return { error: storedError(event) }
    case 'done':
      return { done: event.reason }
    case 'turn':
    case 'usage':
    case 'keepalive':
      return {}
  }
}

type Notice = Extract<AgentEvent, { type: 'notice' }>

function addNotice(progress: TurnProgress, { code, content }: Notice): Partial<TurnProgress> {
  return {
    notices: [...progress.notices, clip(content, MAX_NOTICE_CHARS)].slice(-MAX_NOTICES),
    noticeCodes: [...codesOf(progress), (code ?? '').slice(0, MAX_NAME_CHARS)].slice(-MAX_NOTICES),
  }
}

/** One for each notice. */
function codesOf({ notices, noticeCodes = [] }: TurnProgress): string[] {
  return notices.map((_, index) => noticeCodes[index] ?? '')
}

/** What the agent let the person know besides its answer, with the code where it gave one. */
export function noticesOf(progress: TurnProgress): { code: string | undefined; content: string }[] {
  const codes = codesOf(progress)
  return progress.notices.map((content, index) => ({ code: codes[index] || undefined, content }))
}

function storedError(event: Extract<AgentEvent, { type: 'error' }>): TurnProgress['error'] {
  const content = clip(event.content, MAX_NOTICE_CHARS)
  const stored = StoredErrorCode.safeParse(event.code)
  if (stored.success) return { code: stored.data, content }
  return { code: 'internal', content, exactCode: event.code.slice(0, MAX_NAME_CHARS) }
}

/** As the agent called it. */
export function errorCodeOf({ error }: TurnProgress): string | undefined {
  return error?.exactCode ?? error?.code
}

function addMessage(progress: TurnProgress, content: string): string[] {
  const { settled } = progress
  const room = roomOf(progress)
  if (content.trim() === '' || room === 0 || settled.length >= MAX_MESSAGES) return settled
  return [...settled, clip(content, room)]
}

type ToolUse = Extract<AgentEvent, { type: 'tool_use' }>
type ToolResult = Extract<AgentEvent, { type: 'tool_result' }>

function startTool(progress: TurnProgress, event: ToolUse): Partial<TurnProgress> {
  const id = event.id.slice(0, MAX_NAME_CHARS)
  const name = event.name.slice(0, MAX_NAME_CHARS)
  const tool = { id, label: describeTool(name, event.input), state: 'running' as const }
  return {
    tools: [...progress.tools, tool].slice(-SHOWN_TOOLS),
    toolCount: progress.toolCount + 1,
    steps: addStep(progress.steps, { ...event, id, name, input: clipInput(event.input) }),
  }
}

function endTool(progress: TurnProgress, event: ToolResult): Partial<TurnProgress> {
  const id = event.id.slice(0, MAX_NAME_CHARS)
  const name = event.name.slice(0, MAX_NAME_CHARS)
  return {
    tools: progress.tools.map((tool) => (tool.id === id ? { ...tool, state: event.ok ? 'ok' : 'failed' } : tool)),
    steps: addStep(progress.steps, { ...event, id, name, summary: event.summary.slice(0, MAX_SUMMARY_CHARS) }),
  }
}

/** Characters that the answer may still grow by, beside what is being written. */
function roomOf({ settled }: TurnProgress): number {
  return Math.max(0, MAX_ANSWER_CHARS - settled.reduce((sum, message) => sum + message.length, 0))
}

function clip(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : `${text.slice(0, maxChars).toWellFormed()}…`
}

/** Everything the agent has said so far, as Markdown. */
export function answerOf({ settled, live }: TurnProgress): string {
  return [...settled, live].filter((part) => part.trim() !== '').join('\n\n')
}

/** A person must hear that something is missing. */
function clippedBy({ length }: string, progress: TurnProgress): Pick<TurnProgress, 'clipped'> {
  return length > roomOf(progress) ? { clipped: true } : {}
}

function addStep(steps: readonly Step[], step: Step): Step[] {
  return [...steps, step].slice(-MAX_STEPS)
}

function clipInput(input: unknown): unknown {
  try {
    const json = JSON.stringify(input) ?? 'null'
    return json.length <= MAX_INPUT_CHARS ? input : `${json.slice(0, MAX_INPUT_CHARS)}…`
  } catch {
    // Nested deeper than the stack.
    return '…'
  }
}
