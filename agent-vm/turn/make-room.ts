/** Brings a conversation back below what the model takes, in the middle of a turn if need be. */
import { COMPACT_ABOVE, compact } from '../history/compaction.ts'
import { flushMemory } from '../history/memory-flush.ts'
import { summarizeRows } from '../history/summarize.ts'
import { openConversation } from './open-conversation.ts'
import type { TurnStep } from './turn.ts'
import type { TurnRun } from './turn-run.ts'

/** A turn whose tools keep filling the context ends sometime. */
const MAX_COMPACTIONS = 6
/** After an overflow our count was too low by an unknown amount: aim well below. */
const OVERFLOW_SHARE = 0.6

export async function* makeRoom(run: TurnRun, why: 'before request' | 'overflow'): AsyncGenerator<TurnStep, void> {
  const { limits, history } = run.ports
  const limitTokens = limits.contextTokens(run.model) - limits.generationReserve
  const fits = run.conversation.promptTokens <= limitTokens * COMPACT_ABOVE
  if (why === 'before request' && (fits || run.compactions >= MAX_COMPACTIONS)) return
  run.compactions++
  if (why === 'before request') await flushMemory(run)
  const { historyId } = run.turn
  const compaction = await compact({
    rows: history.live(historyId),
    state: history.state(historyId),
    fixedTokens: run.conversation.fixedTokens,
    limitTokens: why === 'overflow' ? limitTokens * OVERFLOW_SHARE : limitTokens,
    keepMessages: limits.keepMessages,
    now: Date.now(),
    summarize: (previous, rows) =>
      summarizeRows({ model: run.ports.model, modelId: run.model, previous, rows, limitTokens, signal: run.signal }),
    isStop: () => run.signal.aborted,
  })
  if (!compaction) return
  yield { compaction, events: [{ type: 'notice', ...compaction.notice }] }
  yield* openConversation(run)
}
