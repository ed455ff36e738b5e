/**
 * What a failed call to Telegram means for whoever sends. Telegram has no idempotency key, so the one thing that matters
 * most is whether the call may have had its effect: `unknown` (connection lost, time-out, 5xx) says that it may.
 */
import { GrammyError, HttpError } from 'grammy'

export type TelegramFailureKind =
  /** It may or may not have happened. */
  | 'unknown'
  /** Nothing happened; silence until `retryAfterMs` is over. */
  | 'retry_after'
  /** 403: the person blocked the bot, left, or threw it out. Nothing reaches this chat any more. */
  | 'blocked'
  /** The group became a supergroup with another id (`migratedTo`). */
  | 'migrated'
  | 'chat_gone'
  | 'thread_gone'
  | 'reply_gone'
  /** The message to edit or delete is gone or may not be changed. */
  | 'target_gone'
  /** The edit would change nothing: what was wanted is so already. */
  | 'not_modified'
  | 'drafts_refused'
  | 'query_too_old'
  /** The bot token does not hold (401, 404). Only the operator can help. */
  | 'unauthorized'
  /** 413: the upload is larger than Telegram takes. */
  | 'too_large'
  /** Any other 400: this content will never be accepted as it is. */
  | 'refused'

export class TelegramFailure extends Error {
  readonly code = 'telegram'
  readonly kind: TelegramFailureKind
  readonly retryAfterMs: number
  readonly migratedTo: number | undefined

  constructor(
    kind: TelegramFailureKind,
    message: string,
    options: ErrorOptions & { retryAfterMs?: number; migratedTo?: number | undefined } = {},
  ) {
    super(message, options)
    this.kind = kind
    this.retryAfterMs = options.retryAfterMs ?? 0
    this.migratedTo = options.migratedTo
  }
}

/** Parts of Telegram's descriptions, lower case. Order matters: the first that fits decides. */
const DESCRIPTIONS: readonly (readonly [RegExp, TelegramFailureKind])[] = [
  [/message is not modified|topic_not_modified/, 'not_modified'],
  [/message thread not found|topic_(deleted|closed|id_invalid)/, 'thread_gone'],
  [/message to (be )?repl(y|ied)( to)? not found|replied message not found|reply_message_id_invalid/, 'reply_gone'],
  [
    /message to (edit|delete|react) not found|message can't be (edited|deleted)|message_id_invalid|no text in the message to edit|no caption in the message to edit/,
    'target_gone',
  ],
  [/textdraft_peer_invalid/, 'drafts_refused'],
  [/query is too old|query id is invalid/, 'query_too_old'],
  [/chat not found|chat_id_invalid|peer_id_invalid|group chat was deactivated/, 'chat_gone'],
  // A group may mute its bots: the chat is there, but closed to us. Where it only takes no files, words still go.
  [
    /chat_write_forbidden|chat_send_plain_forbidden|chat_restricted|user_banned_in_channel|not enough rights to send text|have no rights to send|need administrator rights|user_is_blocked|user_deactivated|channel_private/,
    'blocked',
  ],
]

export function classifyFailure(error: unknown): TelegramFailure {
  if (error instanceof TelegramFailure) return error
  if (error instanceof GrammyError) return classifyAnswer(error)
  // grammY hides the address of a failed call, which holds the token, unless it is asked to show it.
  const reason =
    error instanceof HttpError ? error.message : `no answer: ${error instanceof Error ? error.name : typeof error}`
  return new TelegramFailure('unknown', reason, { cause: error instanceof HttpError ? undefined : error })
}

function classifyAnswer(error: GrammyError): TelegramFailure {
  const { error_code: status, description, parameters, method } = error
  const message = `${method}: ${status} ${description}`
  const of = (kind: TelegramFailureKind) => new TelegramFailure(kind, message)
  if (status === 429) {
    // Without a number Telegram's usual shortest pause is a fair guess.
    return new TelegramFailure('retry_after', message, { retryAfterMs: (parameters.retry_after ?? 5) * 1000 })
  }
  if (parameters.migrate_to_chat_id !== undefined) {
    return new TelegramFailure('migrated', message, { migratedTo: parameters.migrate_to_chat_id })
  }
  if (status === 403) return of('blocked')
  if (status === 404 && /method not found/i.test(description))
    return of(/draft/i.test(method) ? 'drafts_refused' : 'refused')
  if (status === 401 || status === 404) return of('unauthorized')
  if (status === 413) return of('too_large')
  if (status >= 500) return of('unknown')
  const known = DESCRIPTIONS.find(([pattern]) => pattern.test(description.toLowerCase()))
  return of(known?.[1] ?? 'refused')
}
