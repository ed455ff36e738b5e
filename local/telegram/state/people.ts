/** Who there is and where they talk: people, groups ("rooms"), topics. A private chat has the id of its person. */
import type { DatabaseSync } from 'node:sqlite'
import type { Chat, User } from 'grammy/types'
import { z } from 'zod'

const Person = z.object({
  id: z.int().positive(),
  first_name: z.string().min(1).max(64),
  last_name: z.string().max(64).optional(),
  username: z
    .string()
    .regex(/^[A-Za-z]\w{3,31}$/)
    .optional(),
  language_code: z.string().optional(),
  is_premium: z.literal(true).optional(),
  /** Wrote to the bot at least once: before that a bot cannot write first. */
  started: z.boolean(),
  blocked: z.boolean(),
  deactivated: z.boolean(),
})
export type Person = z.infer<typeof Person>

const Room = z.object({
  id: z.int().negative(),
  type: z.enum(['group', 'supergroup']),
  title: z.string().min(1).max(128),
  username: z.string().optional(),
  is_forum: z.boolean(),
  members: z.array(z.int()),
  /** The bot's standing there. */
  bot: z.enum(['member', 'administrator', 'left', 'kicked']),
  migratedTo: z.int().optional(),
})
export type Room = z.infer<typeof Room>

const Topic = z.object({
  chatId: z.int(),
  threadId: z.int(),
  name: z.string(),
  icon_color: z.int(),
  closed: z.boolean(),
})
export type Topic = z.infer<typeof Topic>

/** The General topic of a forum has this id for clients; the Bot API never shows or takes it. */
export const GENERAL_TOPIC = 0

export class People {
  readonly #database: DatabaseSync

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  all(): Person[] {
    return this.#database
      .prepare('SELECT json FROM people ORDER BY rowid')
      .all()
      .map((row) => Person.parse(JSON.parse(String(row.json))))
  }

  find(id: number): Person | undefined {
    const row = this.#database.prepare('SELECT json FROM people WHERE id = ?').get(id)
    return row ? Person.parse(JSON.parse(String(row.json))) : undefined
  }

  save(person: Person): Person {
    const parsed = Person.parse(person)
    this.#database
      .prepare('INSERT OR REPLACE INTO people (id, json) VALUES (?, ?)')
      .run(person.id, JSON.stringify(parsed))
    return parsed
  }

  rooms(): Room[] {
    return this.#database
      .prepare('SELECT json FROM rooms ORDER BY id DESC')
      .all()
      .map((row) => Room.parse(JSON.parse(String(row.json))))
  }

  room(id: number): Room | undefined {
    const row = this.#database.prepare('SELECT json FROM rooms WHERE id = ?').get(id)
    return row ? Room.parse(JSON.parse(String(row.json))) : undefined
  }

  saveRoom(room: Room): Room {
    const parsed = Room.parse(room)
    this.#database.prepare('INSERT OR REPLACE INTO rooms (id, json) VALUES (?, ?)').run(room.id, JSON.stringify(parsed))
    return parsed
  }

  topics(chatId: number): Topic[] {
    return this.#database
      .prepare('SELECT json FROM topics WHERE chat_id = ? ORDER BY thread_id')
      .all(chatId)
      .map((row) => Topic.parse(JSON.parse(String(row.json))))
  }

  topic(chatId: number, threadId: number): Topic | undefined {
    return this.topics(chatId).find((topic) => topic.threadId === threadId)
  }

  saveTopic(topic: Topic): void {
    this.#database
      .prepare('INSERT OR REPLACE INTO topics (chat_id, thread_id, json) VALUES (?, ?, ?)')
      .run(topic.chatId, topic.threadId, JSON.stringify(Topic.parse(topic)))
  }

  removeTopic(chatId: number, threadId: number): void {
    this.#database.prepare('DELETE FROM topics WHERE chat_id = ? AND thread_id = ?').run(chatId, threadId)
  }

  /** The chat as it stands in messages. */
  chat(id: number): Exclude<Chat, Chat.ChannelChat> | undefined {
    const person = this.find(id)
    if (person) {
      return {
        id,
        type: 'private',
        first_name: person.first_name,
        ...(person.last_name ? { last_name: person.last_name } : {}),
        ...(person.username ? { username: person.username } : {}),
      }
    }
    const room = this.room(id)
    if (!room) return undefined
    if (room.type === 'group') return { id, type: 'group', title: room.title }
    return {
      id,
      type: 'supergroup',
      title: room.title,
      ...(room.username ? { username: room.username } : {}),
      ...(room.is_forum ? { is_forum: true } : {}),
    }
  }

  byUsername(username: string): number | undefined {
    const wanted = username.toLowerCase()
    return (
      this.all().find((person) => person.username?.toLowerCase() === wanted)?.id ??
      this.rooms().find((room) => room.username?.toLowerCase() === wanted)?.id
    )
  }
}

export function userOf(person: Person): User {
  return {
    id: person.id,
    is_bot: false,
    first_name: person.first_name,
    ...(person.last_name ? { last_name: person.last_name } : {}),
    ...(person.username ? { username: person.username } : {}),
    ...(person.language_code ? { language_code: person.language_code as NonNullable<User['language_code']> } : {}),
    ...(person.is_premium ? { is_premium: true } : {}),
  }
}
