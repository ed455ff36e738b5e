/** Puts a message into a chat, whoever wrote it: numbers it, stores it, ends the drafts it takes the place of, tells the page. */
import type { Message, MessageOrigin, TextQuote, User } from 'grammy/types'
import { z } from 'zod'
import { withoutReply } from './state/messages.ts'
import { unixTime, type World } from './world.ts'

export interface NewMessage {
  readonly chatId: number
  /** 0 outside topics. */
  readonly threadId: number
  readonly from: User
  /** The content fields: text and entities, photo and caption … */
  readonly content: Partial<Message>
  readonly replyTo?: Message | undefined
  readonly quote?: TextQuote | undefined
  readonly forwardOrigin?: MessageOrigin | undefined
  /** Markup for the chat's keyboard; an inline keyboard belongs to the content. */
  readonly keyboard?: ChatKeyboard | 'remove' | undefined
}

/** The keyboard or reply prompt that a chat shows until the next one. */
export const ChatKeyboard = z.object({ message_id: z.int(), markup: z.unknown() })
export type ChatKeyboard = z.infer<typeof ChatKeyboard>

export function post(world: World, message: NewMessage): Message {
  const chat = world.people.chat(message.chatId)
  if (!chat) throw new Error(`no chat ${message.chatId}`)
  const posted: Message = {
    message_id: world.messages.nextId(chat),
    from: message.from,
    chat,
    date: unixTime(world),
    ...(message.threadId > 0 ? { message_thread_id: message.threadId, is_topic_message: true } : {}),
    ...(message.forwardOrigin ? { forward_origin: message.forwardOrigin } : {}),
    ...(message.replyTo
      ? { reply_to_message: withoutReply(message.replyTo) as NonNullable<Message['reply_to_message']> }
      : {}),
    ...(message.quote ? { quote: message.quote } : {}),
    ...message.content,
  }
  world.messages.save(posted)
  if (message.keyboard) setKeyboard(world, posted, message.keyboard)
  world.drafts.wipe(message.chatId, message.threadId)
  world.messages.markRead(message.from.id, message.chatId, message.threadId, posted.message_id)
  world.events.emit({ type: 'message', message: posted })
  return posted
}

export function replace(world: World, edited: Message): Message {
  world.messages.save(edited)
  world.events.emit({ type: 'edited', message: edited })
  return edited
}

function setKeyboard(world: World, message: Message, keyboard: ChatKeyboard | 'remove'): void {
  const key = `keyboard:${message.chat.id}`
  if (keyboard === 'remove') world.settings.remove(key)
  else world.settings.put(key, { markup: keyboard.markup, message_id: message.message_id })
}
