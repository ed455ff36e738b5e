import type { Clock } from './clock.ts'

/** A clock that stands still until it is told to go on. Timers fire in order of their time while it advances. */
export interface ManualClock extends Clock {
  advance(ms: number): Promise<void>
}

export function createManualClock(startMs = Date.UTC(2026, 0, 1)): ManualClock {
  let now = startMs
  let nextId = 0
  const timers = new Map<number, { at: number; task: () => void }>()
  return {
    now: () => now,
    after(ms, task) {
      const id = nextId++
      timers.set(id, { at: now + Math.max(ms, 0), task })
      return () => timers.delete(id)
    },
    async advance(ms) {
      const end = now + ms
      for (;;) {
        const due = [...timers].filter(([, timer]) => timer.at <= end).sort(([, a], [, b]) => a.at - b.at)[0]
        if (!due) break
        timers.delete(due[0])
        now = Math.max(now, due[1].at)
        due[1].task()
        // What a timer starts (a delivery, a promise) may set the next timer.
        await new Promise((resolve) => setImmediate(resolve))
      }
      now = end
    },
  }
}
