/** Time as an argument, so that a test can wait thirty seconds or a day without waiting. */
export interface Clock {
  /** ms since 1970 */
  now(): number
  /** Runs `task` once after `ms`. @returns cancels it */
  after(ms: number, task: () => void): () => void
}

/** Node's longest timer; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, task) {
    const timer = setTimeout(task, Math.min(Math.max(ms, 0), MAX_TIMER_MS))
    return () => clearTimeout(timer)
  },
}
