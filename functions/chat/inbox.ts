/**
 * Updates as Telegram handed them over: a row is durable before Telegram hears "ok", and stays for 48 h after it was handled,
 * so that a repeated update is known. Order within a lane is the order of update ids.
 */
import type { Update } from 'grammy/types'
import { z } from 'zod'
import type { ChatDatabase } from './chat-database.ts'

/**
 * `urgent`: stops; never behind anything. `control`: commands and buttons. `turn`: words for the agent. `aside`: a part of an
 * album in a group that nobody has asked us about yet; it joins the turn if a later part does.
 */
export type InboxLane = 'urgent' | 'control' | 'turn' | 'aside'

export interface InboxItem {
  readonly updateId: number
  readonly update: Update
  readonly receivedAt: number
  readonly attempts: number
  readonly nextAt: number
}

export const KEPT_AFTER_DONE_MS = 48 * 3_600_000
/** Parts of an album come within seconds. */
export const ALBUM_SPAN_MS = 10_000
/** Read at once; more than anybody types while one update is handled. */
const BATCH = 64

const Row = z.object({
  update_id: z.int(),
  payload: z.string(),
  received_at: z.int(),
  attempts: z.int(),
  next_at: z.int(),
})

export class Inbox {
  readonly #database: ChatDatabase

  constructor(database: ChatDatabase) {
    this.#database = database
  }

  /** @returns false when this update is known already */
  add(update: Update, lane: InboxLane, now: number): boolean {
    return this.#database.transaction(() => {
      const added = this.#database.query(
        `INSERT INTO inbox (update_id, lane, state, payload, received_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO NOTHING RETURNING update_id`,
        update.update_id,
        lane,
        lane === 'aside' ? 'aside' : 'open',
        JSON.stringify(update),
        now,
      )
      const album = update.message?.media_group_id
      if (added.length > 0 && lane === 'turn' && album !== undefined) this.#takeUp(album, now)
      return added.length > 0
    })
  }

  /** Pictures that nobody asked us about are not ours to keep. */
  forgetAside(now: number): void {
    this.#database.query("DELETE FROM inbox WHERE state = 'aside' AND received_at < ?", now - ALBUM_SPAN_MS)
  }

  /** As if they had come just now: so they are gathered with the part that asks. */
  #takeUp(album: string, now: number): void {
    this.#database.query(
      `UPDATE inbox SET lane = 'turn', state = 'open', received_at = ?
       WHERE state = 'aside' AND json_extract(payload, '$.message.media_group_id') = ?`,
      now,
      album,
    )
  }

  has(updateId: number): boolean {
    return this.#database.query('SELECT 1 FROM inbox WHERE update_id = ?', updateId).length > 0
  }

  isDone(updateId: number): boolean {
    return this.#database.query("SELECT 1 FROM inbox WHERE update_id = ? AND state = 'done'", updateId).length > 0
  }

  open(lane: InboxLane): InboxItem[] {
    return this.#database
      .query(`SELECT * FROM inbox WHERE state = 'open' AND lane = ? ORDER BY update_id LIMIT ${BATCH}`, lane)
      .map(parseItem)
  }

  openCount(): number {
    return z.int().parse(this.#database.query("SELECT COUNT(*) AS n FROM inbox WHERE state = 'open'")[0]?.n)
  }

  /** Whether another part of this album was taken in lately: its later parts carry neither caption nor mention. */
  knowsAlbum(mediaGroupId: string, since: number): boolean {
    return (
      this.#database.query(
        `SELECT 1 FROM inbox WHERE lane = 'turn' AND received_at >= ?
         AND json_extract(payload, '$.message.media_group_id') = ? LIMIT 1`,
        since,
        mediaGroupId,
      ).length > 0
    )
  }

  markDone(updateIds: readonly number[]): void {
    // What a command brought may be a key: nothing of it is kept. Of words for the agent, albums are looked up.
    for (const id of updateIds) {
      this.#database.query(
        "UPDATE inbox SET state = 'done', payload = CASE WHEN lane = 'turn' THEN payload ELSE '{}' END WHERE update_id = ?",
        id,
      )
    }
  }

  retry(updateId: number, nextAt: number): void {
    this.#database.query('UPDATE inbox SET attempts = attempts + 1, next_at = ? WHERE update_id = ?', nextAt, updateId)
  }

  /** Chat text that waits for its turn. @param before update that asks to stop: what was said later stays. @returns how much */
  dropWaitingTurns(before = Number.MAX_SAFE_INTEGER): number {
    return this.#database.query(
      "UPDATE inbox SET state = 'done' WHERE state = 'open' AND lane = 'turn' AND update_id < ? RETURNING update_id",
      before,
    ).length
  }

  prune(now: number): void {
    this.#database.query("DELETE FROM inbox WHERE state = 'done' AND received_at < ?", now - KEPT_AFTER_DONE_MS)
  }
}

function parseItem(row: unknown): InboxItem {
  const { update_id, payload, received_at, attempts, next_at } = Row.parse(row)
  // Written by `add`: an update that was parsed when it came in.
  const update = JSON.parse(payload) as Update
  return { updateId: update_id, update, receivedAt: received_at, attempts, nextAt: next_at }
}
