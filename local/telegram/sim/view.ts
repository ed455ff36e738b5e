/** What one person's app shows: their chats with the last message, unread counts, keyboards and commands. */
import type { Message } from 'grammy/types'
import { z } from 'zod'
import { commandsFor, profileText } from '../bot-api/methods/profile.ts'
import { ChatKeyboard } from '../post.ts'
import { GENERAL_TOPIC } from '../state/people.ts'
import { botTraits, botUser, type World } from '../world.ts'

export interface TopicView {
  readonly thread_id: number
  readonly name: string
  readonly icon_color: number
  readonly closed: boolean
  readonly unread: number
  readonly last?: Message
}

export interface ChatView {
  readonly id: number
  readonly type: 'private' | 'group' | 'supergroup'
  readonly title: string
  readonly is_forum: boolean
  /** In a private chat: wrote to the bot at least once, and did not block it. */
  readonly started: boolean
  readonly blocked: boolean
  readonly members: readonly string[]
  readonly topics: readonly TopicView[]
  readonly unread: number
  readonly last?: Message
  readonly pinned?: Message
  readonly keyboard?: ChatKeyboard
  readonly commands: readonly { readonly command: string; readonly description: string }[]
}

export interface PersonView {
  readonly id: number
  readonly first_name: string
  readonly last_name?: string
  readonly username?: string
  readonly unread: number
}

export interface StateView {
  readonly user: number
  readonly bot: {
    readonly id: number
    readonly first_name: string
    readonly username: string
    readonly description: string
    readonly short_description: string
  }
  readonly people: readonly PersonView[]
  readonly chats: readonly ChatView[]
  /** A bot listens: a webhook is set or someone polls. */
  readonly webhook: string
  readonly pending_updates: number
}

export function viewState(world: World, userId: number | undefined): StateView {
  const people = world.people.all()
  const user = people.find(({ id }) => id === userId) ?? people[0]
  const bot = botUser(world)
  return {
    user: user?.id ?? 0,
    bot: {
      id: bot.id,
      first_name: profileText(world, 'name', user?.language_code) || bot.first_name,
      username: botTraits(world).username,
      description: profileText(world, 'description', user?.language_code),
      short_description: profileText(world, 'short_description', user?.language_code),
    },
    people: people.map(({ id, first_name, last_name, username }) => ({
      id,
      first_name,
      ...(last_name ? { last_name } : {}),
      ...(username ? { username } : {}),
      unread: chatIdsOf(world, id).reduce((sum, chat) => sum + unreadIn(world, id, chat), 0),
    })),
    chats: user ? chatIdsOf(world, user.id).map((id) => viewChat(world, id, user)) : [],
    webhook: world.webhook.webhook?.url ?? '',
    pending_updates: world.updates.count(),
  }
}

/** The private chat with the bot first, as it is what the page is for. */
function chatIdsOf(world: World, userId: number): number[] {
  const rooms = world.people
    .rooms()
    .filter(({ members, migratedTo }) => members.includes(userId) && migratedTo === undefined)
  return [userId, ...rooms.map(({ id }) => id)]
}

function viewChat(world: World, id: number, user: { id: number; language_code?: string | undefined }): ChatView {
  const chat = world.people.chat(id)
  const room = world.people.room(id)
  const person = world.people.find(id)
  const last = world.messages.list({ chatId: id, limit: 1 })[0]
  const pinnedId = world.settings.get(`pinned:${id}`, z.int())
  const pinned = pinnedId === undefined ? undefined : world.messages.find(id, pinnedId)
  const keyboard = world.settings.get(`keyboard:${id}`, ChatKeyboard)
  return {
    id,
    type: room?.type ?? 'private',
    title: room?.title ?? '',
    is_forum: room?.is_forum ?? false,
    started: person?.started ?? true,
    blocked: person?.blocked ?? false,
    members: (room?.members ?? []).map((member) => world.people.find(member)?.first_name ?? '?'),
    topics: viewTopics(world, id, user.id, (room?.is_forum ?? false) || world.people.topics(id).length > 0),
    unread: unreadIn(world, user.id, id),
    ...(last ? { last } : {}),
    ...(pinned ? { pinned } : {}),
    ...(keyboard ? { keyboard } : {}),
    commands: chat ? commandsFor(world, chat, user) : [],
  }
}

function viewTopics(world: World, chatId: number, userId: number, hasTopics: boolean): TopicView[] {
  if (!hasTopics) return []
  const general = { threadId: GENERAL_TOPIC, name: 'General', icon_color: 0x8a94a0, closed: false }
  return [general, ...world.people.topics(chatId)].map(({ threadId, name, icon_color, closed }) => {
    const last = world.messages.list({ chatId, threadId, limit: 1 })[0]
    return {
      thread_id: threadId,
      name,
      icon_color,
      closed,
      unread: world.messages.unread(userId, chatId, threadId),
      ...(last ? { last } : {}),
    }
  })
}

function unreadIn(world: World, userId: number, chatId: number): number {
  const threads = [GENERAL_TOPIC, ...world.people.topics(chatId).map(({ threadId }) => threadId)]
  return threads.reduce((sum, thread) => sum + world.messages.unread(userId, chatId, thread), 0)
}
