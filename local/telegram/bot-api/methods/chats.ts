/** Chats, their members and their topics. */
import type { User } from 'grammy/types'
import { z } from 'zod'
import { badRequest, forbidden } from '../../api-error.ts'
import { post } from '../../post.ts'
import { type Room, userOf } from '../../state/people.ts'
import { botId, botTraits, botUser, type World } from '../../world.ts'
import { requireChat } from '../access.ts'
import { defineMethod } from '../method.ts'
import { type ChatRef, chatRef, integer } from '../parameters.ts'
import { REACTION_EMOJI } from '../reaction-emoji.ts'

const TOPIC_COLORS = [0x6fb9f0, 0xffd67e, 0xcb86db, 0x8eee98, 0xff93b2, 0xfb6f5f]
const MAX_TOPIC_NAME = 128

const topicTarget = { chat_id: chatRef, message_thread_id: integer }

export const chatMethods = [
  defineMethod({
    name: 'getChat',
    params: z.strictObject({ chat_id: chatRef }),
    run(params, { world }) {
      const id = requireChat(world, params.chat_id, 'read')
      const pinned = world.settings.get(`pinned:${id}`, z.int())
      const message = pinned === undefined ? undefined : world.messages.find(id, pinned)
      return {
        ...world.people.chat(id),
        accent_color_id: Math.abs(id) % 7,
        max_reaction_count: 11,
        accepted_gift_types: {
          unlimited_gifts: false,
          limited_gifts: false,
          unique_gifts: false,
          premium_subscription: false,
          gifts_from_channels: false,
        },
        ...(id < 0 ? { available_reactions: REACTION_EMOJI.map((emoji) => ({ type: 'emoji', emoji })) } : {}),
        ...(message ? { pinned_message: message } : {}),
      }
    },
  }),

  defineMethod({
    name: 'getChatMember',
    params: z.strictObject({ chat_id: chatRef, user_id: integer }),
    run(params, { world }) {
      const room = requireRoom(world, params.chat_id)
      const user = findUser(world, params.user_id)
      if (!user) throw badRequest('invalid user_id specified')
      return memberOf(world, room, user)
    },
  }),

  defineMethod({
    name: 'getChatAdministrators',
    params: z.strictObject({ chat_id: chatRef }),
    run(params, { world }) {
      const room = requireRoom(world, params.chat_id)
      return [botUser(world), ...room.members.flatMap((id) => findUser(world, id) ?? [])]
        .map((user) => memberOf(world, room, user))
        .filter(({ status }) => status === 'creator' || status === 'administrator')
    },
  }),

  defineMethod({
    name: 'getChatMemberCount',
    params: z.strictObject({ chat_id: chatRef }),
    run(params, { world }) {
      const id = requireChat(world, params.chat_id, 'read')
      return id > 0 ? 2 : (world.people.room(id)?.members.length ?? 0) + 1
    },
  }),

  defineMethod({
    name: 'leaveChat',
    params: z.strictObject({ chat_id: chatRef }),
    run(params, { world }) {
      const room = requireRoom(world, params.chat_id)
      if (room.bot === 'left') throw forbidden(`bot is not a member of the ${room.type} chat`)
      world.people.saveRoom({ ...room, bot: 'left' })
      world.events.emit({ type: 'state' })
      return true
    },
  }),

  defineMethod({
    name: 'createForumTopic',
    params: z.strictObject({
      chat_id: chatRef,
      name: z.string(),
      icon_color: integer.optional(),
      icon_custom_emoji_id: z.string().optional(),
    }),
    weight: 1,
    run(params, { world }) {
      const chatId = requireForum(world, params.chat_id)
      requireTopicName(params.name)
      const color = params.icon_color
      if (color !== undefined && !TOPIC_COLORS.includes(color)) throw badRequest('TOPIC_ICON_COLOR_INVALID')
      return createTopic(world, chatId, botUser(world), params.name, color)
    },
  }),

  defineMethod({
    name: 'editForumTopic',
    params: z.strictObject({
      ...topicTarget,
      name: z.string().optional(),
      icon_custom_emoji_id: z.string().optional(),
    }),
    weight: 1,
    run(params, { world }) {
      const topic = requireTopic(world, params)
      if (params.name !== undefined) requireTopicName(params.name)
      if (params.name === undefined || params.name === topic.name) throw badRequest('TOPIC_NOT_MODIFIED')
      world.people.saveTopic({ ...topic, name: params.name })
      post(world, {
        chatId: topic.chatId,
        threadId: topic.threadId,
        from: botUser(world),
        content: { forum_topic_edited: { name: params.name } },
      })
      world.events.emit({ type: 'state' })
      return true
    },
  }),

  ...(['closeForumTopic', 'reopenForumTopic'] as const).map((name) =>
    defineMethod({
      name,
      params: z.strictObject(topicTarget),
      weight: 1,
      run(params, { world }) {
        const topic = requireTopic(world, params)
        const closed = name === 'closeForumTopic'
        if (topic.closed === closed) throw badRequest('TOPIC_NOT_MODIFIED')
        world.people.saveTopic({ ...topic, closed })
        world.events.emit({ type: 'state' })
        return true
      },
    }),
  ),

  defineMethod({
    name: 'deleteForumTopic',
    params: z.strictObject(topicTarget),
    weight: 1,
    run(params, { world }) {
      const { chatId, threadId } = requireTopic(world, params)
      const messages = world.messages.list({ chatId, threadId, limit: Number.MAX_SAFE_INTEGER })
      for (const { message_id } of messages) world.messages.remove(chatId, message_id)
      world.people.removeTopic(chatId, threadId)
      world.events.emit({ type: 'state' })
      return true
    },
  }),
]

/** Without a colour: the next of Telegram's six. */
export function createTopic(world: World, chatId: number, from: User, name: string, given?: number) {
  const color = given ?? TOPIC_COLORS[world.people.topics(chatId).length % TOPIC_COLORS.length] ?? 0
  const chat = world.people.chat(chatId)
  if (!chat) throw badRequest('chat not found')
  const message_id = world.messages.nextId(chat)
  // A topic has the id of the message that opens it.
  const topic = { chatId, threadId: message_id, name, icon_color: color, closed: false }
  world.people.saveTopic(topic)
  const forum_topic_created = { name, icon_color: color as 0x6fb9f0 }
  post(world, { chatId, threadId: message_id, from, content: { message_id, forum_topic_created } })
  world.events.emit({ type: 'state' })
  return { message_thread_id: message_id, name, icon_color: color }
}

function requireForum(world: World, ref: ChatRef): number {
  const chatId = requireChat(world, ref, 'write')
  const isForum = chatId > 0 ? botTraits(world).has_topics_enabled : world.people.room(chatId)?.is_forum
  if (!isForum) throw badRequest('the chat is not a forum')
  if (chatId < 0 && world.people.room(chatId)?.bot !== 'administrator') {
    throw badRequest('not enough rights to create a topic')
  }
  return chatId
}

function requireTopic(world: World, target: { chat_id: ChatRef; message_thread_id: number }) {
  const topic = world.people.topic(requireForum(world, target.chat_id), target.message_thread_id)
  if (!topic) throw badRequest('TOPIC_ID_INVALID')
  return topic
}

function requireTopicName(name: string): void {
  const length = [...name].length
  if (length < 1 || length > MAX_TOPIC_NAME) throw badRequest('TOPIC_TITLE_INVALID')
}

function requireRoom(world: World, ref: ChatRef): Room {
  const room = world.people.room(requireChat(world, ref, 'read'))
  if (!room) throw badRequest('there are no administrators in the private chat')
  return room
}

function findUser(world: World, id: number): User | undefined {
  if (id === botId(world)) return botUser(world)
  const person = world.people.find(id)
  return person ? userOf(person) : undefined
}

/** The first member made the group. */
function memberOf(world: World, room: Room, user: User) {
  if (user.id === botId(world)) return { status: room.bot, user }
  if (!room.members.includes(user.id)) return { status: 'left', user } as const
  if (room.members[0] === user.id) return { status: 'creator', user, is_anonymous: false } as const
  return { status: 'member', user } as const
}
