/**
 * Results of background work that wait to be fetched. A row stays until it is acknowledged, and until the model of its chat
 * was told what was sent in its name (with the person's next message). Written in the transaction that ends the turn.
 */
import { z } from 'zod'
import type { PendingMessage } from './protocol.ts'
import type { Database } from './storage/database.ts'
import { parseFailure } from './turn/failure-sentence.ts'

/** Acknowledged rows are kept so long for the person's next message, which tells the model of them. */
const PENDING_KEEP_MS = 7 * 86_400_000
const MAX_FETCHED = 100
/** Of one answer: who fetches takes the rest after acknowledging. */
const MAX_FETCHED_CHARS = 2_000_000

export interface PendingResult {
  readonly text: string
  readonly files: readonly { readonly path: string; readonly caption?: string }[]
  /** The chat has heard it today (UTC, as budgets count): once is enough, however often it is found out again. */
  readonly oncePerDay?: true
}

export interface Untold {
  readonly id: number
  readonly source: string
  readonly content: string
}

export interface PendingStore {
  add(turn: { chatId: string; origin: string; request: { user: { role: string } } }, result: PendingResult): void
  fetch(afterId: number): PendingMessage[]
  acknowledge(upToId: number): void
  waiting(): boolean
  /** What was sent to this history's chat and its model does not know yet. */
  untold(historyId: string): Untold[]
  markTold(ids: readonly number[]): void
  prune(now: number): void
}

const Row = z.object({
  id: z.int(),
  chat_id: z.string(),
  content: z.string(),
  source: z.string(),
  file: z.string().nullable(),
  created_at: z.string(),
})
const StoredFile = z.object({ path: z.string(), caption: z.string().exactOptional() })

export function createPendingStore(database: Database): PendingStore {
  return {
    add: (turn, result) => {
      const insert = database.prepare(
        'INSERT INTO pending (chat_id, history_id, content, source, file, created_at) VALUES (?, ?, ?, ?, ?, ?)',
      )
      const historyId = chatHistoryId(turn.chatId, turn.request.user.role)
      const now = new Date().toISOString()
      if (result.oncePerDay && isKnownToday(database, { historyId, content: result.text, now })) return
      const rows = result.text === '' ? [] : [{ content: result.text, file: null as string | null }]
      for (const file of result.files) rows.push({ content: '', file: JSON.stringify(file) })
      for (const row of rows) insert.run(turn.chatId, historyId, row.content, turn.origin, row.file, now)
    },
    fetch: (afterId) => {
      const rows = database
        .prepare('SELECT * FROM pending WHERE acknowledged_at IS NULL AND id > ? ORDER BY id LIMIT ?')
        .all(afterId, MAX_FETCHED)
      let chars = 0
      const messages: PendingMessage[] = []
      for (const message of rows.map(readMessage)) {
        chars += message.content.length
        // The first always: what is too long on its own must not wait for ever.
        if (messages.length > 0 && chars > MAX_FETCHED_CHARS) break
        messages.push(message)
      }
      return messages
    },
    acknowledge: (upToId) => {
      database
        .prepare('UPDATE pending SET acknowledged_at = ? WHERE acknowledged_at IS NULL AND id <= ?')
        .run(Date.now(), upToId)
    },
    waiting: () => database.prepare('SELECT 1 FROM pending WHERE acknowledged_at IS NULL LIMIT 1').get() !== undefined,
    untold: (historyId) => untold(database, historyId),
    markTold: (ids) => {
      for (const id of ids) database.prepare('UPDATE pending SET told = 1 WHERE id = ?').run(id)
    },
    prune: (now) => {
      database.prepare('DELETE FROM pending WHERE acknowledged_at < ?').run(now - PENDING_KEEP_MS)
    },
  }
}

/** A visitor never shares a history with the owner, whatever chat id is given. */
export function chatHistoryId(chatId: string, role: string): string {
  return role === 'owner' ? `chat:${chatId}` : `visitor:${chatId}`
}

function readMessage(raw: unknown): PendingMessage {
  const row = Row.parse(raw)
  const failure = parseFailure(row.content)
  return {
    id: row.id,
    chat_id: row.chat_id,
    content: row.content,
    source: row.source,
    created_at: row.created_at,
    ...failure,
    ...(row.file !== null && { file: StoredFile.parse(JSON.parse(row.file)) }),
  }
}

function isKnownToday(
  database: Database,
  { historyId, content, now }: { historyId: string; content: string; now: string },
): boolean {
  // Rows outlast their day, acknowledged or not.
  return (
    database
      .prepare('SELECT 1 FROM pending WHERE history_id = ? AND content = ? AND substr(created_at, 1, 10) = ? LIMIT 1')
      .get(historyId, content, now.slice(0, 10)) !== undefined
  )
}

function untold(database: Database, historyId: string): Untold[] {
  return database
    .prepare('SELECT id, source, content, file FROM pending WHERE history_id = ? AND told = 0 ORDER BY id')
    .all(historyId)
    .map((row) => ({
      id: Number(row.id),
      source: String(row.source),
      content:
        row.file === null ? String(row.content) : `(file ${StoredFile.parse(JSON.parse(String(row.file))).path})`,
    }))
}
