/** What a bot does to messages that are there: deletes, reacts, answers presses, shows that it types, pins. */
import type { Message } from 'grammy/types'
import { z } from 'zod'
import { badRequest } from '../../api-error.ts'
import { botId, type World } from '../../world.ts'
import { requireChat, requireMessage, requireThread } from '../access.ts'
import { defineMethod } from '../method.ts'
import { chatRef, flag, integer, json } from '../parameters.ts'
import { isReactionEmoji } from '../reaction-emoji.ts'

const DELETABLE_S = 48 * 3600
const MAX_ANSWER_LENGTH = 200

const ACTIONS = [
  'typing',
  'upload_photo',
  'record_video',
  'upload_video',
  'record_voice',
  'upload_voice',
  'upload_document',
  'choose_sticker',
  'find_location',
  'record_video_note',
  'upload_video_note',
] as const

export const chatWorkMethods = [
  defineMethod({
    name: 'deleteMessage',
    params: z.strictObject({ chat_id: chatRef, message_id: integer }),
    weight: 0.25,
    run(params, { world }) {
      const chatId = requireChat(world, params.chat_id, 'edit')
      const message = requireMessage(world, chatId, params.message_id, 'message to delete')
      requireDeletable(world, message)
      remove(world, chatId, [params.message_id])
      return true
    },
  }),

  defineMethod({
    name: 'deleteMessages',
    params: z.strictObject({ chat_id: chatRef, message_ids: json(z.array(z.int()).min(1)) }),
    weight: 0.5,
    run(params, { world }) {
      if (params.message_ids.length > 100) throw badRequest('Too many message identifiers specified')
      const chatId = requireChat(world, params.chat_id, 'edit')
      // Ids that are not there are skipped, as Telegram skips them.
      const found = params.message_ids.flatMap((id) => world.messages.find(chatId, id) ?? [])
      for (const message of found) requireDeletable(world, message)
      remove(
        world,
        chatId,
        found.map((message) => message.message_id),
      )
      return true
    },
  }),

  defineMethod({
    name: 'sendChatAction',
    params: z.strictObject({ chat_id: chatRef, message_thread_id: integer.optional(), action: z.enum(ACTIONS) }),
    weight: 0.25,
    run(params, { world }) {
      const chat_id = requireChat(world, params.chat_id, 'write')
      const thread_id = requireThread(world, chat_id, params.message_thread_id)
      world.events.emit({ type: 'action', chat_id, thread_id, action: params.action })
      return true
    },
  }),

  defineMethod({
    name: 'setMessageReaction',
    params: z.strictObject({
      chat_id: chatRef,
      message_id: integer,
      reaction: json(z.array(z.strictObject({ type: z.string(), emoji: z.string().optional() }))).optional(),
      is_big: flag.optional(),
    }),
    weight: 0.25,
    run(params, { world }) {
      const chatId = requireChat(world, params.chat_id, 'write')
      requireMessage(world, chatId, params.message_id, 'message to react')
      const types = (params.reaction ?? []).map(({ type, emoji = '' }) => {
        if (type !== 'emoji' || !isReactionEmoji(emoji)) throw badRequest('REACTION_INVALID')
        return { type, emoji } as const
      })
      if (types.length > 1) throw badRequest('REACTIONS_TOO_MANY')
      world.messages.react(chatId, params.message_id, { userId: botId(world), types })
      world.events.emit({
        type: 'reactions',
        chat_id: chatId,
        message_id: params.message_id,
        reactions: world.messages.reactions(chatId, params.message_id),
      })
      return true
    },
  }),

  defineMethod({
    name: 'answerCallbackQuery',
    params: z.strictObject({
      callback_query_id: z.string(),
      text: z.string().optional(),
      show_alert: flag.optional(),
      url: z.string().optional(),
      cache_time: integer.optional(),
    }),
    run(params, { world }) {
      if ([...(params.text ?? '')].length > MAX_ANSWER_LENGTH) throw badRequest('MESSAGE_TOO_LONG')
      const userId = world.callbacks.answer(params.callback_query_id)
      if (userId === undefined) {
        throw badRequest('query is too old and response timeout expired or query ID is invalid')
      }
      world.events.emit({
        type: 'callback_answer',
        user_id: userId,
        callback_query_id: params.callback_query_id,
        show_alert: params.show_alert ?? false,
        ...(params.text ? { text: params.text } : {}),
        ...(params.url ? { url: params.url } : {}),
      })
      return true
    },
  }),

  defineMethod({
    name: 'pinChatMessage',
    params: z.strictObject({ chat_id: chatRef, message_id: integer, disable_notification: flag.optional() }),
    weight: 0.25,
    run(params, { world }) {
      const chatId = requireChat(world, params.chat_id, 'write')
      requireMessage(world, chatId, params.message_id, 'message to pin')
      requirePinRight(world, chatId)
      world.settings.put(`pinned:${chatId}`, params.message_id)
      world.events.emit({ type: 'state' })
      return true
    },
  }),

  defineMethod({
    name: 'unpinChatMessage',
    params: z.strictObject({ chat_id: chatRef, message_id: integer.optional() }),
    weight: 0.25,
    run(params, { world }) {
      const chatId = requireChat(world, params.chat_id, 'write')
      const pinned = world.settings.get(`pinned:${chatId}`, z.int())
      if (pinned === undefined || (params.message_id !== undefined && params.message_id !== pinned)) {
        throw badRequest('Message to unpin not found')
      }
      requirePinRight(world, chatId)
      world.settings.remove(`pinned:${chatId}`)
      world.events.emit({ type: 'state' })
      return true
    },
  }),
]

function requireDeletable(world: World, message: Message): void {
  const isOld = message.date < Math.floor(world.clock.now() / 1000) - DELETABLE_S
  const isOwn = message.from?.id === botId(world)
  const isAdministrator = world.people.room(message.chat.id)?.bot === 'administrator'
  const mayDelete = message.chat.type === 'private' ? true : isOwn || isAdministrator
  if (!mayDelete || (isOld && !isAdministrator)) throw badRequest("message can't be deleted for everyone")
}

function requirePinRight(world: World, chatId: number): void {
  const room = world.people.room(chatId)
  if (room && room.type === 'supergroup' && room.bot !== 'administrator') {
    throw badRequest('not enough rights to manage pinned messages in the chat')
  }
}

function remove(world: World, chatId: number, ids: readonly number[]): void {
  for (const id of ids) world.messages.remove(chatId, id)
  if (ids.length > 0) world.events.emit({ type: 'deleted', chat_id: chatId, message_ids: ids })
}
