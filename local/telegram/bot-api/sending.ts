/** The way of every message that the bot sends: where to, in reply to what, with which keyboard. */
import type { Message, TextQuote } from 'grammy/types'
import { badRequest } from '../api-error.ts'
import { post } from '../post.ts'
import { CAPTION_RULES, type CheckedText, checkText, type GivenText, type TextRules } from '../text/message-text.ts'
import { botUser, type World } from '../world.ts'
import { findChatId, requireChat, requireThread } from './access.ts'
import type { CallContext } from './method.ts'
import type { ChatRef } from './parameters.ts'
import { checkReplyMarkup } from './reply-markup.ts'

export interface SendRequest {
  readonly chat_id: ChatRef
  readonly message_thread_id?: number | undefined
  readonly protect_content?: boolean | undefined
  readonly message_effect_id?: string | undefined
  readonly reply_parameters?: ReplyRequest | undefined
  readonly reply_to_message_id?: number | undefined
  readonly allow_sending_without_reply?: boolean | undefined
  readonly reply_markup?: unknown
}

interface ReplyRequest {
  readonly message_id?: number | undefined
  readonly chat_id?: ChatRef | undefined
  readonly allow_sending_without_reply?: boolean | undefined
  readonly quote?: string | undefined
  readonly quote_parse_mode?: string | undefined
  readonly quote_entities?: readonly unknown[] | undefined
  readonly quote_position?: number | undefined
}

export interface Destination {
  readonly chatId: number
  readonly threadId: number
}

/** Everything that can be refused is refused here, before a file is fetched or stored. */
export function requireDestination(world: World, request: SendRequest): Destination {
  const chatId = requireChat(world, request.chat_id, 'write')
  const threadId = requireThread(world, chatId, request.message_thread_id)
  if (request.message_effect_id && chatId < 0) throw badRequest('EFFECT_ID_INVALID')
  return { chatId, threadId }
}

export function sendContent(
  { world }: CallContext,
  request: SendRequest,
  destination: Destination,
  content: Partial<Message>,
): Message {
  const { chatId, threadId } = destination
  const markup = checkReplyMarkup(world.tdlib, request.reply_markup, 'send')
  const reply = findReply(world, request, chatId)
  return post(world, {
    chatId,
    // An answer to a message in a topic goes to that topic, as Telegram does it.
    threadId: threadId || (reply?.message.is_topic_message ? (reply.message.message_thread_id ?? 0) : 0),
    from: botUser(world),
    content: {
      ...content,
      ...(request.protect_content ? { has_protected_content: true } : {}),
      ...(request.message_effect_id ? { effect_id: request.message_effect_id } : {}),
      ...(markup.kind === 'inline' ? { reply_markup: markup.markup } : {}),
    },
    replyTo: reply?.message,
    quote: reply?.quote,
    ...(markup.kind === 'keyboard' ? { keyboard: { message_id: 0, markup: markup.markup } } : {}),
    ...(markup.kind === 'remove' ? { keyboard: 'remove' } : {}),
  })
}

function findReply(
  world: World,
  request: SendRequest,
  chatId: number,
): { message: Message; quote?: TextQuote } | undefined {
  const parameters = request.reply_parameters
  const messageId = parameters?.message_id ?? request.reply_to_message_id
  if (messageId === undefined || messageId === 0) return undefined
  const inChat = parameters?.chat_id === undefined ? chatId : findChatId(world, parameters.chat_id)
  const message = inChat === undefined ? undefined : world.messages.find(inChat, messageId)
  if (!message) {
    if (parameters?.allow_sending_without_reply ?? request.allow_sending_without_reply) return undefined
    throw badRequest('message to be replied not found')
  }
  return parameters?.quote ? { message, quote: checkQuote(world, message, parameters) } : { message }
}

function checkQuote(world: World, message: Message, parameters: ReplyRequest): TextQuote {
  const given = {
    text: parameters.quote ?? '',
    parse_mode: parameters.quote_parse_mode,
    entities: parameters.quote_entities,
  }
  const { text, entities } = checkText(world.tdlib, given, { maxLength: 1024, tooLong: 'QUOTE_TEXT_INVALID' })
  const whole = message.text ?? message.caption ?? ''
  const position = whole.indexOf(text, Math.max(0, parameters.quote_position ?? 0))
  const found = position >= 0 ? position : whole.indexOf(text)
  if (found < 0) throw badRequest('QUOTE_TEXT_INVALID')
  return { text, position: found, is_manual: true, ...(entities.length > 0 ? { entities } : {}) }
}

export function checkTextNoting(context: CallContext, given: GivenText, rules: TextRules): CheckedText {
  const checked = checkText(context.world.tdlib, given, rules)
  if (checked.droppedEntities > 0) {
    context.warn(`more than 100 entities: the last ${checked.droppedEntities} were dropped`)
  }
  return checked
}

export interface CaptionRequest {
  readonly caption?: string | undefined
  readonly parse_mode?: string | undefined
  readonly caption_entities?: readonly unknown[] | undefined
  readonly show_caption_above_media?: boolean | undefined
}

export function captionContent(context: CallContext, request: CaptionRequest): Partial<Message> {
  if (!request.caption) return {}
  const { text, entities } = checkTextNoting(
    context,
    { text: request.caption, parse_mode: request.parse_mode, entities: request.caption_entities },
    CAPTION_RULES,
  )
  if (text === '') return {}
  return {
    caption: text,
    ...(entities.length > 0 ? { caption_entities: entities } : {}),
    ...(request.show_caption_above_media ? { show_caption_above_media: true } : {}),
  }
}
