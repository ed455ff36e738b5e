/**
 * Updates that mean "stop", in a lane of their own so that nothing is ever in front of them. Who may stop what is decided by
 * the handlers like everything else.
 */
import type { Update } from 'grammy/types'
import { STOP_BUTTON } from './turn-buttons.ts'

const STOP_COMMAND = /^\/(stop|cancel)(@\w+)?(\s|$)/i

export function isStopSignal(update: Update): boolean {
  if (update.stopped_message_generation) return true
  if (STOP_COMMAND.test(update.message?.text ?? '')) return true
  return STOP_BUTTON.pattern.test(update.callback_query?.data ?? '')
}
