/** Time that moves only when told to. */
export class FakeClock {
  #now: number
  #sleepers: { at: number; wake: () => void }[] = []

  constructor(start = 1_000_000) {
    this.#now = start
  }

  readonly now = (): number => this.#now

  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> => {
    if (signal?.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const sleeper = { at: this.#now + ms, wake: resolve }
      this.#sleepers.push(sleeper)
      signal?.addEventListener('abort', () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper)
        resolve()
      })
    })
  }

  /** Lets everything that is ready run, then moves on, waking each sleeper at its time. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await settle()
    for (;;) {
      const next = this.#sleepers.toSorted((a, b) => a.at - b.at)[0]
      if (!next || next.at > end) break
      this.#now = Math.max(this.#now, next.at)
      this.#sleepers = this.#sleepers.filter((other) => other !== next)
      next.wake()
      await settle()
    }
    this.#now = end
    await settle()
  }
}

/** Promise callbacks that wait for nothing but each other. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 5; round++) await new Promise((resolve) => setImmediate(resolve))
}
