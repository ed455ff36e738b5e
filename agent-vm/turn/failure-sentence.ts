/**
 * What this server itself says when a turn fails: one sentence per code, nowhere else. Who knows the person's language says it
 * in that instead, by the code; so these sentences are also how a stored result is known to be one of them.
 */
import type { ErrorCode } from '../protocol.ts'

const SENTENCES: Readonly<Record<ErrorCode, string>> = {
  model_unreachable: 'The model could not be reached after several tries. Please try again in a minute.',
  model_refused: 'The model server refused the request. Nothing is lost: please try again.',
  rate_limited: 'The model is busy right now. Please try again in a minute.',
  out_of_credit: 'The budget for the model is used up, so I cannot answer until it is renewed.',
  unauthorized: 'The model refused this agent’s key. Its owner can repair the agent.',
  context_overflow: 'This is too long for the model, even after shortening the conversation. Please send less at once.',
  interrupted: 'I was interrupted by a restart and cannot tell how far I got. Please check, and ask me again.',
  storage: 'I could not write to my disk. My owner should check the machine.',
  internal: 'Something broke inside the agent. Please try again.',
}

const CODES = new Map(Object.entries(SENTENCES).map(([code, sentence]) => [sentence, code]))

export function failureSentence(code: ErrorCode): string {
  return SENTENCES[code]
}

/** @returns `undefined` for whatever a model said */
export function codeOfSentence(content: string): string | undefined {
  return CODES.get(content)
}
