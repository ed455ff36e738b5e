/** Messages as the Bot API shows them, with ids counted as Telegram counts them. */
import type { DatabaseSync } from 'node:sqlite'
import type { Message, ReactionType } from 'grammy/types'
import type { Settings } from './settings.ts'

export interface MessageFilter {
  readonly chatId: number
  /** 0 is the chat itself, or a forum's General topic. */
  readonly threadId?: number
  readonly beforeId?: number
  readonly limit?: number
}

export interface Reaction {
  readonly userId: number
  readonly types: ReactionType[]
}

export class Messages {
  readonly #database: DatabaseSync
  readonly #settings: Settings

  constructor(database: DatabaseSync, settings: Settings) {
    this.#database = database
    this.#settings = settings
  }

  /** A supergroup counts for itself; private chats and basic groups share the bot account's one count. */
  nextId(chat: { id: number; type: string }): number {
    return this.#settings.next(chat.type === 'supergroup' ? `message:${chat.id}` : 'message', 1)
  }

  save(message: Message): void {
    this.#database
      .prepare('INSERT OR REPLACE INTO messages (chat_id, message_id, thread_id, from_id, json) VALUES (?, ?, ?, ?, ?)')
      .run(
        message.chat.id,
        message.message_id,
        threadOf(message),
        message.from?.id ?? 0,
        JSON.stringify({
          ...message,
          reply_to_message: message.reply_to_message && withoutReply(message.reply_to_message),
        }),
      )
  }

  find(chatId: number, messageId: number): Message | undefined {
    const row = this.#database
      .prepare('SELECT json FROM messages WHERE chat_id = ? AND message_id = ?')
      .get(chatId, messageId)
    return row ? readMessage(row) : undefined
  }

  /** Oldest first; of many, the newest `limit`. */
  list({ chatId, threadId, beforeId, limit = 200 }: MessageFilter): Message[] {
    return this.#database
      .prepare(
        `SELECT json FROM messages WHERE chat_id = ? AND (? IS NULL OR thread_id = ?) AND message_id < ?
         ORDER BY message_id DESC LIMIT ?`,
      )
      .all(chatId, threadId ?? null, threadId ?? null, beforeId ?? Number.MAX_SAFE_INTEGER, limit)
      .map(readMessage)
      .reverse()
  }

  remove(chatId: number, messageId: number): boolean {
    this.#database.prepare('DELETE FROM reactions WHERE chat_id = ? AND message_id = ?').run(chatId, messageId)
    return (
      this.#database.prepare('DELETE FROM messages WHERE chat_id = ? AND message_id = ?').run(chatId, messageId)
        .changes > 0
    )
  }

  react(chatId: number, messageId: number, { userId, types }: Reaction): void {
    if (types.length === 0) {
      this.#database
        .prepare('DELETE FROM reactions WHERE chat_id = ? AND message_id = ? AND user_id = ?')
        .run(chatId, messageId, userId)
      return
    }
    this.#database
      .prepare('INSERT OR REPLACE INTO reactions (chat_id, message_id, user_id, json) VALUES (?, ?, ?, ?)')
      .run(chatId, messageId, userId, JSON.stringify(types))
  }

  reactions(chatId: number, messageId: number): Reaction[] {
    return this.#database
      .prepare('SELECT user_id, json FROM reactions WHERE chat_id = ? AND message_id = ? ORDER BY rowid')
      .all(chatId, messageId)
      .map((row) => ({ userId: Number(row.user_id), types: JSON.parse(String(row.json)) }))
  }

  markRead(userId: number, chatId: number, threadId: number, messageId: number): void {
    this.#database
      .prepare(
        `INSERT INTO reads (user_id, chat_id, thread_id, message_id) VALUES (?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET message_id = max(message_id, excluded.message_id)`,
      )
      .run(userId, chatId, threadId, messageId)
  }

  unread(userId: number, chatId: number, threadId: number): number {
    const row = this.#database
      .prepare(
        `SELECT count(*) AS n FROM messages WHERE chat_id = ? AND thread_id = ? AND from_id <> ? AND message_id > coalesce(
           (SELECT message_id FROM reads WHERE user_id = ? AND chat_id = ? AND thread_id = ?), 0)`,
      )
      .get(chatId, threadId, userId, userId, chatId, threadId)
    return Number(row?.n ?? 0)
  }
}

/** Only messages in a topic belong to it; a reply chain in an ordinary supergroup has a thread id too. */
function threadOf(message: Message): number {
  return message.is_topic_message ? (message.message_thread_id ?? 0) : 0
}

/** A quoted message never carries the one it quotes in turn. */
export function withoutReply(message: Message): Message {
  const { reply_to_message: _, ...rest } = message
  return rest
}

function readMessage(row: Record<string, unknown>): Message {
  return JSON.parse(String(row.json))
}
