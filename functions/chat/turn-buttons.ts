/** Buttons that delivery puts under messages. Callback data holds at most 64 bytes; turn ids are well below. */
import type { InlineKeyboardButton } from 'grammy/types'

/** Shows what the agent did in a turn. Handled with the other buttons, from `TurnControl.steps`. */
export const STEPS_BUTTON = turnButton('steps')
/** Asks the same again. Handled with the other buttons, from `TurnControl.retry`. */
export const RETRY_BUTTON = turnButton('retry')
/** Stops the running turn, under previews where Telegram has no Stop of its own. Handled from `TurnControl.stop`. */
export const STOP_BUTTON = turnButton('stop')

/** Sends a message again whose arrival could not be established. Handled by delivery itself. */
export const RESEND_BUTTON = {
  pattern: /^resend:(\d{1,12})$/,
  build: (label: string, seq: number): InlineKeyboardButton => ({ text: label, callback_data: `resend:${seq}` }),
  parse: (data: string): number | undefined => {
    const match = RESEND_BUTTON.pattern.exec(data)
    return match ? Number(match[1]) : undefined
  },
}

interface TurnButton {
  readonly pattern: RegExp
  build(label: string, turnId: string): InlineKeyboardButton
  /** @returns the turn id, or `undefined` for another button's data */
  parse(data: string): string | undefined
}

function turnButton(name: string): TurnButton {
  const pattern = new RegExp(`^${name}:([\\w:.-]{1,56})$`)
  return {
    pattern,
    build: (label, turnId) => ({ text: label, callback_data: `${name}:${turnId}` }),
    parse: (data) => pattern.exec(data)?.[1],
  }
}
