/**
 * Updates that mean "stop", in a lane of their own so that nothing is ever in front of them. Who may stop what is decided by
 * the handlers like everything else.
 */
import type { Update } from 'grammy/types'
import { STOP_BUTTON } from './turn-buttons.ts'

const STOP_COMMAND = /^\/(stop|cancel)(@\w+)?(\s|$)/i

export function isStopSignal(update: Update): boolean {
  if (update.stopped_message_generation) return true
  return matches(STOP_COMMAND, update.message?.text) || matches(STOP_BUTTON.pattern, update.callback_query?.data)
}

/** Asked before anything has looked at the update: a text may be anything. */
function matches(pattern: RegExp, text: unknown): boolean {
  return typeof text === 'string' && pattern.test(text)
}
