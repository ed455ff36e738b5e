/**
 * One budget for everything a chat is told: messages, edits, drafts and actions (FAQ: about one a second per chat with
 * short bursts, 20 a minute in groups). Calls go out one after the other, the most important first; a 429 silences the chat
 * until it is over, because every call into a penalty makes it longer.
 */
import { TelegramFailure } from './telegram-failure.ts'

/** `message`: rows of the outbox. `frame`: previews, which may be late or left out. `action`: typing. */
export type Urgency = 'message' | 'frame' | 'action'

const ORDER: Readonly<Record<Urgency, number>> = { message: 0, frame: 1, action: 2 }
const PRIVATE_BURST = 4
const GROUP_BURST = 3
const REFILL_MS = 1_000
const GROUP_WINDOW_MS = 60_000
/** Telegram's 20 a minute, less one for what other topics of the same group may send. */
const GROUP_CALLS_PER_WINDOW = 19
/** Previews leave room for the final, the reply to a command and a file. */
const GROUP_FRAMES_PER_WINDOW = 14
/** Telegram counts whole seconds: a call at the very edge would still be refused. */
const PENALTY_MARGIN_MS = 250
/** After a penalty previews slow down to at most this factor, and recover with every minute without one. */
const MAX_SLOWDOWN = 8
const RECOVERY_MS = 60_000

export interface ChatBudgetPorts {
  now(): number
  sleep(ms: number, signal: AbortSignal): Promise<void>
  /** Kept over a restart: a call into a penalty would lengthen it. */
  saveSilence(until: number): void
}

interface Waiting {
  readonly urgency: Urgency
  readonly go: () => void
}

export class ChatBudget {
  readonly #ports: ChatBudgetPorts
  readonly #kind: 'private' | 'group'
  readonly #burst: number
  #silentUntil: number
  #tokens: number
  #refilledAt: number
  #recent: number[] = []
  #slowdown = 1
  #slowedAt = 0
  #waiting: Waiting[] = []
  #busy = false
  #alarm = new AbortController()
  #watching = false

  constructor(options: { kind: 'private' | 'group'; silentUntil?: number }, ports: ChatBudgetPorts) {
    this.#ports = ports
    this.#kind = options.kind
    this.#burst = options.kind === 'private' ? PRIVATE_BURST : GROUP_BURST
    this.#tokens = this.#burst
    this.#refilledAt = ports.now()
    this.#silentUntil = options.silentUntil ?? 0
  }

  /** End of the present penalty, or a time in the past. */
  get silentUntil(): number {
    return this.#silentUntil
  }

  /** How much slower previews should come than usual, 1 without a recent penalty. */
  get slowdown(): number {
    const quietMinutes = Math.floor((this.#ports.now() - this.#slowedAt) / RECOVERY_MS)
    return Math.max(1, this.#slowdown / 2 ** quietMinutes)
  }

  /**
   * Runs `call` when it is its turn. What it sends is decided then, not now.
   * @param options.alone false for uploads: they take their share, but others need not wait until they end
   * @returns `undefined` when the signal fired before the call's turn came
   */
  async call<T>(
    urgency: Urgency,
    call: () => Promise<T>,
    options: { signal?: AbortSignal; alone?: boolean } = {},
  ): Promise<T | undefined> {
    if (!(await this.#turn(urgency, options.signal))) return undefined
    this.#spend()
    const alone = options.alone ?? true
    if (!alone) this.#release()
    try {
      return await call()
    } catch (error) {
      if (error instanceof TelegramFailure && error.kind === 'retry_after') this.#penalise(error.retryAfterMs)
      throw error
    } finally {
      if (alone) this.#release()
    }
  }

  #turn(urgency: Urgency, signal: AbortSignal | undefined): Promise<boolean> {
    if (signal?.aborted) return Promise.resolve(false)
    return new Promise((resolve) => {
      const giveUp = () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting)
        resolve(false)
      }
      const waiting: Waiting = {
        urgency,
        go: () => {
          signal?.removeEventListener('abort', giveUp)
          resolve(true)
        },
      }
      signal?.addEventListener('abort', giveUp, { once: true })
      const later = this.#waiting.findIndex((other) => ORDER[other.urgency] > ORDER[urgency])
      this.#waiting.splice(later < 0 ? this.#waiting.length : later, 0, waiting)
      this.#look()
    })
  }

  /** Lets the first in line go if it may; else looks again when it may. */
  #look(): void {
    const first = this.#waiting[0]
    if (!first || this.#busy) return
    const wait = this.#allowedAt(first.urgency) - this.#ports.now()
    if (wait <= 0) {
      this.#waiting.shift()
      this.#busy = true
      first.go()
      return
    }
    if (this.#watching) this.#alarm.abort()
    const alarm = new AbortController()
    this.#alarm = alarm
    this.#watching = true
    void this.#ports.sleep(wait, alarm.signal).then(() => {
      if (this.#alarm !== alarm) return
      this.#watching = false
      this.#look()
    })
  }

  #release(): void {
    this.#busy = false
    this.#look()
  }

  #allowedAt(urgency: Urgency): number {
    const now = this.#ports.now()
    this.#refill(now)
    // Previews leave one call of the burst to the final.
    const needed = urgency === 'message' ? 1 : 2
    const bucketAt = this.#tokens >= needed ? now : now + (needed - this.#tokens) * REFILL_MS
    return Math.max(this.#silentUntil, bucketAt, this.#kind === 'group' ? this.#windowAt(urgency, now) : now)
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

  #spend(): void {
    const now = this.#ports.now()
    this.#refill(now)
    this.#tokens -= 1
    if (this.#kind === 'group') this.#recent.push(now)
  }

  #penalise(retryAfterMs: number): void {
    const now = this.#ports.now()
    this.#slowdown = Math.min(MAX_SLOWDOWN, this.slowdown * 2)
    this.#slowedAt = now
    this.#silentUntil = Math.max(this.#silentUntil, now + retryAfterMs + PENALTY_MARGIN_MS)
    this.#ports.saveSilence(this.#silentUntil)
  }
}
