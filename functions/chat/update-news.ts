/** What an update tells delivery itself, whatever the handlers make of it. Any part may be malformed: then it tells nothing. */
import { z } from 'zod'

export interface UpdateNews {
  /** Nothing of ours can appear below this id any more. */
  readonly messageId?: number | undefined
  /** A group with topics: several objects send into it. */
  readonly isForum: boolean
  readonly migratedTo?: number | undefined
  /** Somebody spoke, pressed a button or let us in: the chat is open to us, as far as they know. */
  readonly isHeard: boolean
  /** The person blocked the bot, or it was removed from the group. */
  readonly isClosed: boolean
}

const News = z.object({
  message: z
    .object({
      message_id: z.int().positive(),
      chat: z.object({ type: z.string(), is_forum: z.boolean().optional() }),
      migrate_to_chat_id: z.int().optional(),
    })
    .optional()
    .catch(undefined),
  callback_query: z.unknown().optional(),
  my_chat_member: z
    .object({ new_chat_member: z.object({ status: z.string() }) })
    .optional()
    .catch(undefined),
})

export function readNews(update: unknown): UpdateNews {
  const { message, callback_query, my_chat_member } = News.safeParse(update).data ?? {}
  const status = my_chat_member?.new_chat_member.status
  const isClosed = status === 'kicked' || status === 'left'
  const isLetIn = status !== undefined && !isClosed && status !== 'restricted'
  return {
    isHeard: message !== undefined || callback_query !== undefined || isLetIn,
    messageId: message?.message_id,
    isForum: message?.chat.type === 'supergroup' && message.chat.is_forum === true,
    migratedTo: message?.migrate_to_chat_id,
    isClosed,
  }
}
