/**
 * One answer, whatever it takes: failures that pass are waited out, an empty answer is asked for again, a cut one is
 * continued, a request that is too long is compacted and tried once more. What cannot be cured is thrown, already classified.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Answer, readAnswer } from '../model/answer.ts'
import { ModelFailure } from '../model/model-failure.ts'
import { answerTokens } from '../model/model-limits.ts'
import type { ModelMessage } from '../model/model-message.ts'
import type { Usage } from '../model/model-port.ts'
import { makeRoom } from './make-room.ts'
import type { TurnStep } from './turn.ts'
import type { TurnRun } from './turn-run.ts'

const MAX_ATTEMPTS = 5
const MAX_EMPTY = 3
const MAX_CONTINUATIONS = 3
const JITTER = 0.2
/** A server that asks for more patience is not asked again before its time; the person hears at once. */
const MAX_RETRY_AFTER_MS = 60_000

const EMPTY_NUDGE = '[system note: your last answer was empty. Answer now, briefly and in plain text, or call a tool.]'
const CONTINUE_NUDGE =
  '[system note: your answer was cut off. Go on exactly where it ended, without repeating anything.]'

export type WholeAnswer = Answer & { readonly usages: readonly Usage[] }

export async function* askModel(run: TurnRun, toolChoice: 'auto' | 'none'): AsyncGenerator<TurnStep, WholeAnswer> {
  const usages: Usage[] = []
  let whole = ''
  let empty = 0
  let continuations = 0
  run.partial = ''
  for (;;) {
    const answer = yield* askUntilAnswered(run, toolChoice, extraMessages(whole, empty))
    if (answer.usage) usages.push(answer.usage)
    const content = whole + answer.content
    const isEmpty = answer.content.trim() === '' && answer.calls.length === 0 && !answer.brokenCall
    if (isEmpty && whole === '' && ++empty < MAX_EMPTY) continue
    if (isEmpty && whole === '') throw new ModelFailure('transient', `the model answered with nothing ${empty} times`)
    if (answer.cutOff && answer.calls.length === 0 && !isEmpty && continuations < MAX_CONTINUATIONS) {
      continuations++
      whole = content
      continue
    }
    return { ...answer, content: content.trim(), usages }
  }
}

/** The first repetition is the same request again: it may be luck, and it keeps the prefix. */
function extraMessages(whole: string, empty: number): ModelMessage[] {
  if (whole) {
    return [
      { role: 'assistant', content: whole },
      { role: 'user', content: CONTINUE_NUDGE },
    ]
  }
  return empty >= 2 ? [{ role: 'user', content: EMPTY_NUDGE }] : []
}

async function* askUntilAnswered(
  run: TurnRun,
  toolChoice: 'auto' | 'none',
  extra: readonly ModelMessage[],
): AsyncGenerator<TurnStep, Answer> {
  const kept = run.partial
  let overflowed = false
  for (let attempt = 1; ; ) {
    try {
      return yield* askOnce(run, toolChoice, extra)
    } catch (error) {
      if (!(error instanceof ModelFailure)) throw error
      if (error.kind === 'stopped') throw error
      if (run.partial !== kept) yield* takeBack(run, kept)
      if (error.kind === 'overflow' && !overflowed) {
        overflowed = true
        if (error.contextTokens) run.ports.limits.learnContextTokens(run.model, error.contextTokens)
        yield* makeRoom(run, 'overflow')
        continue
      }
      if (!isWorthRepeating(error) || attempt >= MAX_ATTEMPTS) throw error
      run.ports.log('warn', 'model_retry', { turn: run.turn.turnId, attempt, kind: error.kind, reason: error.message })
      await pause(run, error, attempt)
      attempt++
    }
  }
}

function isWorthRepeating({ kind, retryAfterMs = 0 }: ModelFailure): boolean {
  return (kind === 'transient' || kind === 'rate_limited') && retryAfterMs <= MAX_RETRY_AFTER_MS
}

async function* takeBack(run: TurnRun, kept: string): AsyncGenerator<TurnStep, void> {
  run.partial = kept
  yield { preview: { type: 'reset' } }
  if (kept) yield { preview: { type: 'delta', content: kept } }
}

async function* askOnce(
  run: TurnRun,
  toolChoice: 'auto' | 'none',
  extra: readonly ModelMessage[],
): AsyncGenerator<TurnStep, Answer> {
  const { limits } = run.ports
  const messages = run.conversation.request(extra)
  const maxTokens = answerTokens(
    limits.contextTokens(run.model),
    run.conversation.promptTokens,
    limits.generationReserve,
  )
  const parts = run.ports.model.stream({
    model: run.model,
    messages,
    tools: run.tools,
    toolChoice,
    maxTokens,
    signal: run.signal,
  })
  const before = run.partial
  for await (const part of readAnswer(parts, run.tools, before !== '')) {
    if (part.kind === 'answer') return part.answer
    run.partial = part.kind === 'reset' ? before : run.partial + part.text
    yield { preview: part.kind === 'reset' ? { type: 'reset' } : { type: 'delta', content: part.text } }
    if (part.kind === 'reset' && before) yield { preview: { type: 'delta', content: before } }
  }
  throw new ModelFailure('transient', 'the model stream ended early')
}

async function pause(run: TurnRun, failure: ModelFailure, attempt: number): Promise<void> {
  const backoffMs = run.ports.limits.retryBaseMs * 2 ** (attempt - 1) * (1 + JITTER * Math.random())
  try {
    await sleep(failure.retryAfterMs ?? backoffMs, undefined, { signal: run.signal })
  } catch (error) {
    throw new ModelFailure('stopped', 'stopped while waiting', { cause: error })
  }
}
