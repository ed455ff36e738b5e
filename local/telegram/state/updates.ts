/**
 * Updates for the bot that it has not confirmed yet, each in the queue in which Telegram keeps its order (messages by chat,
 * callback queries by user). Ids grow by one; the age after which an update is dropped depends on its kind.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { Update } from 'grammy/types'
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import type { Settings } from './settings.ts'

export type UpdateKind = Exclude<keyof Update, 'update_id'>

/** These must be asked for by name. */
const NOT_BY_DEFAULT: readonly UpdateKind[] = ['chat_member', 'message_reaction', 'message_reaction_count']

const DAY_MS = 24 * 3600 * 1000
const CALLBACK_LIFETIME_MS = 150_000

export interface QueuedUpdate {
  readonly update: Update
  readonly queue: string
  readonly expiresAt: number
}

const AllowedUpdates = z.array(z.string())

export class Updates {
  readonly #database: DatabaseSync
  readonly #settings: Settings
  readonly #clock: Clock
  readonly #listeners = new Set<() => void>()

  constructor(database: DatabaseSync, settings: Settings, clock: Clock) {
    this.#database = database
    this.#settings = settings
    this.#clock = clock
  }

  /** @returns the update, or undefined when the bot did not ask for its kind */
  add<K extends UpdateKind>(kind: K, payload: NonNullable<Update[K]>, owner: number): Update | undefined {
    if (!this.isAllowed(kind)) return undefined
    const update: Update = { update_id: this.#settings.next('update', 100_000_001), [kind]: payload }
    const lifetime = kind === 'callback_query' ? CALLBACK_LIFETIME_MS : DAY_MS
    this.#database
      .prepare('INSERT INTO updates (update_id, queue, json, expires_at) VALUES (?, ?, ?, ?)')
      .run(update.update_id, queueOf(kind, owner), JSON.stringify(update), this.#clock.now() + lifetime)
    for (const listener of this.#listeners) listener()
    return update
  }

  /** Puts any JSON into a chat's queue as an update: what a newer Telegram, or a broken one, might send. */
  addRaw(body: Record<string, unknown>, owner: number): number {
    const id = this.#settings.next('update', 100_000_001)
    this.#database
      .prepare('INSERT INTO updates (update_id, queue, json, expires_at) VALUES (?, ?, ?, ?)')
      .run(id, `chat:${owner}`, JSON.stringify({ update_id: id, ...body }), this.#clock.now() + DAY_MS)
    for (const listener of this.#listeners) listener()
    return id
  }

  onAdded(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Unconfirmed ones after `afterId`, oldest first; those past their time are gone. */
  list(afterId = 0, limit = 1000): QueuedUpdate[] {
    this.#database.prepare('DELETE FROM updates WHERE expires_at < ?').run(this.#clock.now())
    return this.#database
      .prepare('SELECT queue, json, expires_at FROM updates WHERE update_id > ? ORDER BY update_id LIMIT ?')
      .all(afterId, limit)
      .map((row) => ({
        update: JSON.parse(String(row.json)),
        queue: String(row.queue),
        expiresAt: Number(row.expires_at),
      }))
  }

  count(): number {
    return Number(this.#database.prepare('SELECT count(*) AS n FROM updates').get()?.n ?? 0)
  }

  remove(updateId: number): void {
    this.#database.prepare('DELETE FROM updates WHERE update_id = ?').run(updateId)
  }

  /** Confirms everything before `offset`. */
  removeBefore(offset: number): void {
    this.#database.prepare('DELETE FROM updates WHERE update_id < ?').run(offset)
  }

  clear(): void {
    this.#database.exec('DELETE FROM updates')
  }

  /** What was given last with setWebhook or getUpdates; an empty list means the default kinds. */
  allow(kinds: readonly string[] | undefined): void {
    if (kinds) this.#settings.put('allowed_updates', kinds)
  }

  allowed(): string[] {
    return this.#settings.get('allowed_updates', AllowedUpdates) ?? []
  }

  isAllowed(kind: UpdateKind): boolean {
    const allowed = this.allowed()
    return allowed.length === 0 ? !NOT_BY_DEFAULT.includes(kind) : allowed.includes(kind)
  }
}

/** Whether a stopped draft shares the chat's queue is not known; sharing is the harder case for a bot. */
function queueOf(kind: UpdateKind, owner: number): string {
  switch (kind) {
    case 'message':
    case 'edited_message':
    case 'stopped_message_generation':
      return `chat:${owner}`
    case 'callback_query':
      return `callback:${owner}`
    default:
      return `${kind}:${owner}`
  }
}
