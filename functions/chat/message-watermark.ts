/**
 * The message ids seen lately. Telegram counts the messages of all private chats and basic groups of a bot together, those of a
 * supergroup by themselves: what one chat of this isolate has seen says where the next message of another will be, and which
 * ids are taken. Only ever a help: an object that knows nothing of the others looks from what it has seen itself.
 */
const KEPT_IDS = 2_000

export class Watermark {
  #highest = 0
  readonly #seen = new Set<number>()

  /** 0 while nothing was seen. */
  get messageId(): number {
    return this.#highest
  }

  note(messageId: number): void {
    this.#highest = Math.max(this.#highest, messageId)
    this.#seen.add(messageId)
    const [oldest] = this.#seen
    if (this.#seen.size > KEPT_IDS && oldest !== undefined) this.#seen.delete(oldest)
  }

  /** Somebody else's message, or one of ours that is accounted for. */
  knows(messageId: number): boolean {
    return this.#seen.has(messageId)
  }
}

/** Ids of supergroups lie below this (Bot API: `-100` followed by ten or more digits). */
const FIRST_SUPERGROUP_ID = -1_000_000_000_000

const shared = new WeakMap<object, Watermark>()

/** @param env the isolate's bindings, as the thing that all its objects have in common */
export function watermarkOf(env: object, chatId: number): Watermark {
  if (chatId < FIRST_SUPERGROUP_ID) return new Watermark()
  const known = shared.get(env)
  if (known) return known
  const watermark = new Watermark()
  shared.set(env, watermark)
  return watermark
}
