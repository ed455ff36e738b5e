/** A day's counters in a few numbers, for a person. */
import { readHistogram } from './histogram.ts'
import { boundsOf, type HistogramName, renderLabels } from './metric-names.ts'
import type { Increment } from './metrics-buffer.ts'

export interface Summary {
  readonly turns: number
  readonly failed: number
  /** Half of the turns, and nineteen in twenty, took at most so many seconds, as a bucket's bound; `∞` beyond the last. */
  readonly halfWithin: string
  readonly mostWithin: string
  /** Times that Telegram told a chat to be silent. */
  readonly floods: number
  /** Messages of which nobody knows whether they arrived. */
  readonly unknown: number
  readonly tokens: number
}

export function summarize(sums: readonly Increment[]): Summary {
  const total = (name: string, label = '') =>
    sums
      .filter((sum) => sum.name === name && (label === '' || sum.labels.split(',').includes(label)))
      .reduce((all, { value }) => all + value, 0)
  const { counts } = readHistogram('baal_turn_seconds', sums)
  return {
    turns: total('baal_turns_total'),
    failed: total('baal_turns_total', renderLabels({ result: 'failed' })),
    halfWithin: quantile('baal_turn_seconds', counts, 0.5),
    mostWithin: quantile('baal_turn_seconds', counts, 0.95),
    floods: total('baal_telegram_calls_total', renderLabels({ result: 'retry_after' })),
    unknown: total('baal_delivery_total', renderLabels({ outcome: 'arrival_unknown' })),
    tokens:
      total('baal_model_tokens_total', renderLabels({ kind: 'prompt' })) +
      total('baal_model_tokens_total', renderLabels({ kind: 'completion' })),
  }
}

/** A bucket's bound in seconds; `∞` beyond the last, `–` for nothing. */
export function quantile(name: HistogramName, counts: readonly number[], share: number): string {
  const all = counts.reduce((sum, count) => sum + count, 0)
  let below = 0
  const index = counts.findIndex((count) => {
    below += count
    return below >= all * share
  })
  return all === 0 ? '–' : String(boundsOf(name)[index] ?? '∞')
}
