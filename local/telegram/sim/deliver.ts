/** Which messages the bot hears of: all in private; in groups, with privacy mode on, those that concern it. */
import type { Message, MessageEntity } from 'grammy/types'
import { botId, botTraits, type World } from '../world.ts'

type Spoken = Message & { from: NonNullable<Message['from']>; chat: Exclude<Message['chat'], { type: 'channel' }> }

export function deliver(world: World, message: Message): void {
  if (isSpoken(message) && concernsBot(world, message)) world.updates.add('message', message, message.chat.id)
}

export function deliverEdit(world: World, message: Message): void {
  const edited = { ...message, edit_date: message.edit_date ?? message.date }
  if (isSpoken(edited) && concernsBot(world, edited)) {
    world.updates.add('edited_message', { ...edited, edit_date: edited.edit_date ?? 0 }, message.chat.id)
  }
}

function isSpoken(message: Message): message is Spoken {
  return message.from !== undefined && message.chat.type !== 'channel'
}

const CONTENT = ['text', 'photo', 'document', 'voice', 'audio', 'video', 'animation', 'sticker', 'location', 'contact']

function concernsBot(world: World, message: Message): boolean {
  if (message.chat.type === 'private') return true
  const room = world.people.room(message.chat.id)
  if (!room || room.bot === 'left' || room.bot === 'kicked') return false
  const traits = botTraits(world)
  const isService = !CONTENT.some((field) => field in message)
  if (isService || traits.can_read_all_group_messages || room.bot === 'administrator') return true
  if (message.reply_to_message?.from?.id === botId(world)) return true
  const text = message.text ?? message.caption ?? ''
  const entities = message.entities ?? message.caption_entities ?? []
  return entities.some((entity) => addresses(text, entity, traits.username))
}

/** A bare `/command` is for every bot there; with a name, only for that one. */
function addresses(text: string, { type, offset, length }: MessageEntity, username: string): boolean {
  const part = text.slice(offset, offset + length).toLowerCase()
  if (type === 'mention') return part === `@${username.toLowerCase()}`
  if (type !== 'bot_command') return false
  return !part.includes('@') || part.endsWith(`@${username.toLowerCase()}`)
}
