/**
 * The rows that go to the model, and those of the chat that spoke last kept at hand: every turn of it needs all of them, and
 * reading them anew was half of a turn in a long chat. What is kept cannot be wrong: ids are never used twice, a row that
 * stopped being live never is again, and the one change to a row's text (`shorten`) makes us forget.
 */
import { ModelMessage } from '../model/model-message.ts'
import type { Database } from '../storage/database.ts'
import type { HistoryRow } from './history.ts'

/** A longer history is read anew each time: next to what the model takes for it that is nothing, and the memory is. */
const MAX_KEPT_CHARS = 1_000_000

interface Kept {
  readonly historyId: string
  readonly rows: readonly HistoryRow[]
  readonly chars: number
}

export class LiveRows {
  readonly #database: Database
  #kept: Kept | undefined

  constructor(database: Database) {
    this.#database = database
  }

  read(historyId: string): readonly HistoryRow[] {
    const kept = this.#keptOf(historyId)
    const added = this.#database
      .prepare('SELECT id, body FROM messages WHERE history_id = ? AND compacted = 0 AND id > ? ORDER BY id')
      .all(historyId, kept.rows.at(-1)?.id ?? 0)
    if (added.length === 0) return kept.rows
    const rows = [...kept.rows, ...added.map(readRow)]
    const chars = added.reduce((sum, { body }) => sum + String(body).length, kept.chars)
    this.#kept = chars > MAX_KEPT_CHARS ? undefined : { historyId, rows, chars }
    return rows
  }

  forget(): void {
    this.#kept = undefined
  }

  #keptOf(historyId: string): Kept {
    const none = { historyId, rows: [], chars: 0 }
    const kept = this.#kept
    if (kept?.historyId !== historyId) return none
    const row = this.#database
      .prepare('SELECT count(*) AS n FROM messages WHERE history_id = ? AND compacted = 0 AND id <= ?')
      .get(historyId, kept.rows.at(-1)?.id ?? 0)
    return Number(row?.n) === kept.rows.length ? kept : none
  }
}

/** The columns are our own, so only what they hold is checked. */
function readRow(row: Record<string, unknown>): HistoryRow {
  return { id: Number(row.id), message: ModelMessage.parse(JSON.parse(String(row.body))) }
}
