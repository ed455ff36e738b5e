/**
 * The events of one turn while it runs, for any number of readers at any place. A reader that is slow or comes late gets the
 * same events; deltas are dropped once the `text` after the one they led to is there: whoever reads along has had them by
 * then, and the log stays as small as what was said.
 */
import type { AgentEvent } from '../protocol.ts'

/** Number 1 is `turn`, which every reader gets and nobody stores. */
export const FIRST_EVENT_ID = 2

export interface LoggedEvent {
  readonly id: number
  /** The JSON of the event. */
  readonly data: string
}

export class TurnLog {
  #events: (LoggedEvent & { readonly passing: boolean })[] = []
  #waiting = new Set<() => void>()
  #isWaking = false
  readonly #firstId: number
  #nextId: number
  #ended = false
  /** Deltas up to here have led to a `text`. */
  #supersededId = 0
  #lastAt = Date.now()

  /** @param nextId the first id; greater than any a reader may have seen */
  constructor(nextId: number) {
    this.#firstId = nextId
    this.#nextId = nextId
  }

  /** Whether it holds everything the turn has said, so that nothing need be read from the journal. */
  get isComplete(): boolean {
    return this.#firstId === FIRST_EVENT_ID
  }

  get nextId(): number {
    return this.#nextId
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Milliseconds since the last event. */
  silentMs(now = Date.now()): number {
    return now - this.#lastAt
  }

  /** Reserves ids, so that events can be stored under them before they are shown. */
  number(events: readonly AgentEvent[]): LoggedEvent[] {
    return events.map((event) => ({ id: this.#nextId++, data: JSON.stringify(event) }))
  }

  show(events: readonly LoggedEvent[], supersedesDeltas: boolean): void {
    if (supersedesDeltas) {
      this.#events = this.#events.filter(({ id, passing }) => !passing || id > this.#supersededId)
      this.#supersededId = this.#events.at(-1)?.id ?? 0
    }
    for (const { id, data } of events) this.#events.push({ id, data, passing: false })
    this.#wake()
  }

  /** For what is not stored: deltas and keepalives. */
  pass(event: AgentEvent): void {
    this.#events.push({ id: this.#nextId++, data: JSON.stringify(event), passing: true })
    this.#wake()
  }

  end(): void {
    this.#ended = true
    this.#wake()
  }

  after(id: number): readonly LoggedEvent[] {
    const events = this.#events
    let start = events.length
    while (start > 0 && (events[start - 1]?.id ?? 0) > id) start--
    return events.slice(start)
  }

  /** Resolves with the next event or the end. */
  changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      this.#waiting.add(wake)
      signal.addEventListener('abort', wake, { once: true })
    })
  }

  /** Once for everything that happens together: tokens that came in one packet go on in one, and each write costs. */
  #wake(): void {
    this.#lastAt = Date.now()
    if (this.#isWaking || this.#waiting.size === 0) return
    this.#isWaking = true
    setImmediate(() => {
      this.#isWaking = false
      for (const wake of [...this.#waiting]) wake()
    })
  }
}
