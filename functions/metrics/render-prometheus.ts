/** The text that Prometheus reads (exposition format 0.0.4). */
import type { Gauge } from './gauges.ts'
import { BUCKETS_S, COUNTERS, HISTOGRAMS, type HistogramName } from './metric-names.ts'
import type { Increment } from './metrics-buffer.ts'

export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export function renderPrometheus(sums: readonly Increment[], gauges: readonly Gauge[]): string {
  const counters = Object.entries(COUNTERS).flatMap(([name, help]) =>
    family(name, { help, type: 'counter' }, sums.filter((sum) => sum.name === name).map(sample)),
  )
  const histograms = Object.entries(HISTOGRAMS).flatMap(([name, help]) =>
    family(name, { help, type: 'histogram' }, histogramLines(name as HistogramName, sums)),
  )
  const present = gauges.flatMap(({ name, help, values }) =>
    family(
      name,
      { help, type: 'gauge' },
      values.map((value) => sample({ name, ...value })),
    ),
  )
  return `${[...counters, ...histograms, ...present].join('\n')}\n`
}

/** Stored each for itself, shown as Prometheus wants it: every bucket holds the smaller ones, too. */
function histogramLines(name: HistogramName, sums: readonly Increment[]): string[] {
  const { counts, sum } = readHistogram(name, sums)
  let total = 0
  const buckets = [...BUCKETS_S.map(String), '+Inf'].map((le, index) => {
    total += counts[index] ?? 0
    return `${name}_bucket{le="${le}"} ${total}`
  })
  return [...buckets, `${name}_sum ${sum}`, `${name}_count ${total}`]
}

/** @returns how many fell into each bucket (one more than there are bounds), and all seconds together */
export function readHistogram(name: HistogramName, sums: readonly Increment[]): { counts: number[]; sum: number } {
  const valueIn = (series: string, labels: string) =>
    sums.find((sum) => sum.name === series && sum.labels === labels)?.value ?? 0
  const counts = [...BUCKETS_S.map(String), '+Inf'].map((le) => valueIn(`${name}_bucket`, `le="${le}"`))
  return { counts, sum: valueIn(`${name}_sum`, '') }
}

function family(name: string, { help, type }: { help: string; type: string }, lines: readonly string[]): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines]
}

function sample({ name, labels, value }: Increment): string {
  return `${name}${labels ? `{${labels}}` : ''} ${value}`
}
