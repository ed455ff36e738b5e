/**
 * The highest message id seen lately. Telegram counts the messages of all private chats and basic groups of a bot together,
 * those of a supergroup by themselves: what one chat of this isolate has seen says where the next message of another will be.
 * Only ever a help: an object that knows nothing of the others looks from what it has seen itself.
 */
export interface Watermark {
  messageId: number
}

/** Ids of supergroups lie below this (Bot API: `-100` followed by ten or more digits). */
const FIRST_SUPERGROUP_ID = -1_000_000_000_000

const shared = new WeakMap<object, Watermark>()

/** @param env the isolate's bindings, as the thing that all its objects have in common */
export function watermarkOf(env: object, chatId: number): Watermark {
  if (chatId < FIRST_SUPERGROUP_ID) return { messageId: 0 }
  const known = shared.get(env)
  if (known) return known
  const watermark = { messageId: 0 }
  shared.set(env, watermark)
  return watermark
}
