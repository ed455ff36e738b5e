/** What a failed call means for the row that wanted it. Pure: the rows change in `outbox-sender.ts`. */

import { FALLBACK, type OutboxRow } from './outbox.ts'
import type { Outgoing } from './outgoing.ts'
import { isPhotoName } from './outgoing-file.ts'
import type { TelegramFailure } from './telegram-failure.ts'

const FIRST_RETRY_MS = 1_000
export const MAX_RETRY_MS = 60_000
/** Of a deletion or reaction. An edit may carry an answer: it is tried as long as a message is. */
const MAX_ATTEMPTS = 8

export type SendVerdict =
  | { readonly kind: 'again'; readonly inMs: number; readonly fallback?: number }
  /** Refused for reasons that say nothing about this row: when the chat may be spoken to again. */
  | { readonly kind: 'wait'; readonly inMs: number }
  /** It may have arrived. */
  | { readonly kind: 'look' }
  /** What was wanted is so already. */
  | { readonly kind: 'holds' }
  /** What should be edited is gone. */
  | { readonly kind: 'send_instead' }
  | { readonly kind: 'give_up' }
  | { readonly kind: 'closed' }
  | { readonly kind: 'migrated'; readonly chatId: number }

export function judgeFailure(row: OutboxRow, failure: TelegramFailure): SendVerdict {
  const { action, attempts } = row
  const isConfirmation = action.kind === 'edit' && action.confirms === true
  switch (failure.kind) {
    case 'unknown':
      if (!isRepeatable(action)) return { kind: 'look' }
      if (action.kind !== 'edit' && attempts + 1 >= MAX_ATTEMPTS) return { kind: 'give_up' }
      return { kind: 'again', inMs: backoff(attempts) }
    case 'retry_after':
      return { kind: 'wait', inMs: failure.retryAfterMs }
    case 'unauthorized':
      return { kind: 'wait', inMs: MAX_RETRY_MS }
    case 'blocked':
    case 'chat_gone':
      return { kind: 'closed' }
    case 'migrated':
      return failure.migratedTo === undefined ? { kind: 'give_up' } : { kind: 'migrated', chatId: failure.migratedTo }
    case 'thread_gone':
      return without(row, FALLBACK.noThread)
    case 'reply_gone':
      return without(row, FALLBACK.noReply)
    case 'not_modified':
      return isRepeatable(action) ? { kind: 'holds' } : simpler(row)
    case 'target_gone':
      if (action.kind === 'edit' && !isConfirmation) return { kind: 'send_instead' }
      // A message of its own has no target: whatever Telegram misses, it was not sent.
      return isRepeatable(action) ? { kind: 'holds' } : simpler(row)
    case 'refused':
      // It was taken so once: what is there now is not ours to make simpler.
      return isConfirmation ? { kind: 'holds' } : simpler(row)
    case 'too_large':
    case 'drafts_refused':
    case 'query_too_old':
      return { kind: 'give_up' }
  }
}

/** What Telegram does not take as it is, it may take with less. */
function simpler(row: OutboxRow): SendVerdict {
  const { action, fallbacks } = row
  if (action.kind === 'react' || action.kind === 'delete' || action.kind === 'name_topic') return { kind: 'give_up' }
  if (isRich(row)) return without(row, FALLBACK.noRich)
  // A picture may be too wide for a photo, or no picture at all.
  if (isPhoto(row)) return without(row, FALLBACK.asDocument)
  return without(row, (fallbacks & FALLBACK.plainText) === 0 ? FALLBACK.plainText : FALLBACK.noKeyboard)
}

function without({ fallbacks }: OutboxRow, fallback: number): SendVerdict {
  return (fallbacks & fallback) === 0 ? { kind: 'again', inMs: 0, fallback } : { kind: 'give_up' }
}

/** Doing it twice is the same as doing it once. */
export function isRepeatable({ kind }: Outgoing): boolean {
  return ['edit', 'delete', 'react', 'name_topic', 'offer_commands'].includes(kind)
}

export function backoff(attempts: number): number {
  return Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempts, 10))
}

function isRich({ action, fallbacks }: OutboxRow): boolean {
  return 'rich' in action && action.rich !== undefined && (fallbacks & FALLBACK.noRich) === 0
}

function isPhoto({ action, fallbacks }: OutboxRow): boolean {
  return action.kind === 'agent_file' && isPhotoName(action.name) && (fallbacks & FALLBACK.asDocument) === 0
}
