/** Text out and text changed. */
import type { Message } from 'grammy/types'
import { z } from 'zod'
import { badRequest } from '../../api-error.ts'
import { replace } from '../../post.ts'
import { CAPTION_RULES, MESSAGE_RULES } from '../../text/message-text.ts'
import { botId, unixTime, type World } from '../../world.ts'
import { requireChat, requireMessage } from '../access.ts'
import { type CallContext, defineMethod } from '../method.ts'
import {
  type ChatRef,
  captionParameters,
  chatRef,
  entities,
  flag,
  integer,
  json,
  linkPreviewOptions,
  replyMarkup,
  sendParameters,
} from '../parameters.ts'
import { checkReplyMarkup } from '../reply-markup.ts'
import { parseRichMessage } from '../rich-message.ts'
import { checkTextNoting, requireDestination, sendContent } from '../sending.ts'

const textParameters = { parse_mode: z.string().optional(), entities, link_preview_options: linkPreviewOptions }

const editTarget = { chat_id: chatRef, message_id: integer, reply_markup: replyMarkup }

export const textMethods = [
  defineMethod({
    name: 'sendMessage',
    params: z.strictObject({
      ...sendParameters,
      ...textParameters,
      text: z.string().min(1),
      reply_markup: replyMarkup,
    }),
    weight: 1,
    run(params, context) {
      const destination = requireDestination(context.world, params)
      const { text, entities: found } = checkTextNoting(context, params, MESSAGE_RULES)
      if (text === '') throw badRequest('text must be non-empty')
      return sendContent(context, params, destination, textContent(text, found, params.link_preview_options))
    },
  }),

  defineMethod({
    name: 'sendRichMessage',
    params: z.strictObject({ ...sendParameters, rich_message: json(z.unknown()), reply_markup: replyMarkup }),
    weight: 1,
    run(params, context) {
      const destination = requireDestination(context.world, params)
      const rich_message = parseRichMessage(params.rich_message, { thinking: false })
      return sendContent(context, params, destination, { rich_message })
    },
  }),

  defineMethod({
    name: 'editMessageText',
    params: z.strictObject({
      ...editTarget,
      ...textParameters,
      text: z.string().optional(),
      rich_message: json(z.unknown()).optional(),
    }),
    weight: 1,
    run(params, context) {
      if (params.text === undefined && params.rich_message === undefined) throw badRequest('message text is empty')
      if (params.text !== undefined && params.rich_message !== undefined) {
        throw badRequest('text and rich_message in one edit')
      }
      return edit(context, params, (message) => {
        if (message.text === undefined && message.rich_message === undefined) {
          throw badRequest('there is no text in the message to edit')
        }
        if (params.rich_message !== undefined) {
          return { rich_message: parseRichMessage(params.rich_message, { thinking: false }) }
        }
        const checked = checkTextNoting(context, { ...params, text: params.text ?? '' }, MESSAGE_RULES)
        if (checked.text === '') throw badRequest('message text is empty')
        return textContent(checked.text, checked.entities, params.link_preview_options)
      })
    },
  }),

  defineMethod({
    name: 'editMessageCaption',
    params: z.strictObject({ ...editTarget, ...captionParameters, show_caption_above_media: flag.optional() }),
    weight: 1,
    run(params, context) {
      return edit(context, params, (message) => {
        if (!isMedia(message)) throw badRequest('there is no caption in the message to edit')
        const given = { text: params.caption ?? '', parse_mode: params.parse_mode, entities: params.caption_entities }
        const checked = checkTextNoting(context, given, CAPTION_RULES)
        return {
          ...(checked.text ? { caption: checked.text } : {}),
          ...(checked.entities.length > 0 ? { caption_entities: checked.entities } : {}),
        }
      })
    },
  }),

  defineMethod({
    name: 'editMessageReplyMarkup',
    params: z.strictObject(editTarget),
    weight: 1,
    run(params, context) {
      return edit(context, params, (message) => contentOf(message))
    },
  }),
]

function textContent(
  text: string,
  found: NonNullable<Message['entities']>,
  preview: object | undefined,
): Partial<Message> {
  return {
    text,
    ...(found.length > 0 ? { entities: found } : {}),
    ...(preview ? { link_preview_options: preview } : {}),
  }
}

const TEXT_FIELDS = ['text', 'entities', 'rich_message', 'caption', 'caption_entities', 'link_preview_options'] as const

function contentOf(message: Message): Partial<Message> {
  return Object.fromEntries(
    TEXT_FIELDS.flatMap((field) => (message[field] === undefined ? [] : [[field, message[field]]])),
  )
}

function isMedia(message: Message): boolean {
  return Boolean(
    message.photo ?? message.document ?? message.voice ?? message.audio ?? message.video ?? message.animation,
  )
}

/** An edit says the whole of a message's text and keyboard anew: a keyboard that is not given is gone. */
function edit(
  { world }: CallContext,
  target: { chat_id: ChatRef; message_id: number; reply_markup?: unknown },
  newContent: (message: Message) => Partial<Message>,
): Message {
  const message = requireOwnMessage(world, target)
  const markup = checkReplyMarkup(world.tdlib, target.reply_markup, 'edit')
  const kept = Object.fromEntries(
    Object.entries(message).filter(
      ([key]) => !(TEXT_FIELDS as readonly string[]).includes(key) && key !== 'reply_markup',
    ),
  )
  // What was taken out is put back in by the new content; the rest of the message is as it was.
  const edited = {
    ...kept,
    ...newContent(message),
    ...(markup.kind === 'inline' ? { reply_markup: markup.markup } : {}),
  } as Message
  if (isSame(message, edited)) {
    throw badRequest(
      'message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message',
    )
  }
  return replace(world, { ...edited, edit_date: unixTime(world) })
}

function requireOwnMessage(world: World, target: { chat_id: ChatRef; message_id: number }): Message {
  const chatId = requireChat(world, target.chat_id, 'edit')
  const message = requireMessage(world, chatId, target.message_id, 'message to edit')
  if (message.from?.id !== botId(world) || message.forward_origin) throw badRequest("message can't be edited")
  return message
}

function isSame(before: Message, after: Message): boolean {
  const shown = (message: Message) => JSON.stringify([contentOf(message), message.reply_markup ?? null])
  return shown(before) === shown(after)
}
