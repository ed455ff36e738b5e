/** Full-text search over everything ever said in a history, compacted rows included; newest first. */
import type { Database } from '../storage/database.ts'

export interface Found {
  readonly role: string
  readonly content: string
  readonly created_at: string
}

const MAX_CONTENT_CHARS = 2000
const COLUMNS = 'm.role AS role, m.text AS text, m.created_at AS created_at'

/** @param query words; all must occur. Anything that is syntax to FTS5 is taken as text */
export function searchHistory(database: Database, historyId: string, query: string, limit: number): Found[] {
  const words = query.match(/[\p{L}\p{N}_]+/gu) ?? []
  if (words.length === 0) return []
  const found = database
    .prepare(
      `SELECT ${COLUMNS} FROM messages_search s JOIN messages m ON m.id = s.rowid
       WHERE messages_search MATCH ? AND m.history_id = ? ORDER BY m.id DESC LIMIT ?`,
    )
    .all(words.map((word) => `"${word}"*`).join(' '), historyId, limit)
  // The tokenizer sees a run of Chinese or Japanese as one word: look inside it.
  const rows = found.length > 0 ? found : searchInside(database, historyId, query, limit)
  return rows.map((row) => ({
    role: String(row.role),
    content: excerpt(String(row.text), words[0] ?? ''),
    created_at: String(row.created_at),
  }))
}

function searchInside(database: Database, historyId: string, query: string, limit: number) {
  const pattern = `%${query.trim().replace(/[\\%_]/g, '\\$&')}%`
  return database
    .prepare(
      `SELECT ${COLUMNS} FROM messages m WHERE m.history_id = ? AND m.text LIKE ? ESCAPE '\\' ORDER BY m.id DESC LIMIT ?`,
    )
    .all(historyId, pattern, limit)
}

function excerpt(text: string, word: string): string {
  if (text.length <= MAX_CONTENT_CHARS) return text
  const at = Math.max(0, text.toLowerCase().indexOf(word.toLowerCase()) - MAX_CONTENT_CHARS / 4)
  return `${at > 0 ? '…' : ''}${text.slice(at, at + MAX_CONTENT_CHARS)}…`
}
