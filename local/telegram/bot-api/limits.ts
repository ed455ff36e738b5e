/**
 * Flood control. Telegram does not publish its own; this one is as strict as what bots report: about one call a second per
 * chat after a short burst, 20 a minute per group, sends, edits and drafts from one purse. A call inside a penalty makes it
 * longer.
 */
import type { Clock } from '../clock.ts'

const PRIVATE = { burst: 10, perSecond: 1 }
/** A group is also held to a number per minute. */
const GROUP = { burst: 10, perSecond: 1, perMinute: 20 }
const GLOBAL = { burst: 60, perSecond: 30 }
const FIRST_PENALTY_S = 5
const MAX_PENALTY_S = 3600
/** A chat that kept quiet this long after a penalty starts again from the first. */
const FORGIVEN_AFTER_MS = 120_000

export interface FloodCall {
  readonly chatId: number
  /** A send or edit is 1; what weighs less on a chat, less. An album weighs its parts. */
  readonly weight: number
}

export type FloodVerdict =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly retryAfterS: number; readonly inPenalty: boolean }

interface Purse {
  tokens: number
  filledAt: number
}

interface ChatState extends Purse {
  recent: { at: number; weight: number }[]
  penaltyUntil: number
  penaltyS: number
}

export class FloodControl {
  mode: 'off' | 'real'
  readonly #clock: Clock
  readonly #chats = new Map<number, ChatState>()
  readonly #all: Purse

  constructor(clock: Clock, mode: 'off' | 'real') {
    this.#clock = clock
    this.mode = mode
    this.#all = { tokens: GLOBAL.burst, filledAt: clock.now() }
  }

  check({ chatId, weight }: FloodCall): FloodVerdict {
    const now = this.#clock.now()
    const chat = this.#chats.get(chatId) ?? {
      tokens: PRIVATE.burst,
      filledAt: now,
      recent: [],
      penaltyUntil: 0,
      penaltyS: 0,
    }
    this.#chats.set(chatId, chat)
    if (now < chat.penaltyUntil) return this.#punish(chat, now, true)
    if (this.mode === 'off') return { allowed: true }
    if (chat.penaltyS > 0 && now > chat.penaltyUntil + FORGIVEN_AFTER_MS) chat.penaltyS = 0
    if (!this.#spend(chat, chatId < 0 ? GROUP : PRIVATE, weight) || !this.#hasMinuteLeft(chat, chatId, weight)) {
      return this.#punish(chat, now, false)
    }
    if (!this.#spend(this.#all, GLOBAL, weight)) return { allowed: false, retryAfterS: 1, inPenalty: false }
    return { allowed: true }
  }

  /** Silences a chat as if it had been flooded: for faults. */
  penalize(chatId: number, seconds: number): void {
    this.check({ chatId, weight: 0 })
    const chat = this.#chats.get(chatId)
    if (!chat) return
    chat.penaltyS = seconds
    chat.penaltyUntil = this.#clock.now() + seconds * 1000
  }

  reset(): void {
    this.#chats.clear()
    this.#all.tokens = GLOBAL.burst
  }

  #punish(chat: ChatState, now: number, inPenalty: boolean): FloodVerdict {
    chat.penaltyS = Math.min(MAX_PENALTY_S, chat.penaltyS > 0 ? chat.penaltyS * 2 : FIRST_PENALTY_S)
    chat.penaltyUntil = now + chat.penaltyS * 1000
    return { allowed: false, retryAfterS: chat.penaltyS, inPenalty }
  }

  #spend(purse: Purse, rate: { burst: number; perSecond: number }, weight: number): boolean {
    const now = this.#clock.now()
    purse.tokens = Math.min(rate.burst, purse.tokens + ((now - purse.filledAt) / 1000) * rate.perSecond)
    purse.filledAt = now
    if (purse.tokens < weight) return false
    purse.tokens -= weight
    return true
  }

  #hasMinuteLeft(chat: ChatState, chatId: number, weight: number): boolean {
    if (chatId > 0) return true
    const now = this.#clock.now()
    chat.recent = chat.recent.filter(({ at }) => at > now - 60_000)
    const spent = chat.recent.reduce((sum, call) => sum + call.weight, 0)
    if (spent + weight > GROUP.perMinute) return false
    chat.recent.push({ at: now, weight })
    return true
  }
}
