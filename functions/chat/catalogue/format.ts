/**
 * Builds formatted text for our own words: `fmt` joins plain strings and formatted parts, so nothing a person or a model
 * wrote can ever turn into markup.
 */
import type { MessageEntity } from 'grammy/types'
import type { FormattedText } from '../text/formatted-text.ts'

/** Anything that can stand in a text. Plain strings stay plain. */
export type Phrase = string | number | FormattedText

/** `fmt\`Hello ${bold(name)}\`` */
export function fmt(strings: TemplateStringsArray, ...parts: readonly Phrase[]): FormattedText {
  return concat(strings.flatMap((text, index) => (index < parts.length ? [text, parts[index] ?? ''] : [text])))
}

export function concat(parts: readonly Phrase[]): FormattedText {
  let text = ''
  const entities: MessageEntity[] = []
  for (const part of parts) {
    if (typeof part === 'object') {
      for (const entity of part.entities) entities.push({ ...entity, offset: entity.offset + text.length })
      text += part.text
    } else {
      text += String(part).toWellFormed()
    }
  }
  return { text, entities }
}

export function join(parts: readonly Phrase[], separator: string): FormattedText {
  return concat(parts.flatMap((part, index) => (index === 0 ? [part] : [separator, part])))
}

export function plain(phrase: Phrase): FormattedText {
  return concat([phrase])
}

export const bold = (phrase: Phrase): FormattedText => wrap(phrase, 'bold')
export const italic = (phrase: Phrase): FormattedText => wrap(phrase, 'italic')
export const code = (phrase: Phrase): FormattedText => wrap(phrase, 'code')
export const quote = (phrase: Phrase): FormattedText => wrap(phrase, 'blockquote')
/** A quote that Telegram folds when it is long. */
export const longQuote = (phrase: Phrase): FormattedText => wrap(phrase, 'expandable_blockquote')

function wrap(
  phrase: Phrase,
  type: 'bold' | 'italic' | 'code' | 'blockquote' | 'expandable_blockquote',
): FormattedText {
  const { text, entities } = plain(phrase)
  if (text.length === 0) return { text, entities }
  // Telegram lets nothing stand inside `code`.
  const inner = type === 'code' ? [] : entities
  return { text, entities: [{ type, offset: 0, length: text.length }, ...inner] }
}

/** The first `maxPoints` code points, with `…` where something was left out. */
export function clip(text: string, maxPoints: number): string {
  const points = [...text.toWellFormed()]
  return points.length <= maxPoints ? points.join('') : `${points.slice(0, maxPoints - 1).join('')}…`
}
