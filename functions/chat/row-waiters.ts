/** Lets somebody wait for a row of the outbox to come to its end. */
import type { Outbox, OutboxRow } from './outbox.ts'

export class RowWaiters {
  readonly #outbox: Outbox
  readonly #waiting = new Map<string, () => void>()

  constructor(outbox: Outbox) {
    this.#outbox = outbox
  }

  /** After every step of the sender. */
  look(): void {
    for (const [key, resolve] of this.#waiting) if (!isOpen(this.#outbox.findByKey(key))) resolve()
  }

  /** Resolves when the row has ended, or the signal fires. */
  async ended(key: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted || !isOpen(this.#outbox.findByKey(key))) return
    await new Promise<void>((resolve) => {
      this.#waiting.set(key, resolve)
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    this.#waiting.delete(key)
  }
}

function isOpen(row: OutboxRow | undefined): boolean {
  return row?.state === 'pending' || row?.state === 'sending' || row?.state === 'unknown'
}
