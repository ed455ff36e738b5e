/**
 * How many calls a chat may be told things by, and when the next one may go out (FAQ: about one a second per chat with short
 * bursts, 20 a minute in groups). Pure arithmetic of times; who waits for it is `chat-budget.ts`.
 */

/** `message`: rows of the outbox. `frame`: previews, which may be late or left out. `action`: typing. */
export type Urgency = 'message' | 'frame' | 'action'

const PRIVATE_BURST = 4
const GROUP_BURST = 3
const REFILL_MS = 1_000
const GROUP_WINDOW_MS = 60_000
/** Telegram's 20 a minute, less one for what nobody counted. */
const GROUP_CALLS_PER_WINDOW = 19
/** Previews leave room for the final, the reply to a command and a file. */
const GROUP_FRAMES_PER_WINDOW = 14

export class CallPurse {
  readonly #kind: 'private' | 'group'
  readonly #burst: number
  #silentUntil: number
  #tokens: number
  #refilledAt: number
  #recent: number[] = []

  /** @param options.isSpent as after as many previews as there may be: messages may go out, previews not yet */
  constructor(options: { kind: 'private' | 'group'; silentUntil?: number; isSpent?: boolean }, now: number) {
    this.#kind = options.kind
    this.#burst = options.kind === 'private' ? PRIVATE_BURST : GROUP_BURST
    this.#tokens = options.isSpent ? 1 : this.#burst
    if (options.isSpent && options.kind === 'group') this.#recent = Array(GROUP_FRAMES_PER_WINDOW).fill(now)
    this.#refilledAt = now
    this.#silentUntil = options.silentUntil ?? 0
  }

  /** End of the present penalty, or a time in the past. */
  get silentUntil(): number {
    return this.#silentUntil
  }

  silence(until: number): void {
    this.#silentUntil = Math.max(this.#silentUntil, until)
  }

  allowedAt(urgency: Urgency, now: number): number {
    this.#refill(now)
    // Previews leave one call of the burst to the final.
    const needed = urgency === 'message' ? 1 : 2
    const bucketAt = this.#tokens >= needed ? now : now + (needed - this.#tokens) * REFILL_MS
    return Math.max(this.#silentUntil, bucketAt, this.#kind === 'group' ? this.#windowAt(urgency, now) : now)
  }

  spend(now: number): void {
    this.#refill(now)
    this.#tokens -= 1
    if (this.#kind === 'group') this.#recent.push(now)
  }

  #windowAt(urgency: Urgency, now: number): number {
    this.#recent = this.#recent.filter((at) => at > now - GROUP_WINDOW_MS)
    const limit = urgency === 'message' ? GROUP_CALLS_PER_WINDOW : GROUP_FRAMES_PER_WINDOW
    const blocking = this.#recent[this.#recent.length - limit]
    return blocking === undefined ? now : blocking + GROUP_WINDOW_MS
  }

  #refill(now: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#refilledAt) / REFILL_MS)
    this.#refilledAt = now
  }
}
