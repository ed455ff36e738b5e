/**
 * What is scheduled, kept in a database of its own so that it survives restarts and is not part of any history.
 *
 * A row is `waiting` for its time, `running` from the moment its turn is asked for, and afterwards `waiting` again or `done`.
 * A row found `running` at a start was interrupted: it is run again under the same turn id, which never runs twice.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { ChatUser } from '../protocol.ts'
import type { Timing } from './timing.ts'

const SCHEDULES_FILE = 'schedules.db'
/** Per chat. */
export const MAX_SCHEDULES = 50
/** Whoever adds a version keeps the former file first (`storage/former-database.ts`). */
const VERSION = 1
const SCHEMA = `
  CREATE TABLE schedules (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    chat_id TEXT NOT NULL,
    user TEXT NOT NULL,
    prompt TEXT NOT NULL,
    timing TEXT NOT NULL,
    timezone TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    retry_at INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    finished_at INTEGER
  );
  CREATE INDEX schedules_open ON schedules (due_at) WHERE state IN ('waiting', 'running');
  CREATE TABLE notes (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  PRAGMA user_version=${VERSION};
`
const DONE_KEEP_MS = 30 * 86_400_000

export interface NewSchedule {
  readonly chatId: string
  readonly user: ChatUser
  readonly prompt: string
  readonly timing: Timing
  readonly timezone: string
  readonly dueAtMs: number
}

export interface Schedule extends NewSchedule {
  readonly id: number
  readonly state: 'waiting' | 'running' | 'done' | 'cancelled'
  /** How often the turn that is due could not be run. */
  readonly attempts: number
}

export class SchedulesTooNew extends Error {
  readonly code = 'schedules_too_new'
  constructor(found: number) {
    super(
      `${SCHEDULES_FILE} has version ${found}, this program knows ${VERSION}. Nothing was changed. Run the newer program.`,
    )
  }
}

const TimingColumn = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('once') }),
  z.object({ kind: z.literal('every'), everyMinutes: z.number() }),
  z.object({ kind: z.literal('cron'), expression: z.string() }),
])
const json = z.string().transform((text): unknown => JSON.parse(text))
const Row = z
  .object({
    id: z.int(),
    chat_id: z.string(),
    user: json.pipe(ChatUser),
    prompt: z.string(),
    timing: json.pipe(TimingColumn),
    timezone: z.string(),
    due_at: z.int(),
    state: z.enum(['waiting', 'running', 'done', 'cancelled']),
    attempts: z.int(),
  })
  .transform(({ chat_id: chatId, due_at: dueAtMs, ...row }): Schedule => ({ ...row, chatId, dueAtMs }))

/** @param clock what time it is; tests hand in their own */
export function openSchedules(dataDir: string, clock: () => number = Date.now): Schedules {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const umask = process.umask(0o077)
  try {
    return new Schedules(open(join(dataDir, SCHEDULES_FILE)), clock)
  } finally {
    process.umask(umask)
  }
}

function open(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 5000 })
  try {
    const version = Number(database.prepare('PRAGMA user_version').get()?.user_version ?? 0)
    if (version > VERSION) throw new SchedulesTooNew(version)
    // A reminder that was confirmed has to be on the disk: FULL. There are few writes.
    database.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-256')
    if (version === 0) database.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT`)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

export class Schedules {
  readonly #database: DatabaseSync
  readonly now: () => number

  constructor(database: DatabaseSync, now: () => number) {
    this.#database = database
    this.now = now
  }

  /** @returns `undefined` when the chat has too many */
  add(schedule: NewSchedule): Schedule | undefined {
    if (this.list(schedule.chatId).length >= MAX_SCHEDULES) return undefined
    const { chatId, user, prompt, timing, timezone, dueAtMs } = schedule
    const { lastInsertRowid } = this.#database
      .prepare(
        `INSERT INTO schedules (chat_id, user, prompt, timing, timezone, due_at, state) VALUES (?, ?, ?, ?, ?, ?, 'waiting')`,
      )
      .run(chatId, JSON.stringify(user), prompt, JSON.stringify(timing), timezone, Math.round(dueAtMs))
    return { ...schedule, id: Number(lastInsertRowid), state: 'waiting', attempts: 0 }
  }

  /** Those still to come, the next first. */
  list(chatId: string): Schedule[] {
    return this.#select(`chat_id = ? AND state IN ('waiting', 'running') ORDER BY due_at, id`, chatId)
  }

  cancel(id: number, chatId: string): boolean {
    const { changes } = this.#database
      .prepare(
        `UPDATE schedules SET state = 'cancelled', finished_at = ? WHERE id = ? AND chat_id = ? AND state IN ('waiting', 'running')`,
      )
      .run(this.now(), id, chatId)
    return Number(changes) > 0
  }

  /** Those whose time has come; the longest due first. */
  due(): Schedule[] {
    return this.#select(`state = 'waiting' AND due_at <= ?1 AND retry_at <= ?1 ORDER BY due_at, id`, this.now())
  }

  begin(id: number): void {
    this.#database.prepare(`UPDATE schedules SET state = 'running' WHERE id = ? AND state = 'waiting'`).run(id)
  }

  /** After a start: what was running when the last process ended is due again. */
  recover(): void {
    this.#database.exec(`UPDATE schedules SET state = 'waiting' WHERE state = 'running'`)
    this.#database
      .prepare(`DELETE FROM schedules WHERE state IN ('done', 'cancelled') AND finished_at < ?`)
      .run(this.now() - DONE_KEEP_MS)
  }

  /** It was run. @param nextDueAtMs absent: it is done for good */
  finish(id: number, nextDueAtMs: number | undefined): void {
    // A cancellation while it ran stands.
    this.#database
      .prepare(
        `UPDATE schedules SET state = ?, due_at = coalesce(?, due_at), attempts = 0, retry_at = 0, finished_at = ? WHERE id = ? AND state = 'running'`,
      )
      .run(nextDueAtMs === undefined ? 'done' : 'waiting', nextDueAtMs ?? null, this.now(), id)
  }

  /** It could not be run; it stays due and is tried again then. */
  postpone(id: number, retryAtMs: number): void {
    this.#database
      .prepare(
        `UPDATE schedules SET state = 'waiting', attempts = attempts + 1, retry_at = ? WHERE id = ? AND state = 'running'`,
      )
      .run(retryAtMs, id)
  }

  timezone(chatId: string): string | undefined {
    return this.note(`timezone:${chatId}`)
  }

  rememberTimezone(chatId: string, timezone: string): void {
    this.setNote(`timezone:${chatId}`, timezone)
  }

  note(name: string): string | undefined {
    const row = this.#database.prepare('SELECT value FROM notes WHERE name = ?').get(name)
    return row && String(row.value)
  }

  setNote(name: string, value: string): void {
    this.#database.prepare('INSERT OR REPLACE INTO notes (name, value) VALUES (?, ?)').run(name, value)
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close()
  }

  #select(where: string, ...values: (string | number)[]): Schedule[] {
    return this.#database
      .prepare(`SELECT * FROM schedules WHERE ${where}`)
      .all(...values)
      .map((row) => Row.parse(row))
  }
}
