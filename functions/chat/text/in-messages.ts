/** A wall of messages is no answer: what is longer goes into a document beside its beginning. */
import type { FormattedText } from './formatted-text.ts'
import { MAX_MESSAGE_UNITS, splitMessage } from './split-message.ts'

const MAX_PARTS = 3
const PARTS_BESIDE_DOCUMENT = 2
/** Certainly more than `MAX_PARTS` hold: the rest is in the document, and rendering it would only take time. */
export const ENOUGH_UNITS = (MAX_PARTS + 1) * MAX_MESSAGE_UNITS

export interface InMessages {
  readonly shown: readonly FormattedText[]
  /** False: a document with the whole belongs beside it. */
  readonly isWhole: boolean
}

export function inMessages(whole: FormattedText): InMessages {
  const parts = splitMessage(whole)
  const isWhole = parts.length <= MAX_PARTS
  return { shown: isWhole ? parts : parts.slice(0, PARTS_BESIDE_DOCUMENT), isWhole }
}
