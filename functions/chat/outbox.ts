/**
 * Everything the chat is told, as rows: written together with what caused them, sent in order, kept with the id that
 * Telegram gave them. A row that was being sent when the object died has an unknown outcome, as has one whose answer was
 * lost; neither is sent again before `outbox-sender.ts` has looked whether it arrived.
 */
import { z } from 'zod'
import type { ChatDatabase } from './chat-database.ts'
import { confirmIfOvertaken } from './lost-edits.ts'
import { Watermark } from './message-watermark.ts'
import type { MessageTarget, Outgoing } from './outgoing.ts'

/** What was already given up about a row, as bits of `fallbacks`. */
export const FALLBACK = {
  plainText: 1,
  noThread: 2,
  noReply: 4,
  asDocument: 8,
  noRich: 16,
  noKeyboard: 32,
  honestLine: 64,
} as const

export type OutboxState =
  | 'pending'
  | 'sending'
  | 'unknown'
  /** Arrived, as Telegram said or as we found out. */
  | 'sent'
  /** Unknown for good: the person was told and may ask for it again. */
  | 'unsure'
  | 'failed'
  /** No longer wanted: replaced by a newer edit, or the chat is closed to us. */
  | 'dropped'

export interface OutboxRow {
  readonly seq: number
  readonly key: string
  readonly state: OutboxState
  readonly action: Outgoing
  /** Highest message id known when the send began: if it arrived, its id is above. */
  readonly afterId: number | undefined
  /** The message that stands in its place while nobody knows whether it arrived. */
  readonly lineId: number | undefined
  /** The person looked, and wants it again. */
  readonly wanted: boolean
  /** Ids above `afterId` that were looked at so far. */
  readonly probed: number
  readonly fallbacks: number
  readonly attempts: number
  /** How often its outcome was unknown. */
  readonly unknowns: number
  readonly nextAt: number
  readonly createdAt: number
}

export const KEPT_AFTER_END_MS = 7 * 86_400_000
/** Name under which the highest message id seen in this chat is kept, among the refs. */
const LAST_SEEN = '#last'

const Row = z.object({
  seq: z.int(),
  key: z.string(),
  state: z.enum(['pending', 'sending', 'unknown', 'sent', 'unsure', 'failed', 'dropped']),
  action: z.string(),
  after_id: z.int().nullable(),
  line_id: z.int().nullable(),
  wanted: z.int(),
  probed: z.int(),
  fallbacks: z.int(),
  attempts: z.int(),
  unknowns: z.int(),
  next_at: z.int(),
  created_at: z.int(),
})

export class Outbox {
  readonly #database: ChatDatabase
  readonly #watermark: Watermark

  /** @param watermark shared by all chats that count messages together */
  constructor(database: ChatDatabase, watermark = new Watermark()) {
    this.#database = database
    this.#watermark = watermark
  }

  /**
   * After a start: what was being sent may or may not have arrived.
   * @param settledAt until then it may still be under way
   */
  recover(settledAt: number): void {
    this.#database.query(
      "UPDATE outbox SET state = 'unknown', unknowns = unknowns + 1, next_at = ? WHERE state = 'sending'",
      settledAt,
    )
  }

  /** Adding the same key again changes nothing. An edit takes the place of older edits of the same message that still wait. */
  add(key: string, action: Outgoing, now: number): void {
    const [row] = this.#database.query(
      `INSERT INTO outbox (key, state, action, created_at) VALUES (?, 'pending', ?, ?)
       ON CONFLICT DO NOTHING RETURNING seq`,
      key,
      JSON.stringify(action),
      now,
    )
    if (row && action.kind === 'edit') this.#supersede(action.target, { before: z.int().parse(row.seq), now })
  }

  next(): OutboxRow | undefined {
    // A reaction is no part of the order, nor is what only confirms: neither must hold up an answer.
    const [row] = this.#database.query(
      `SELECT * FROM outbox WHERE state IN ('pending', 'sending', 'unknown')
       ORDER BY json_extract(action, '$.confirms') IS NOT NULL, json_extract(action, '$.kind') = 'react', seq LIMIT 1`,
    )
    return row && parseRow(row)
  }

  find(seq: number): OutboxRow | undefined {
    const [row] = this.#database.query('SELECT * FROM outbox WHERE seq = ?', seq)
    return row && parseRow(row)
  }

  findByKey(key: string): OutboxRow | undefined {
    const [row] = this.#database.query('SELECT * FROM outbox WHERE key = ?', key)
    return row && parseRow(row)
  }

  markSending(seq: number): void {
    this.#database.query(
      "UPDATE outbox SET state = 'sending', attempts = attempts + 1, after_id = ?, line_id = NULL, wanted = 0, probed = 0 WHERE seq = ?",
      this.lastSeen() ?? null,
      seq,
    )
  }

  markSent(row: OutboxRow, messageId: number | undefined, now: number): void {
    this.#database.transaction(() => {
      this.#database.query(
        "UPDATE outbox SET state = 'sent', message_id = ?, ended_at = ?, error = NULL WHERE seq = ?",
        messageId ?? null,
        now,
        row.seq,
      )
      if (messageId === undefined) return
      this.noteSeen(messageId)
      if (row.action.kind === 'send' && row.action.ref) this.name(row.action.ref, messageId)
      confirmIfOvertaken(this.#database, row, { messageId, now })
    })
  }

  /**
   * Not sent, and to be tried again. `counts` false: it was refused for reasons that say nothing about this row; `isLost`: it
   * may have been sent all the same, or come yet.
   */
  markPending(
    seq: number,
    nextAt: number,
    options: { fallbacks?: number; counts?: boolean; isLost?: boolean } = {},
  ): void {
    this.#database.query(
      `UPDATE outbox SET state = 'pending', next_at = ?, fallbacks = fallbacks | ?, attempts = attempts - ?,
       unknowns = unknowns + ? WHERE seq = ?`,
      nextAt,
      options.fallbacks ?? 0,
      (options.counts ?? true) ? 0 : 1,
      options.isLost ? 1 : 0,
      seq,
    )
  }

  /** It certainly did not arrive, whether or not Telegram was called: again later. */
  postpone(seq: number, nextAt: number): void {
    this.#database.query(
      "UPDATE outbox SET attempts = attempts + (state = 'pending'), state = 'pending', next_at = ? WHERE seq = ?",
      nextAt,
      seq,
    )
  }

  markUnknown(seq: number, nextAt: number, probed: number): void {
    this.#database.query(
      `UPDATE outbox SET unknowns = unknowns + (state = 'sending'), state = 'unknown', next_at = ?, probed = ? WHERE seq = ?`,
      nextAt,
      probed,
      seq,
    )
  }

  markLine(seq: number, lineId: number): void {
    this.#database.query('UPDATE outbox SET line_id = ? WHERE seq = ?', lineId, seq)
  }

  /** The person asks for a message that may not have arrived: now, however old it is. @returns false when it certainly has */
  wantAgain(seq: number, now: number): boolean {
    return (
      this.#database.query(
        `UPDATE outbox SET wanted = 1, state = 'unknown', next_at = 0, created_at = ?
         WHERE seq = ? AND state IN ('unknown', 'unsure') RETURNING seq`,
        now,
        seq,
      ).length > 0
    )
  }

  /** The same for the newest of them, typed. @returns false when there is none */
  wantNewestAgain(now: number): boolean {
    const [newest] = this.#database.query(
      "SELECT seq FROM outbox WHERE state IN ('unknown', 'unsure') AND line_id IS NOT NULL ORDER BY seq DESC LIMIT 1",
    )
    return newest !== undefined && this.wantAgain(z.int().parse(newest.seq), now)
  }

  /** Unless the person asked for it in the meantime. */
  markUnsure(seq: number, now: number): void {
    this.#database.query(
      "UPDATE outbox SET state = 'unsure', error = 'outcome unknown', ended_at = ? WHERE seq = ? AND wanted = 0",
      now,
      seq,
    )
  }

  end(seq: number, state: 'failed' | 'dropped', error: string, now: number): void {
    this.#database.query(
      'UPDATE outbox SET state = ?, error = ?, ended_at = ? WHERE seq = ?',
      state,
      error.slice(0, 300),
      now,
      seq,
    )
  }

  /** Puts another action in the row's place, keeping its place in the order. */
  replace(seq: number, action: Outgoing, nextAt: number, fallbacks = 0): void {
    this.#database.query(
      "UPDATE outbox SET action = ?, state = 'pending', next_at = ?, fallbacks = fallbacks | ? WHERE seq = ?",
      JSON.stringify(action),
      nextAt,
      fallbacks,
      seq,
    )
  }

  /** @param before what was added later may have come from somebody who is back */
  dropAll(reason: string, now: number, before: number = now): void {
    this.#database.query(
      `UPDATE outbox SET state = 'dropped', error = ?, ended_at = ?
       WHERE state IN ('pending', 'sending', 'unknown') AND created_at <= ?`,
      reason,
      now,
      before,
    )
  }

  openCount(): number {
    const [row] = this.#database.query(
      "SELECT COUNT(*) AS n FROM outbox WHERE state IN ('pending', 'sending', 'unknown')",
    )
    return z.int().parse(row?.n)
  }

  /** @returns the id Telegram gave the message, unless it never was sent */
  resolve(target: MessageTarget): number | undefined {
    if ('messageId' in target) return target.messageId
    const [row] = this.#database.query('SELECT message_id FROM refs WHERE ref = ?', target.ref)
    return row && z.int().parse(row.message_id)
  }

  name(ref: string, messageId: number): void {
    this.#database.query(
      'INSERT INTO refs (ref, message_id) VALUES (?, ?) ON CONFLICT DO UPDATE SET message_id = excluded.message_id',
      ref,
      messageId,
    )
  }

  /** Incoming messages and our own raise the mark below which nothing new can appear. */
  noteSeen(messageId: number): void {
    this.#watermark.note(messageId)
    this.#database.query(
      `INSERT INTO refs (ref, message_id) VALUES ('${LAST_SEEN}', ?)
       ON CONFLICT DO UPDATE SET message_id = MAX(message_id, excluded.message_id)`,
      messageId,
    )
  }

  lastSeen(): number | undefined {
    const highest = Math.max(this.resolve({ ref: LAST_SEEN }) ?? 0, this.#watermark.messageId)
    return highest > 0 ? highest : undefined
  }

  /** Whether the rich message of that ref is in the chat as such, with all that it holds. */
  wentRich(ref: string): boolean {
    return (
      this.#database.query(
        `SELECT 1 FROM outbox WHERE state IN ('sent', 'unsure') AND fallbacks & ? = 0
         AND json_extract(action, '$.rich') IS NOT NULL
         AND (json_extract(action, '$.ref') = ? OR json_extract(action, '$.target.ref') = ?) LIMIT 1`,
        FALLBACK.noRich,
        ref,
        ref,
      ).length > 0
    )
  }

  /** Whatever it is, it is not what a lost call may have left. */
  isAccountedFor(messageId: number): boolean {
    if (this.#watermark.knows(messageId)) return true
    return this.#database.query('SELECT 1 FROM outbox WHERE message_id = ? LIMIT 1', messageId).length > 0
  }

  prune(now: number): void {
    this.#database.query('DELETE FROM outbox WHERE ended_at < ?', now - KEPT_AFTER_END_MS)
    // Names of messages nobody will edit any more: their rows are gone.
    this.#database.query(
      "DELETE FROM refs WHERE ref NOT LIKE '#%' AND message_id NOT IN (SELECT message_id FROM outbox WHERE message_id IS NOT NULL)",
    )
  }

  #supersede(target: MessageTarget, { before, now }: { before: number; now: number }): void {
    const [name, value] = 'ref' in target ? (['ref', target.ref] as const) : (['messageId', target.messageId] as const)
    this.#database.query(
      `UPDATE outbox SET state = 'dropped', error = 'superseded', ended_at = ? WHERE state = 'pending' AND seq < ?
       AND json_extract(action, '$.kind') = 'edit' AND (json_extract(action, '$.target.${name}') = ?
         OR json_extract(action, '$.confirms') IS NOT NULL AND json_extract(action, '$.target.messageId') = ?)`,
      now,
      before,
      value,
      this.resolve(target) ?? null,
    )
  }
}

function parseRow(row: unknown): OutboxRow {
  const parsed = Row.parse(row)
  return {
    seq: parsed.seq,
    key: parsed.key,
    state: parsed.state,
    // Written by `add` or `replace`, in this release or the one before.
    action: JSON.parse(parsed.action) as Outgoing,
    afterId: parsed.after_id ?? undefined,
    lineId: parsed.line_id ?? undefined,
    wanted: parsed.wanted === 1,
    probed: parsed.probed,
    fallbacks: parsed.fallbacks,
    attempts: parsed.attempts,
    unknowns: parsed.unknowns,
    nextAt: parsed.next_at,
    createdAt: parsed.created_at,
  }
}
