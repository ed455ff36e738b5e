/** What of a message is shown, after what was already given up about it. */
import { FALLBACK } from './outbox.ts'
import type { Keyboard, OutgoingMessage } from './outgoing.ts'
import type { RichMessage } from './rich/rich-message.ts'
import { type FormattedText, plainText } from './text/formatted-text.ts'

/** A text, or the rich message that stands in its place. */
export interface MessageBody extends FormattedText {
  readonly rich?: RichMessage
}

export function bodyOf({ text, rich }: Pick<OutgoingMessage, 'text' | 'rich'>, fallbacks: number): MessageBody {
  if (rich && (fallbacks & FALLBACK.noRich) === 0) return { ...text, rich }
  return (fallbacks & FALLBACK.plainText) === 0 ? text : plainText(text.text)
}

export function keyboardOf({ keyboard }: OutgoingMessage, fallbacks: number): Keyboard | undefined {
  return (fallbacks & FALLBACK.noKeyboard) === 0 ? keyboard : undefined
}
