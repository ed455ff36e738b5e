/**
 * Everything that was said, row by row. The order is the row id, never the clock: clocks step when a machine boots.
 * Rows are appended; compaction flags them and clearing deletes them, nothing else changes one.
 */
import { z } from 'zod'
import type { ModelMessage } from '../model/model-message.ts'
import type { Database } from '../storage/database.ts'
import { LiveRows } from './live-rows.ts'

export interface HistoryRow {
  readonly id: number
  readonly message: ModelMessage
}

/** What is kept per history beside its rows. */
export interface HistoryState {
  /** The system prompt of this epoch, exactly as sent. */
  readonly systemPrompt: string
  /** What the prompt was made from; another value begins another epoch. */
  readonly promptRevision: string
  readonly summary: string
  /** Tokens of prompt and answer as the server counted them, for all rows up to `usedUpTo`. */
  readonly usedTokens: number
  readonly usedUpTo: number
  readonly failedCompactions: number
  /** No summary by the model before this time (ms since 1970). */
  readonly compactAfter: number
  readonly activeAt: number
}

export interface History {
  append(historyId: string, turnId: string, messages: readonly ModelMessage[]): HistoryRow[]
  /** The rows that go to the model. */
  live(historyId: string): readonly HistoryRow[]
  state(historyId: string): HistoryState
  /** @param chatId the chat a new history belongs to */
  ensure(historyId: string, chatId: string): void
  update(historyId: string, change: Partial<HistoryState>): void
  /** Rows up to and including `upToId` no longer go to the model. */
  markCompacted(historyId: string, upToId: number): void
  /** Replaces the text of a row that is too large to be sent; the search keeps the original. */
  shorten(rowId: number, message: ModelMessage): void
  /** Deletes all histories of a chat. @returns how many messages a person or the agent had said */
  clear(chatId: string): number
  historyIds(chatId: string): string[]
}

const StateRow = z.object({
  system_prompt: z.string(),
  prompt_revision: z.string(),
  summary: z.string(),
  used_tokens: z.int(),
  used_up_to: z.int(),
  failed_compactions: z.int(),
  compact_after: z.int(),
  active_at: z.int(),
})

const COLUMNS: Readonly<Record<keyof HistoryState, string>> = {
  systemPrompt: 'system_prompt',
  promptRevision: 'prompt_revision',
  summary: 'summary',
  usedTokens: 'used_tokens',
  usedUpTo: 'used_up_to',
  failedCompactions: 'failed_compactions',
  compactAfter: 'compact_after',
  activeAt: 'active_at',
}

export function createHistory(database: Database): History {
  const liveRows = new LiveRows(database)
  return {
    append: (historyId, turnId, messages) => append(database, historyId, turnId, messages),
    live: (historyId) => liveRows.read(historyId),
    state: (historyId) => readState(database, historyId),
    ensure: (historyId, chatId) => {
      database.prepare('INSERT OR IGNORE INTO histories (history_id, chat_id) VALUES (?, ?)').run(historyId, chatId)
    },
    update: (historyId, change) => update(database, historyId, change),
    markCompacted: (historyId, upToId) => {
      database
        .prepare('UPDATE messages SET compacted = 1 WHERE history_id = ? AND id <= ? AND compacted = 0')
        .run(historyId, upToId)
    },
    shorten: (rowId, message) => {
      liveRows.forget()
      database.prepare('UPDATE messages SET body = ? WHERE id = ?').run(JSON.stringify(message), rowId)
    },
    clear: (chatId) => clear(database, chatId),
    historyIds: (chatId) =>
      database
        .prepare('SELECT history_id FROM histories WHERE chat_id = ? ORDER BY history_id')
        .all(chatId)
        .map((row) => String(row.history_id)),
  }
}

function append(
  database: Database,
  historyId: string,
  turnId: string,
  messages: readonly ModelMessage[],
): HistoryRow[] {
  const insert = database.prepare(
    'INSERT INTO messages (history_id, turn_id, role, body, text, created_at) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const now = new Date().toISOString()
  return messages.map((message) => {
    const { lastInsertRowid } = insert.run(
      historyId,
      turnId,
      message.role,
      JSON.stringify(message),
      searchable(message),
      now,
    )
    return { id: Number(lastInsertRowid), message }
  })
}

/** Tool output is found through what was said about it; indexing pages of it would bury the conversation. */
function searchable(message: ModelMessage): string {
  return message.role === 'tool' ? '' : message.content
}

function readState(database: Database, historyId: string): HistoryState {
  const raw = database.prepare('SELECT * FROM histories WHERE history_id = ?').get(historyId)
  const row = StateRow.parse(
    raw ?? {
      system_prompt: '',
      prompt_revision: '',
      summary: '',
      used_tokens: 0,
      used_up_to: 0,
      failed_compactions: 0,
      compact_after: 0,
      active_at: 0,
    },
  )
  return {
    systemPrompt: row.system_prompt,
    promptRevision: row.prompt_revision,
    summary: row.summary,
    usedTokens: row.used_tokens,
    usedUpTo: row.used_up_to,
    failedCompactions: row.failed_compactions,
    compactAfter: row.compact_after,
    activeAt: row.active_at,
  }
}

function update(database: Database, historyId: string, change: Partial<HistoryState>): void {
  const names = Object.keys(COLUMNS).filter((name): name is keyof HistoryState => name in change)
  if (names.length === 0) return
  const assignments = names.map((name) => `${COLUMNS[name]} = ?`).join(', ')
  database
    .prepare(`UPDATE histories SET ${assignments} WHERE history_id = ?`)
    .run(...names.map((name) => change[name] ?? null), historyId)
}

function clear(database: Database, chatId: string): number {
  return database.transaction(() => {
    const ofChat = 'history_id IN (SELECT history_id FROM histories WHERE chat_id = ?)'
    const counted = database
      .prepare(`SELECT count(*) AS n FROM messages WHERE role IN ('user', 'assistant') AND ${ofChat}`)
      .get(chatId)
    database.prepare(`DELETE FROM messages WHERE ${ofChat}`).run(chatId)
    database.prepare('DELETE FROM histories WHERE chat_id = ?').run(chatId)
    return Number(counted?.n ?? 0)
  })
}
