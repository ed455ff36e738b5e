/** The end of a formatted text, for previews: a person reads along at the bottom. */
import type { MessageEntity } from 'grammy/types'
import type { FormattedText } from './text/formatted-text.ts'

/** @returns at most `maxUnits` UTF-16 units, from the start of a line where one is near */
export function tailOf(formatted: FormattedText, maxUnits: number): FormattedText {
  const { text, entities } = formatted
  if (text.length <= maxUnits) return formatted
  let from = text.length - maxUnits + 1
  const lineStart = text.indexOf('\n', from)
  if (lineStart >= 0 && lineStart - from < maxUnits / 4) from = lineStart + 1
  // Not into the second half of a surrogate pair.
  const code = text.charCodeAt(from)
  if (code >= 0xdc00 && code <= 0xdfff) from += 1
  return joinFormatted({ text: '…', entities: [] }, { text: text.slice(from), entities: shift(entities, -from) })
}

export function joinFormatted(...parts: readonly FormattedText[]): FormattedText {
  let text = ''
  const entities: MessageEntity[] = []
  for (const part of parts) {
    entities.push(...shift(part.entities, text.length))
    text += part.text
  }
  return { text, entities }
}

/** Moves entities; what falls before the start is cut off. */
function shift(entities: readonly MessageEntity[], by: number): MessageEntity[] {
  return entities.flatMap((entity) => {
    const start = Math.max(0, entity.offset + by)
    const end = entity.offset + entity.length + by
    return end > start ? [{ ...entity, offset: start, length: end - start }] : []
  })
}
