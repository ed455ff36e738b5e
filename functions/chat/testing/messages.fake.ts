/** Telegram messages as updates bring them, with the least they must have. */
import type { Message, Update } from 'grammy/types'
import type { InboxItem } from '../inbox.ts'

export function privateMessage(fields: Partial<Message> & { message_id?: number } = {}): Message {
  return {
    message_id: 1,
    date: 1_700_000_000,
    chat: { id: 42, type: 'private', first_name: 'Ann' },
    from: { id: 42, is_bot: false, first_name: 'Ann' },
    ...fields,
  } as Message
}

export function inboxItem(updateId: number, message: Message | undefined, receivedAt = 0): InboxItem {
  const update = { update_id: updateId, ...(message ? { message } : {}) } as Update
  return { updateId, update, receivedAt, attempts: 0, nextAt: 0 }
}
