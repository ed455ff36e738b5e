/**
 * One turn as a stream of steps: ask the model, run its calls, ask again, until it answers. Every step is durable before the
 * loop goes on, so a turn can be taken up again from its journal at any step; see `turn.ts` for what a step is.
 */

import { describeError } from '../log.ts'
import { codeOfFailure, ModelFailure } from '../model/model-failure.ts'
import type { ModelMessage } from '../model/model-message.ts'
import type { AgentEvent } from '../protocol.ts'
import { askModel, type WholeAnswer } from './ask-model.ts'
import { Conversation, UNOPENED } from './conversation.ts'
import { failedTask, failureSentence } from './failure-sentence.ts'
import { LoopDetector } from './loop-detector.ts'
import { makeRoom } from './make-room.ts'
import { openConversation } from './open-conversation.ts'
import { runCalls, settledResults } from './tool-batch.ts'
import type { Ending, JournalledCall, Steer, Turn, TurnStep } from './turn.ts'
import type { LoopPorts, TurnRun } from './turn-run.ts'
import { renderSteer, renderUserMessage } from './user-message.ts'

/** A subagent has one task; it must not go on as long as a person's turn. */
const SUBAGENT_ITERATIONS = 15
/** So often the model may write calls as text before it is asked to answer without tools. */
const MAX_BROKEN_ANSWERS = 3

const STOPPED = '[stopped by the person]'
const CLOSING_NOTE =
  '[system note: the limit of steps for one turn is reached. Do not call tools. Say in a few lines what is done, what is not, and how to go on.]'
const CIRCLES_NOTE =
  '[system note: the tools no longer bring anything new. Do not call tools. Say in a few lines what you found, what is missing, and what the person could do.]'
const CLOSING_FALLBACK = 'I reached the limit of steps for one turn. Say “continue” and I go on.'

export async function* runTurn(turn: Turn, signal: AbortSignal, ports: LoopPorts): AsyncGenerator<TurnStep, void> {
  const session = { user: turn.request.user, origin: turn.origin }
  const tools = ports.tools.definitions(session)
  const run: TurnRun = {
    turn,
    signal,
    ports,
    tools,
    detector: new LoopDetector(),
    model: ports.configuration().model,
    conversation: new Conversation(UNOPENED, [], tools),
    iterations: turn.iterations,
    partial: '',
    brokenAnswers: 0,
    compactions: 0,
  }
  try {
    yield* openConversation(run)
    if (turn.phase === 'queued') yield* takeMessage(run)
    else yield { preview: { type: 'reset' } }
    if (turn.phase === 'tools') yield* finishCalls(run, ports.calls(turn.turnId))
    yield* converse(run)
  } catch (error) {
    yield* endByFailure(run, error)
  }
}

async function* takeMessage(run: TurnRun): AsyncGenerator<TurnStep, void> {
  const { turn, ports } = run
  const limitTokens = ports.limits.contextTokens(run.model) - ports.limits.generationReserve
  const untold = turn.origin === 'chat' ? ports.untold(turn.historyId) : []
  const content = await renderUserMessage(turn, {
    untold,
    limitTokens,
    saveLongMessage: () => ports.saveLongMessage(turn),
  })
  yield* say(run, { append: [{ role: 'user', content }], phase: 'model', told: untold.map(({ id }) => id) })
}

async function* converse(run: TurnRun): AsyncGenerator<TurnStep, void> {
  for (;;) {
    const closing = closingNote(run)
    if (closing) yield* announceClosing(run, closing)
    yield* makeRoom(run, 'before request')
    const answer = yield* askModel(run, closing ? 'none' : 'auto')
    run.iterations++
    if (closing) return yield* endClosed(run, answer)
    if (answer.calls.length > 0) yield* callTools(run, answer)
    else if (answer.brokenCall) yield* explainBrokenCall(run, answer, answer.brokenCall)
    else if (yield* endUnlessSteered(run, answer)) return
  }
}

function closingNote(run: TurnRun): string | undefined {
  const { turn, ports } = run
  const most =
    turn.origin === 'subagent' ? Math.min(SUBAGENT_ITERATIONS, ports.limits.maxIterations) : ports.limits.maxIterations
  if (run.iterations >= most) return CLOSING_NOTE
  return run.detector.gaveUp || run.brokenAnswers >= MAX_BROKEN_ANSWERS ? CIRCLES_NOTE : undefined
}

/** What the person says from now on is not for this turn any more: it is refused here and becomes one of its own. */
async function* announceClosing(run: TurnRun, note: string): AsyncGenerator<TurnStep, void> {
  const steers = run.ports.closeSteers(run.turn.turnId)
  yield* say(run, { append: [...steers.map(steerMessage), { role: 'user', content: note }], takeSteers: steers })
}

async function* callTools(run: TurnRun, answer: WholeAnswer): AsyncGenerator<TurnStep, void> {
  const tool_calls = answer.calls.map(({ id, name, input }) => ({
    id,
    type: 'function' as const,
    function: { name, arguments: JSON.stringify(input) },
  }))
  const plan = keep(
    run,
    {
      append: [{ role: 'assistant', content: answer.content, tool_calls }],
      plan: answer.calls,
      phase: 'tools',
      iterations: run.iterations,
      events: describeAnswer(answer),
    },
    answer,
  )
  const calls = answer.calls.map((call, position) => ({ call, position, state: 'planned' as const }))
  yield* finishCalls(run, calls, plan)
}

/** Runs what is left of a batch, then lets in what the person said meanwhile. */
async function* finishCalls(
  run: TurnRun,
  calls: readonly JournalledCall[],
  plan?: TurnStep,
): AsyncGenerator<TurnStep, void> {
  const { answers, ended } = yield* runCalls(run, calls, plan)
  if (run.signal.aborted) {
    yield* say(run, { ...ended, append: answers, phase: 'model' })
    throw new ModelFailure('stopped', 'stopped while tools ran')
  }
  const steers = run.ports.waitingSteers(run.turn.turnId)
  yield* say(run, { ...ended, append: [...answers, ...steers.map(steerMessage)], takeSteers: steers, phase: 'model' })
}

async function* explainBrokenCall(run: TurnRun, answer: WholeAnswer, note: string): AsyncGenerator<TurnStep, void> {
  run.brokenAnswers++
  const append: ModelMessage[] = [
    { role: 'assistant', content: answer.content || '[a tool call that could not be read]' },
    { role: 'user', content: note },
  ]
  yield* say(run, { append, iterations: run.iterations, events: describeAnswer(answer) })
}

/** @returns whether the turn is over; what the person said at the last moment is answered first */
async function* endUnlessSteered(run: TurnRun, answer: WholeAnswer): AsyncGenerator<TurnStep, boolean> {
  const assistant: ModelMessage = { role: 'assistant', content: answer.content }
  const steers = run.ports.lastSteers(run.turn.turnId)
  if (steers.length > 0) {
    const append = [assistant, ...steers.map(steerMessage)]
    yield* say(run, { append, takeSteers: steers, iterations: run.iterations, events: describeAnswer(answer) })
    return false
  }
  yield* end(run, { append: [assistant], events: describeAnswer(answer) }, { reason: 'stop' }, answer)
  return true
}

async function* endClosed(run: TurnRun, answer: WholeAnswer): AsyncGenerator<TurnStep, void> {
  const content = answer.content || CLOSING_FALLBACK
  const closed = { ...answer, content }
  const append: ModelMessage[] = [{ role: 'assistant', content }]
  yield* end(run, { append, events: describeAnswer(closed) }, { reason: 'max_iterations' }, closed)
}

async function* endByFailure(run: TurnRun, error: unknown): AsyncGenerator<TurnStep, void> {
  const { turn, ports } = run
  const stopped = run.signal.aborted
  const failure = error instanceof ModelFailure ? error : undefined
  if (!stopped) {
    const level = failure ? 'warn' : 'error'
    ports.log(level, 'turn_failed', {
      turn: turn.turnId,
      kind: failure?.kind ?? 'internal',
      reason: describeError(error),
    })
  }
  const said = run.partial.trim()
  const code = failure ? codeOfFailure(failure.kind) : 'internal'
  const told = { code, content: failureSentence(code) }
  const note = stopped ? STOPPED : `[this turn ended with an error: ${told.content}]`
  const steers = ports.closeSteers(turn.turnId)
  const append: ModelMessage[] = [
    ...steers.map(steerMessage),
    { role: 'assistant', content: [said, note].filter(Boolean).join('\n\n') },
  ]
  const events: AgentEvent[] = [
    ...(said ? [{ type: 'text' as const, content: said }] : []),
    ...(stopped ? [] : [{ type: 'error' as const, ...told }]),
  ]
  // Every beat and every schedule of the day would find it used up anew.
  const oncePerDay = told.code === 'out_of_credit'
  // And then it is about all of them, not about the first.
  const content = oncePerDay ? told.content : failedTask(code, turn.request.task)
  const answer = { content: stopped ? '' : content, oncePerDay }
  yield* end(run, { append, takeSteers: steers, events }, { reason: stopped ? 'cancelled' : 'error' }, answer)
}

/** Ends the turn; what a background turn found waits for the person, unless it has nothing to say. */
async function* end(
  run: TurnRun,
  step: TurnStep,
  ending: Ending,
  answer: { content: string; usages?: WholeAnswer['usages']; oncePerDay?: boolean },
): AsyncGenerator<TurnStep, void> {
  const { turn, ports } = run
  const files = turn.origin === 'chat' ? [] : ports.sentFiles(turn.turnId)
  const text = isQuiet(answer.content) ? '' : answer.content
  const result =
    turn.origin === 'chat' || (text === '' && files.length === 0)
      ? undefined
      : { text, files, ...(answer.oncePerDay && { oncePerDay: true as const }) }
  const events: AgentEvent[] = [...(step.events ?? []), { type: 'done', reason: ending.reason }]
  yield* say(
    run,
    { ...step, events, iterations: run.iterations, done: { ...ending, ...(result && { result }) } },
    answer,
  )
}

/**
 * Ends a turn that died with the server too often: one honest line for the person, and for the model a history that says what
 * is known of its calls.
 */
export function giveUpTurn(turn: Turn, ports: Pick<LoopPorts, 'calls' | 'waitingSteers' | 'tools'>): TurnStep {
  const content = failureSentence('interrupted')
  const steers = ports.waitingSteers(turn.turnId)
  const results = turn.phase === 'tools' ? settledResults(ports.calls(turn.turnId), ports.tools) : []
  const append: ModelMessage[] = [
    ...results,
    ...steers.map(steerMessage),
    { role: 'assistant', content: `[this turn was interrupted: ${content}]` },
  ]
  const result = turn.origin === 'chat' ? undefined : { text: failedTask('interrupted', turn.request.task), files: [] }
  return {
    append,
    takeSteers: steers,
    events: [
      { type: 'error', code: 'interrupted', content },
      { type: 'done', reason: 'error' },
    ],
    done: { reason: 'error', ...(result && { result }) },
  }
}

export const QUIET_ANSWER = 'HEARTBEAT_OK'

function isQuiet(content: string): boolean {
  return content.trim() === QUIET_ANSWER
}

async function* say(
  run: TurnRun,
  step: TurnStep,
  answer: { readonly usages?: WholeAnswer['usages'] } = {},
): AsyncGenerator<TurnStep, void> {
  yield keep(run, step, answer)
}

/** Takes what a step says into the conversation; the step itself is still to be taken. */
function keep(run: TurnRun, step: TurnStep, answer: { readonly usages?: WholeAnswer['usages'] }): TurnStep {
  run.partial = ''
  run.conversation.add(...(step.append ?? []))
  const usage = answer.usages?.at(-1)
  if (usage) run.conversation.anchor(usage)
  return usage ? { ...step, usage } : step
}

function describeAnswer(answer: { content: string; usages?: WholeAnswer['usages'] }): AgentEvent[] {
  const usages = (answer.usages ?? []).map((usage) => ({
    type: 'usage' as const,
    prompt_tokens: usage.promptTokens,
    cached_tokens: usage.cachedTokens,
    completion_tokens: usage.completionTokens,
  }))
  return [...(answer.content ? [{ type: 'text' as const, content: answer.content }] : []), ...usages]
}

function steerMessage(steer: Steer): ModelMessage {
  return { role: 'user', content: renderSteer(steer.message) }
}
