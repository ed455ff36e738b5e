import type { MessageEntity } from 'grammy/types'

/** Telegram's own form of formatted text: plain text and ranges over it, offsets in UTF-16 units. */
export interface FormattedText {
  readonly text: string
  readonly entities: readonly MessageEntity[]
}

export function plainText(text: string): FormattedText {
  return { text, entities: [] }
}
