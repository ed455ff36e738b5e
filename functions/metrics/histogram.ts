/** How often something took how long: stored as counters, each bucket for itself, and read back from their sums. */
import { boundsOf, type HistogramName, type Labels, renderLabels } from './metric-names.ts'
import type { Increment } from './metrics-buffer.ts'

const BEYOND = '+Inf'

/** What one observation adds to the counters. */
export function observation(name: HistogramName, ms: number, labels: Labels = {}): readonly Increment[] {
  const seconds = Math.max(0, ms) / 1000
  const bound = boundsOf(name).find((limit) => seconds <= limit)
  const le = bound === undefined ? BEYOND : String(bound)
  return [
    { name: `${name}_bucket`, labels: renderLabels({ ...labels, le }), value: 1 },
    { name: `${name}_sum`, labels: renderLabels(labels), value: seconds },
  ]
}

/** @returns how many fell into each bucket (one more than there are bounds), and all seconds together */
export function readHistogram(
  name: HistogramName,
  sums: readonly Increment[],
  labels: Labels = {},
): { counts: number[]; sum: number } {
  const valueIn = (series: string, wanted: Labels) =>
    sums.find((sum) => sum.name === series && sum.labels === renderLabels(wanted))?.value ?? 0
  return {
    counts: bucketsOf(name).map((le) => valueIn(`${name}_bucket`, { ...labels, le })),
    sum: valueIn(`${name}_sum`, labels),
  }
}

export function bucketsOf(name: HistogramName): string[] {
  return [...boundsOf(name).map(String), BEYOND]
}
