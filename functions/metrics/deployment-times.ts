/** How long each kind of deployment takes, and which of its steps the longest, for a person. */
import { readHistogram } from './histogram.ts'
import { type CounterName, renderLabels } from './metric-names.ts'
import type { Increment } from './metrics-buffer.ts'
import { quantile } from './summary.ts'

const KINDS = ['create', 'repair', 'update', 'destroy'] as const

export interface DeploymentTimes {
  readonly kind: (typeof KINDS)[number]
  readonly done: number
  /** Half of those that were done took at most so many seconds, as a bucket's bound. */
  readonly halfWithin: string
  /** By the mean of the times that it was gone through, those of failed deployments among them. */
  readonly slowest?: { readonly step: string; readonly seconds: number }
}

/** @returns only kinds of which there were any */
export function deploymentTimes(sums: readonly Increment[]): DeploymentTimes[] {
  return KINDS.flatMap((kind) => {
    const { counts } = readHistogram('baal_deployment_seconds', sums, { kind })
    const done = counts.reduce((all, count) => all + count, 0)
    const slowest = slowestStep(sums, kind)
    if (done === 0 && !slowest) return []
    const halfWithin = quantile('baal_deployment_seconds', counts, 0.5)
    return [{ kind, done, halfWithin, ...(slowest ? { slowest } : {}) }]
  })
}

function slowestStep(sums: readonly Increment[], kind: string): DeploymentTimes['slowest'] {
  const start = `${renderLabels({ kind })},step="`
  const of = (wanted: CounterName) =>
    sums.flatMap(({ name, labels, value }) =>
      name === wanted && labels.startsWith(start) ? [[labels.slice(start.length, -1), value] as const] : [],
    )
  const times = new Map(of('baal_deployment_steps_total'))
  return of('baal_deployment_step_seconds_total')
    .flatMap(([step, seconds]) => {
      const count = times.get(step) ?? 0
      return count > 0 ? [{ step, seconds: seconds / count }] : []
    })
    .toSorted((one, other) => other.seconds - one.seconds)[0]
}
