/**
 * Runs the calls of one answer: those that only read side by side, the others one after the other, results in the order of the
 * calls. A call that may change something is on the disk as begun before it runs; after a crash it counts as "may have run"
 * and is not run again, nor are the writing calls that were planned after it.
 */

import { describeError } from '../log.ts'
import type { AnswerCall } from '../model/answer.ts'
import { type ModelMessage, wellFormed } from '../model/model-message.ts'
import type { AgentEvent } from '../protocol.ts'
import type { ToolResult, ToolRunner } from '../tools/tool-runner.ts'
import type { JournalledCall, TurnStep } from './turn.ts'
import type { TurnRun } from './turn-run.ts'

const MAX_PARALLEL = 8
/** A tool is gone within a second after a stop; one that is not is left behind. */
const STOP_GRACE_MS = 1000
/** The tools cut their own output; this holds for those that forget. */
const MAX_RESULT_CHARS = 100_000

const UNKNOWN: ToolResult = {
  ok: false,
  content:
    '[unknown: the server was restarted while this call ran. It may have run, completely or in part, or not at all. Look at the state of things before you repeat it.]',
  summary: 'interrupted by a restart: it may have run',
}
const NOT_BEGUN: ToolResult = {
  ok: false,
  content: '[not run: the server was restarted before this call began. Decide anew whether it is needed.]',
  summary: 'not run: restart',
}
const STOPPED: ToolResult = {
  ok: false,
  content: '[stopped by the person while it ran: it may have run in part]',
  summary: 'stopped',
}
const NOT_RUN: ToolResult = { ok: false, content: '[not run: stopped by the person]', summary: 'not run: stopped' }

/**
 * What ends one call and what begins the next is one step, since nothing lies between them: each costs a transaction.
 * @param plan the step that the calls were planned with, if that is still to be taken
 * @returns the messages that answer the calls, in their order, and the step of the last ones' end
 */
export async function* runCalls(
  run: TurnRun,
  calls: readonly JournalledCall[],
  plan: TurnStep = {},
): AsyncGenerator<TurnStep, { answers: ModelMessage[]; ended: TurnStep }> {
  const results = new Map<number, ToolResult>()
  for (const { position, result } of calls) if (result) results.set(position, result)
  yield* settleInterrupted(run, calls, results)
  const open = calls.filter(({ position }) => !results.has(position))
  let ended = plan
  for (const group of groupCalls(run, open)) {
    ended = yield* runGroup(run, group, ended)
    for (const { position, result } of ended.finish ?? []) results.set(position, result)
  }
  const answers = calls.map(({ call, position }) => ({
    role: 'tool' as const,
    tool_call_id: call.id,
    content: results.get(position)?.content ?? NOT_RUN.content,
  }))
  return { answers, ended }
}

/** After a crash: what had begun and may write is unknown; what would write after it is left to the model's judgement. */
async function* settleInterrupted(
  run: TurnRun,
  calls: readonly JournalledCall[],
  results: Map<number, ToolResult>,
): AsyncGenerator<TurnStep, void> {
  const writes = calls.filter(({ call }) => !run.ports.tools.readsOnly(call.name))
  const unknown = writes.filter(({ state }) => state === 'begun')
  if (unknown.length === 0) return
  const settled = writes
    .filter(({ state }) => state !== 'finished')
    .map(({ call, position, state }) => ({ call, position, result: state === 'begun' ? UNKNOWN : NOT_BEGUN }))
  for (const { position, result } of settled) results.set(position, result)
  yield { finish: settled, events: settled.flatMap(({ call, result }) => describeResult(call, result)) }
}

/** The results of a batch that will not be gone on with. */
export function settledResults(calls: readonly JournalledCall[], tools: Pick<ToolRunner, 'readsOnly'>): ModelMessage[] {
  return calls.map(({ call, state, result }) => {
    const settled = result ?? (state === 'begun' && !tools.readsOnly(call.name) ? UNKNOWN : NOT_BEGUN)
    return { role: 'tool', tool_call_id: call.id, content: settled.content }
  })
}

function groupCalls(run: TurnRun, calls: readonly JournalledCall[]): JournalledCall[][] {
  const groups: JournalledCall[][] = []
  let reading = false
  for (const call of calls) {
    const reads = run.ports.tools.readsOnly(call.call.name)
    const last = groups.at(-1)
    if (last && reads && reading && last.length < MAX_PARALLEL) last.push(call)
    else groups.push([call])
    reading = reads
  }
  return groups
}

async function* runGroup(
  run: TurnRun,
  group: readonly JournalledCall[],
  before: TurnStep,
): AsyncGenerator<TurnStep, TurnStep> {
  if (run.signal.aborted) {
    yield before
    return { finish: group.map(({ position }) => ({ position, result: NOT_RUN })) }
  }
  const uses = group.map(({ call: { id, name, input } }) => ({ type: 'tool_use' as const, id, name, input }))
  yield {
    ...before,
    begin: { positions: group.map(({ position }) => position), surely: group.some(({ call }) => mayWrite(run, call)) },
    events: [...(before.events ?? []), ...uses],
  }
  const finished = await Promise.all(
    group.map(async ({ call, position }) => ({ call, position, result: await runCall(run, call) })),
  )
  return { finish: finished, events: finished.flatMap(({ call, result }) => describeResult(call, result)) }
}

function mayWrite(run: TurnRun, call: AnswerCall): boolean {
  return !call.problem && !run.ports.tools.readsOnly(call.name)
}

async function runCall(run: TurnRun, call: AnswerCall): Promise<ToolResult> {
  if (call.problem) return { ok: false, content: call.problem, summary: 'the call could not be read' }
  const blocked = run.detector.before(call)
  if (blocked) return { ok: false, content: blocked, summary: 'blocked: repeated without a change' }
  const result = await untilStopped(run, call)
  const warning = run.detector.after(call, result, run.ports.tools.readsOnly(call.name))
  const content = [clip(wellFormed(result.content)), call.note && `[${call.note}]`, warning]
    .filter(Boolean)
    .join('\n\n')
  return { ...result, content: content || '[no output]' }
}

async function untilStopped(run: TurnRun, call: AnswerCall): Promise<ToolResult> {
  const { turn, signal, ports } = run
  const context = { chatId: turn.chatId, turnId: turn.turnId, user: turn.request.user, origin: turn.origin, signal }
  const work = ports.tools.run({ id: call.id, name: call.name, input: call.input }, context).catch((error: unknown) => {
    ports.log('error', 'tool_broke', { turn: turn.turnId, tool: call.name, reason: describeError(error) })
    return { ok: false, content: '[the tool itself failed; it may have run in part]', summary: 'the tool failed' }
  })
  const { promise: stopped, resolve: giveUp } = Promise.withResolvers<ToolResult>()
  let timer: NodeJS.Timeout | undefined
  const onAbort = () => {
    timer = setTimeout(() => giveUp(STOPPED), STOP_GRACE_MS)
  }
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work, stopped])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}

function describeResult(call: AnswerCall, result: ToolResult): AgentEvent[] {
  const { ok, summary, files = [] } = result
  return [
    { type: 'tool_result', id: call.id, name: call.name, ok, summary },
    ...files.map(({ path, caption }) => ({ type: 'file' as const, path, ...(caption !== undefined && { caption }) })),
  ]
}

function clip(text: string): string {
  if (text.length <= MAX_RESULT_CHARS) return text
  const half = MAX_RESULT_CHARS / 2
  return `${text.slice(0, half)}\n[… ${text.length - MAX_RESULT_CHARS} characters left out …]\n${text.slice(-half)}`.toWellFormed()
}
