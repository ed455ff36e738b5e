/**
 * One budget for everything a chat is told: messages, edits, drafts and actions. Calls go out one after the other, the most
 * important first; a 429 silences the chat until it is over, because every call into a penalty makes it longer. Topics have
 * objects of their own but are one chat to Telegram: they share the purse of the chat's main object.
 */
import { CallPurse, type Urgency } from './call-purse.ts'
import { TelegramFailure } from './telegram-failure.ts'

const ORDER: Readonly<Record<Urgency, number>> = { message: 0, frame: 1, action: 2 }
/** Telegram counts whole seconds: a call at the very edge would still be refused. */
const PENALTY_MARGIN_MS = 250
/** So that one topic's penalty is known before another topic calls. */
const BETWEEN_TOPICS_MS = 300
/** After a penalty previews slow down to at most this factor, and recover with every minute without one. */
const MAX_SLOWDOWN = 8
const RECOVERY_MS = 60_000

export interface ChatBudgetPorts {
  now(): number
  sleep(ms: number, signal: AbortSignal): Promise<void>
  /** Kept over a restart: a call into a penalty would lengthen it. */
  saveSilence(until: number): void
}

/** The purse of the chat's main object, seen from one of its topics. */
export interface SharedPurse {
  /** Takes one call. @returns 0, or after how many ms to ask again */
  take(urgency: Urgency): Promise<number>
  /** A penalty holds for all topics. */
  silence(until: number): Promise<void>
}

interface Waiting {
  readonly urgency: Urgency
  readonly go: () => void
}

export class ChatBudget {
  readonly #ports: ChatBudgetPorts
  readonly #purse: CallPurse
  readonly #shared: SharedPurse | undefined
  /** What the shared purse said last. */
  readonly #sharedAt: Record<Urgency, number> = { message: 0, frame: 0, action: 0 }
  /** When a topic took its last call. */
  #takenAt = 0
  #slowdown = 1
  #slowedAt = 0
  #waiting: Waiting[] = []
  #busy = false
  #alarm = new AbortController()
  #watching = false

  constructor(
    options: {
      kind: 'private' | 'group'
      silentUntil?: number
      shared?: SharedPurse | undefined
      isSpent?: boolean
    },
    ports: ChatBudgetPorts,
  ) {
    this.#ports = ports
    this.#purse = new CallPurse(options, ports.now())
    this.#shared = options.shared
  }

  /** End of the present penalty, or a time in the past. */
  get silentUntil(): number {
    return this.#purse.silentUntil
  }

  /** For the topics of this chat. @returns 0 when one call was taken, or after how many ms to ask again */
  takeFor(urgency: Urgency): number {
    const now = this.#ports.now()
    const wait = Math.max(this.#purse.allowedAt(urgency, now), this.#takenAt + BETWEEN_TOPICS_MS) - now
    if (wait > 0) return wait
    this.#takenAt = now
    this.#purse.spend(now)
    return 0
  }

  /** A topic of this chat was refused. */
  silence(until: number): void {
    this.#purse.silence(until)
    this.#ports.saveSilence(this.#purse.silentUntil)
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
    this.#purse.spend(this.#ports.now())
    const alone = options.alone ?? true
    if (!alone) this.#release()
    try {
      return await call()
    } catch (error) {
      if (error instanceof TelegramFailure && error.kind === 'retry_after') await this.#penalise(error.retryAfterMs)
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
      this.#busy = true
      void this.#admit(first)
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

  async #admit(first: Waiting): Promise<void> {
    const wait = (await this.#shared?.take(first.urgency)) ?? 0
    // Given up, or overtaken by something more important, while the shared purse was asked.
    const isNext = this.#waiting[0] === first
    if (wait > 0 || !isNext) {
      if (wait > 0) this.#sharedAt[first.urgency] = this.#ports.now() + wait
      this.#release()
      return
    }
    this.#waiting.shift()
    first.go()
  }

  #release(): void {
    this.#busy = false
    this.#look()
  }

  #allowedAt(urgency: Urgency): number {
    return Math.max(this.#purse.allowedAt(urgency, this.#ports.now()), this.#sharedAt[urgency])
  }

  async #penalise(retryAfterMs: number): Promise<void> {
    const now = this.#ports.now()
    this.#slowdown = Math.min(MAX_SLOWDOWN, this.slowdown * 2)
    this.#slowedAt = now
    this.silence(now + retryAfterMs + PENALTY_MARGIN_MS)
    await this.#shared?.silence(this.#purse.silentUntil)
  }
}
