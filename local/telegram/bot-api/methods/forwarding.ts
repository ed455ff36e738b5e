/** Messages shown again elsewhere: forwarded with their origin, or copied without it. */
import type { Message, MessageOrigin } from 'grammy/types'
import { z } from 'zod'
import { badRequest } from '../../api-error.ts'
import { post } from '../../post.ts'
import { botUser } from '../../world.ts'
import { requireChat, requireMessage } from '../access.ts'
import { defineMethod } from '../method.ts'
import { captionParameters, chatRef, flag, integer, replyMarkup, sendParameters } from '../parameters.ts'
import { captionContent, requireDestination, sendContent } from '../sending.ts'

const CONTENT_FIELDS = [
  'text',
  'entities',
  'rich_message',
  'caption',
  'caption_entities',
  'photo',
  'document',
  'voice',
  'audio',
  'video',
  'animation',
  'sticker',
  'video_note',
  'location',
  'contact',
  'link_preview_options',
] as const

export const forwardingMethods = [
  defineMethod({
    name: 'forwardMessage',
    params: z.strictObject({
      chat_id: chatRef,
      message_thread_id: integer.optional(),
      from_chat_id: chatRef,
      message_id: integer,
      disable_notification: flag.optional(),
      protect_content: flag.optional(),
      message_effect_id: z.string().optional(),
    }),
    weight: 1,
    run(params, { world }) {
      const destination = requireDestination(world, params)
      const fromChatId = requireChat(world, params.from_chat_id, 'read')
      const message = requireMessage(world, fromChatId, params.message_id, 'message to forward')
      const content = shownContent(message)
      if (message.has_protected_content || Object.keys(content).length === 0) {
        throw badRequest("message can't be forwarded")
      }
      return post(world, { ...destination, from: botUser(world), content, forwardOrigin: originOf(message) })
    },
  }),

  defineMethod({
    name: 'copyMessage',
    params: z.strictObject({
      ...sendParameters,
      ...captionParameters,
      from_chat_id: chatRef,
      message_id: integer,
      show_caption_above_media: flag.optional(),
      reply_markup: replyMarkup,
    }),
    weight: 1,
    run(params, context) {
      const destination = requireDestination(context.world, params)
      const fromChatId = requireChat(context.world, params.from_chat_id, 'read')
      const message = requireMessage(context.world, fromChatId, params.message_id, 'message to copy')
      const content = shownContent(message)
      if (message.has_protected_content || Object.keys(content).length === 0)
        throw badRequest("message can't be copied")
      const { caption: _, caption_entities: __, ...bare } = content
      const copied = params.caption === undefined ? content : { ...bare, ...captionContent(context, params) }
      const sent = sendContent(context, params, destination, copied)
      return { message_id: sent.message_id }
    },
  }),
]

export function shownContent(message: Message): Partial<Message> {
  return Object.fromEntries(
    CONTENT_FIELDS.flatMap((field) => (message[field] === undefined ? [] : [[field, message[field]]])),
  )
}

/** A forward of a forward keeps the first origin. */
export function originOf(message: Message): MessageOrigin {
  if (message.forward_origin) return message.forward_origin
  if (!message.from) return { type: 'hidden_user', date: message.date, sender_user_name: 'Unknown' }
  return { type: 'user', date: message.date, sender_user: message.from }
}
