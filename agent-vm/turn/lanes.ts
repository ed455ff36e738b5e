/** Order: work of one lane runs one after the other; background work runs beside it, a few at a time. */
export class Lanes {
  readonly #tails = new Map<string, Promise<void>>()
  readonly #maxBackground: number
  #background = 0
  readonly #waiting: (() => void)[] = []

  constructor(maxBackground: number) {
    this.#maxBackground = maxBackground
  }

  /** Starts at once when the lane is free. */
  run(lane: string, work: () => Promise<void>): Promise<void> {
    const before = this.#tails.get(lane)
    const done = before ? before.then(work, work) : work()
    const tail = done.catch(() => undefined)
    this.#tails.set(lane, tail)
    return done.finally(() => {
      if (this.#tails.get(lane) === tail) this.#tails.delete(lane)
    })
  }

  async runInBackground(work: () => Promise<void>): Promise<void> {
    if (this.#background >= this.#maxBackground) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#background++
    try {
      await work()
    } finally {
      this.#background--
      this.#waiting.shift()?.()
    }
  }
}
