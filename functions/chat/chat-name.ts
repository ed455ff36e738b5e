/**
 * Which chat object an update belongs to. One object per bot, chat and topic: `<bot id>:<chat id>` or
 * `<bot id>:<chat id>:<thread id>`. The agent's `chat_id` is the same without the bot, so that an owner's private chat is
 * their user id.
 */
import { z } from 'zod'
import type { ChatIdentity } from './handling.ts'

const ChatRef = z.object({ id: z.int(), type: z.string() })
const OptionalMessage = z
  .object({
    chat: ChatRef,
    message_thread_id: z.int().positive().optional(),
    // Replies in ordinary groups carry a thread id too: only topics are conversations of their own.
    is_topic_message: z.boolean().optional(),
  })
  .optional()
  .catch(undefined)
const Addressed = z.object({
  message: OptionalMessage,
  edited_message: OptionalMessage,
  callback_query: z
    .object({ from: z.object({ id: z.int() }), message: OptionalMessage })
    .optional()
    .catch(undefined),
  my_chat_member: z.object({ chat: ChatRef }).optional().catch(undefined),
  stopped_message_generation: z
    .object({ chat: ChatRef, message_thread_id: z.int().positive().optional() })
    .optional()
    .catch(undefined),
})

/** @returns `undefined` for an update that belongs to no chat of ours: unknown kinds, channels, malformed ones */
export function chatNameOf(update: unknown, botId: number): string | undefined {
  const parsed = Addressed.safeParse(update)
  if (!parsed.success) return undefined
  const { message, edited_message, callback_query, my_chat_member, stopped_message_generation } = parsed.data
  const at = message ?? edited_message ?? callback_query?.message
  if (at) {
    if (at.chat.type === 'channel') return undefined
    return chatName(botId, at.chat.id, at.is_topic_message ? at.message_thread_id : undefined)
  }
  // A button without a message (inline, or too old) is still answered, in the person's own chat.
  if (callback_query) return chatName(botId, callback_query.from.id)
  if (stopped_message_generation) {
    return chatName(botId, stopped_message_generation.chat.id, stopped_message_generation.message_thread_id)
  }
  return my_chat_member && my_chat_member.chat.type !== 'channel' ? chatName(botId, my_chat_member.chat.id) : undefined
}

export function chatName(botId: number, chatId: number, threadId?: number): string {
  return threadId === undefined ? `${botId}:${chatId}` : `${botId}:${chatId}:${threadId}`
}

/** What the agent server knows the chat by. */
export function agentChatId(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}

/** @throws {TypeError} for a name that `chatName` cannot have made */
export function parseChatName(name: string): ChatIdentity {
  const match = /^(\d+):(-?\d+)(?::(\d+))?$/.exec(name)
  if (!match) throw new TypeError(`not the name of a chat: ${name}`)
  const chatId = Number(match[2])
  return {
    name,
    botId: Number(match[1]),
    chatId,
    ...(match[3] ? { threadId: Number(match[3]) } : {}),
    // Telegram: ids of people are positive, those of groups negative.
    kind: chatId > 0 ? 'private' : 'group',
  }
}
