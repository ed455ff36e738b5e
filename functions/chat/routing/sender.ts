/**
 * Who speaks. An administrator may speak as the group itself: Telegram then names a bot of its own (GroupAnonymousBot) as the
 * sender, and the group as where it comes from. That is a participant like others, known by the group's id: it owns no agent,
 * and all who hide behind it share one daily allowance.
 */
import type { Message, User } from 'grammy/types'

/** @returns `undefined` for bots, and for what no one in the chat says */
export function senderOf({ from, sender_chat, chat }: Message): User | undefined {
  if (from?.is_bot !== true) return from
  if (sender_chat?.id !== chat.id || chat.type === 'private' || chat.type === 'channel') return undefined
  return { id: chat.id, is_bot: false, first_name: chat.title }
}
