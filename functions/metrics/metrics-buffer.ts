/**
 * Counts in memory, written all together now and then: nobody ever waits for a count, and a database that does not answer
 * costs a log line. What one write holds is one statement, however much was counted.
 */
import { describeError, log } from '../log.ts'
import { observation } from './histogram.ts'
import { type CounterName, type HistogramName, type Labels, renderLabels } from './metric-names.ts'

export interface Metrics {
  count(name: CounterName, labels: Labels, by?: number): void
  observe(name: HistogramName, ms: number): void
}

/** A name with its labels, and how much to add. */
export interface Increment {
  readonly name: string
  readonly labels: string
  readonly value: number
}

/** More kinds than this at a time are a mistake in labels; they must not fill the memory. */
const MAX_SERIES = 500

export class MetricsBuffer implements Metrics {
  readonly #save: (increments: readonly Increment[]) => Promise<void>
  #counts = new Map<string, Increment>()

  constructor(save: (increments: readonly Increment[]) => Promise<void>) {
    this.#save = save
  }

  count(name: CounterName, labels: Labels, by = 1): void {
    this.#add(name, renderLabels(labels), by)
  }

  observe(name: HistogramName, ms: number): void {
    for (const { name: series, labels, value } of observation(name, ms)) this.#add(series, labels, value)
  }

  /** Never rejects. What could not be written is forgotten: whether it arrived is unknown, and twice is worse than once less. */
  async flush(): Promise<void> {
    if (this.#counts.size === 0) return
    const counts = [...this.#counts.values()]
    this.#counts = new Map()
    try {
      await this.#save(counts)
    } catch (error) {
      log('warn', 'metrics_not_saved', { series: counts.length, error: describeError(error) })
    }
  }

  #add(name: string, labels: string, by: number): void {
    const key = `${name}{${labels}}`
    const known = this.#counts.get(key)
    if (!known && this.#counts.size >= MAX_SERIES) return
    this.#counts.set(key, { name, labels, value: (known?.value ?? 0) + by })
  }
}
