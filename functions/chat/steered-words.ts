/** What a running turn is told of words that were said meanwhile. */
import { attachmentLine } from './describe-message.ts'
import type { PreparedTurn, StoredTurn } from './turn-store.ts'

/** Empty where there is nothing to say. */
export function wordsOf({ attachments, message }: PreparedTurn): string {
  return [...attachments.map(attachmentLine), message].filter(Boolean).join('\n')
}

/** In a group the agent must know that somebody else speaks now. */
export function named(input: StoredTurn, running: StoredTurn, message: string): string {
  return message === '' || input.user.id === running.user.id ? message : `[${input.user.name}] ${message}`
}
