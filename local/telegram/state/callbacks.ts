/** Pressed buttons that wait for `answerCallbackQuery`: each may be answered once, and not for long. */
import { randomInt } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../clock.ts'

/** Telegram does not publish its own; a bot that answers at once is far from it. */
const CALLBACK_ANSWER_MS = 30_000

export class Callbacks {
  readonly #database: DatabaseSync
  readonly #clock: Clock

  constructor(database: DatabaseSync, clock: Clock) {
    this.#database = database
    this.#clock = clock
  }

  open(userId: number): string {
    const id = `${userId}${randomInt(1_000_000_000, 9_999_999_999)}`
    this.#database
      .prepare('INSERT INTO callbacks (id, user_id, asked_at, answered) VALUES (?, ?, ?, 0)')
      .run(id, userId, this.#clock.now())
    return id
  }

  /** @returns who pressed, or undefined when the query is unknown, too old or answered already */
  answer(id: string): number | undefined {
    const row = this.#database
      .prepare('UPDATE callbacks SET answered = 1 WHERE id = ? AND answered = 0 AND asked_at >= ? RETURNING user_id')
      .get(id, this.#clock.now() - CALLBACK_ANSWER_MS)
    return row ? Number(row.user_id) : undefined
  }
}
