/** The text that Prometheus reads (exposition format 0.0.4). */
import type { Gauge } from './gauges.ts'
import { bucketsOf, readHistogram } from './histogram.ts'
import { COUNTERS, HISTOGRAMS, type HistogramName, renderLabels, seriesOf } from './metric-names.ts'
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
  return seriesOf(name).flatMap((labels) => {
    const { counts, sum } = readHistogram(name, sums, labels)
    let total = 0
    const buckets = bucketsOf(name).map((le, index) => {
      total += counts[index] ?? 0
      return sample({ name: `${name}_bucket`, labels: renderLabels({ ...labels, le }), value: total })
    })
    const own = renderLabels(labels)
    const rest = [
      { name: `${name}_sum`, labels: own, value: sum },
      { name: `${name}_count`, labels: own, value: total },
    ]
    return [...buckets, ...rest.map(sample)]
  })
}

function family(name: string, { help, type }: { help: string; type: string }, lines: readonly string[]): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines]
}

function sample({ name, labels, value }: Increment): string {
  return `${name}${labels ? `{${labels}}` : ''} ${value}`
}
