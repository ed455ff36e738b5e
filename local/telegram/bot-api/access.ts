/** May the bot do this here? Chats, topics and messages as a call names them, or Telegram's refusal. */
import type { Message } from 'grammy/types'
import { ApiError, badRequest, forbidden } from '../api-error.ts'
import type { Room } from '../state/people.ts'
import type { World } from '../world.ts'
import type { ChatRef } from './parameters.ts'

/** `write`: puts something into the chat. `edit`: changes what is there. `read`: looks. */
export type Access = 'write' | 'edit' | 'read'

export function findChatId(world: World, ref: ChatRef): number | undefined {
  if (typeof ref === 'number') return ref
  return world.people.byUsername(ref.slice(1))
}

/** @returns the chat's id @throws {ApiError} */
export function requireChat(world: World, ref: ChatRef, access: Access): number {
  const id = findChatId(world, ref)
  const person = id === undefined ? undefined : world.people.find(id)
  if (person) {
    if (person.deactivated && access !== 'read') throw forbidden('user is deactivated')
    if (access === 'write' && person.blocked) throw forbidden('bot was blocked by the user')
    if (access === 'write' && !person.started) throw forbidden("bot can't initiate conversation with a user")
    return person.id
  }
  const room = id === undefined ? undefined : world.people.room(id)
  if (!room) throw badRequest('chat not found')
  requireRoomAccess(room, access)
  return room.id
}

function requireRoomAccess(room: Room, access: Access): void {
  const kind = room.type === 'supergroup' ? 'supergroup chat' : 'group chat'
  if (room.migratedTo !== undefined && access === 'write') {
    throw new ApiError(400, 'Bad Request: group chat was upgraded to a supergroup chat', {
      migrate_to_chat_id: room.migratedTo,
    })
  }
  if (room.type === 'group' && access === 'read') return
  if (room.bot === 'kicked') throw forbidden(`bot was kicked from the ${kind}`)
  if (room.bot === 'left') throw forbidden(`bot is not a member of the ${kind}`)
}

/** @returns the thread to store under: 0 outside topics @throws {ApiError} */
export function requireThread(world: World, chatId: number, threadId: number | undefined): number {
  if (threadId === undefined || threadId === 0) return 0
  const topic = world.people.topic(chatId, threadId)
  if (!topic) throw badRequest('message thread not found')
  if (topic.closed && world.people.room(chatId)?.bot !== 'administrator') throw badRequest('TOPIC_CLOSED')
  return threadId
}

/** @param what as Telegram names it: `message to edit` */
export function requireMessage(world: World, chatId: number, messageId: number, what: string): Message {
  const message = world.messages.find(chatId, messageId)
  if (!message) throw badRequest(`${what} not found`)
  return message
}
