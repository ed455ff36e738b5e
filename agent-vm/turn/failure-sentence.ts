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

/** Enough to know it again by; whatever is planned can be read with `/schedule`. */
const MAX_TASK_POINTS = 100
const TASK_BEGINS = ' (Task: “'
const TASK_ENDS = '”)'

const CODES = new Map(Object.entries(SENTENCES).map(([code, sentence]) => [sentence, code]))

export function failureSentence(code: ErrorCode): string {
  return SENTENCES[code]
}

/** What waits for the person when background work failed: nobody remembers what it was about, so that is said too. */
export function failedTask(code: ErrorCode, task: string | undefined): string {
  const name = clip((task ?? '').replace(/\s+/gu, ' ').trim())
  return name === '' ? SENTENCES[code] : `${SENTENCES[code]}${TASK_BEGINS}${name}${TASK_ENDS}`
}

/** @returns `undefined` for whatever a model said */
export function parseFailure(content: string): { readonly code: string; readonly task?: string } | undefined {
  const begins = content.endsWith(TASK_ENDS) ? content.indexOf(TASK_BEGINS) : -1
  const code = CODES.get(begins < 0 ? content : content.slice(0, begins))
  if (code === undefined) return undefined
  return begins < 0 ? { code } : { code, task: content.slice(begins + TASK_BEGINS.length, -TASK_ENDS.length) }
}

function clip(task: string): string {
  const points = [...task]
  return points.length <= MAX_TASK_POINTS ? task : `${points.slice(0, MAX_TASK_POINTS - 1).join('')}…`
}
