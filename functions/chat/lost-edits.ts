/**
 * An edit whose outcome nobody was told may still be under way, and come last. So the edit that was to stand is said once more,
 * when the other can no longer come: as a row of its own, which holds up nothing. Where it stands already, Telegram says so.
 */
import type { ChatDatabase } from './chat-database.ts'
import type { OutboxRow } from './outbox.ts'
import type { Outgoing } from './outgoing.ts'

/** A call that nobody waits for any more may reach Telegram this much later. */
const CONFIRM_AFTER_MS = 8_000
/** A lost edit has come by then, or never will. */
const LOST_EDIT_MS = 60_000
/** More than are written in that time. */
const LOST_EDIT_ROWS = 100
/** Twice the message's id. */
const EDITS_MESSAGE = `json_extract(action, '$.kind') = 'edit' AND (json_extract(action, '$.target.messageId') = ?
  OR json_extract(action, '$.target.ref') IN (SELECT ref FROM refs WHERE message_id = ?))`

type Edit = Extract<Outgoing, { kind: 'edit' }>

interface Sent {
  readonly messageId: number
  readonly now: number
}

/** For a row that was sent a moment ago, in the same transaction. Ignores what is no edit. */
export function confirmIfOvertaken(database: ChatDatabase, row: OutboxRow, sent: Sent): void {
  const { action } = row
  if (action.kind !== 'edit' || action.confirms) return
  if (action.confirm || hasLostEdit(database, row, sent)) confirm(database, row, action, sent)
}

/** Whether another edit of the message, from before, may still be under way. */
function hasLostEdit(database: ChatDatabase, { seq }: OutboxRow, { messageId, now }: Sent): boolean {
  const lost = database.query(
    `SELECT 1 FROM outbox WHERE seq BETWEEN ? AND ? AND unknowns > 0 AND COALESCE(ended_at, created_at) >= ?
     AND ${EDITS_MESSAGE} LIMIT 1`,
    seq - LOST_EDIT_ROWS,
    seq - 1,
    now - LOST_EDIT_MS,
    messageId,
    messageId,
  )
  return lost.length > 0
}

/** The same edit once more, in the form that was taken; unless something else is to be there by now. */
function confirm(
  database: ChatDatabase,
  { seq, key, fallbacks }: OutboxRow,
  { confirm: _, ...edit }: Edit,
  { messageId, now }: Sent,
): void {
  const again: Edit = { ...edit, target: { messageId }, confirms: true }
  database.query(
    `INSERT INTO outbox (key, state, action, fallbacks, next_at, created_at)
     SELECT ?, 'pending', ?, ?, ?, ? WHERE NOT EXISTS
       (SELECT 1 FROM outbox WHERE seq > ? AND ${EDITS_MESSAGE})
     ON CONFLICT DO NOTHING`,
    `${key}#confirm`,
    JSON.stringify(again),
    fallbacks,
    now + CONFIRM_AFTER_MS,
    now,
    seq,
    messageId,
    messageId,
  )
}
