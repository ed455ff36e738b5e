/** How much memory the parts take over time, by process: resident sets as Linux counts them. */
import { readdirSync, readFileSync } from 'node:fs'

export interface Sample {
  readonly atS: number
  /** Megabytes by part. */
  readonly parts: Readonly<Record<string, number>>
}

export interface Growth {
  readonly part: string
  readonly startMb: number
  readonly endMb: number
  readonly peakMb: number
  /** Megabytes per hour over the second half: what is left of a leak when warming up is over. */
  readonly mbPerHour: number
}

const MEGABYTE = 1024 * 1024

/** @param roots process ids whose descendants are counted apart; workerd by its own name */
export function sampleMemory(roots: Readonly<Record<string, readonly number[]>>, atS: number): Sample {
  const processes = listProcesses()
  const parts: Record<string, number> = {}
  for (const [part, pids] of Object.entries(roots)) {
    for (const pid of withDescendants(pids, processes)) {
      const found = processes.get(pid)
      if (!found) continue
      const name = found.program === 'workerd' ? 'workerd' : pids.includes(pid) ? part : `processes of ${part}`
      parts[name] = (parts[name] ?? 0) + found.residentBytes / MEGABYTE
    }
  }
  return { atS, parts }
}

/** Compares the second fifth, when everything is warm, with the last. */
export function growthOf(samples: readonly Sample[]): Growth[] {
  const names = [...new Set(samples.flatMap(({ parts }) => Object.keys(parts)))]
  return names.map((part) => {
    const known = samples.filter(({ parts }) => parts[part] !== undefined)
    const values = known.map(({ parts }) => parts[part] ?? 0)
    const fifth = Math.max(1, Math.floor(values.length / 5))
    return {
      part,
      startMb: Math.round(median(values.slice(fifth, 2 * fifth))),
      endMb: Math.round(median(values.slice(-fifth))),
      peakMb: Math.round(Math.max(...values)),
      mbPerHour: Math.round(slope(known.slice(Math.floor(known.length / 2)), part) * 3600),
    }
  })
}

interface Process {
  readonly parent: number
  readonly program: string
  readonly residentBytes: number
}

function listProcesses(): Map<number, Process> {
  const found = new Map<number, Process>()
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const status = readFileSync(`/proc/${name}/status`, 'utf8')
      const field = (label: string) => new RegExp(`^${label}:\\s*(\\S+)`, 'm').exec(status)?.[1] ?? ''
      found.set(Number(name), {
        parent: Number(field('PPid')),
        program: field('Name'),
        residentBytes: Number(field('VmRSS')) * 1024,
      })
    } catch {
      // Ended meanwhile.
    }
  }
  return found
}

function withDescendants(roots: readonly number[], processes: ReadonlyMap<number, Process>): Set<number> {
  const all = new Set(roots)
  let before = 0
  while (all.size > before) {
    before = all.size
    for (const [pid, { parent }] of processes) if (all.has(parent)) all.add(pid)
  }
  return all
}

/** Least squares, in megabytes per second. */
function slope(samples: readonly Sample[], part: string): number {
  const points = samples.map(({ atS, parts }) => [atS, parts[part] ?? 0] as const)
  const meanX = mean(points.map(([x]) => x))
  const meanY = mean(points.map(([, y]) => y))
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  return spread === 0 ? 0 : points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
