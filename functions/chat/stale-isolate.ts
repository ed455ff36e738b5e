/**
 * Errors that say: this isolate runs old code, or its storage is gone. Trying again in here is useless; an alarm that fails
 * with one of them is run again on the new code.
 */
const STALE = /code was updated|script has been upgraded|durable object (storage )?(was )?reset|object to be reset/i
/** Also what any broken outgoing call says: only a look at the storage tells which of the two it is. */
const AMBIGUOUS = /network connection lost/i

export function isStaleIsolate(error: unknown): boolean {
  return says(STALE, error)
}

export function mayBeStaleIsolate(error: unknown): boolean {
  return says(AMBIGUOUS, error)
}

function says(pattern: RegExp, error: unknown): boolean {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (pattern.test(current.message)) return true
  }
  return false
}
