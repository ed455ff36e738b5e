/** The last touch on a formatted text: whole characters, blank ends cut, entities in Telegram's order, none of them blank. */
import type { MessageEntity } from 'grammy/types'
import type { FormattedText } from './formatted-text.ts'

/** Signs that no one sees do not count: a message of these alone is refused as empty. */
const VISIBLE = /[^\s\p{Default_Ignorable_Code_Point}]/u
const BLANK = /\s/
const LITERAL: ReadonlySet<string> = new Set(['pre', 'code'])

export function isVisible(text: string): boolean {
  return VISIBLE.test(text)
}

/** Line ends as Telegram has them, and without what it takes out or what would turn the text around. */
export function cleanInput(text: string): string {
  return (
    withWholeRings(text)
      .toWellFormed()
      .replace(/\r\n?|[\u2028\u2029\v\f]/g, '\n')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
      .replace(/[\u0000-\u0008\u000e-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g, '')
      // Combining marks that Telegram takes out too.
      .replace(/\u030a|\u0333|\u033f/g, '')
  )
}

/** Telegram would make an “a” of an “å” that is written as two characters. */
function withWholeRings(text: string): string {
  return text.includes('\u030a') ? text.normalize('NFC') : text
}

export function tidy({ text: given, entities }: FormattedText): FormattedText {
  // Half a character anywhere, and Telegram refuses the whole message. As long as before: offsets hold.
  const text = given.toWellFormed()
  const kept = entities.flatMap((entity) => narrow(text, entity)).sort(byPlace)
  // Code at the very start keeps its indentation: Telegram, too, stops cutting at the first entity.
  const firstLiteral = kept.find(({ type }) => LITERAL.has(type))?.offset ?? text.length
  let start = 0
  while (start < firstLiteral && BLANK.test(text[start] ?? '')) start++
  let end = text.length
  while (end > start && BLANK.test(text[end - 1] ?? '')) end--
  return slice({ text, entities: kept }, start, end)
}

/** A part of a text with the parts of its entities. */
export function slice({ text, entities }: FormattedText, start: number, end: number): FormattedText {
  const part = text.slice(start, end)
  const inside = entities.flatMap((entity) => {
    const from = Math.max(entity.offset, start)
    const to = Math.min(entity.offset + entity.length, end)
    return to > from ? narrow(part, { ...entity, offset: from - start, length: to - from }) : []
  })
  return { text: part, entities: inside }
}

/** Formatting of blanks is refused or dropped, and its edges move when Telegram trims: it begins and ends with a sign. */
function narrow(text: string, entity: MessageEntity): MessageEntity[] {
  let start = entity.offset
  let end = start + entity.length
  while (end > start && BLANK.test(text[end - 1] ?? '')) end--
  // Spaces at the start of code are its indentation, and a quote that begins with code begins where that begins.
  const edge = LITERAL.has(entity.type) || entity.type === 'blockquote' ? /\n/ : BLANK
  while (start < end && edge.test(text[start] ?? '')) start++
  if (start >= end) return []
  return [
    start === entity.offset && end === start + entity.length
      ? entity
      : { ...entity, offset: start, length: end - start },
  ]
}

function byPlace(a: MessageEntity, b: MessageEntity): number {
  return a.offset - b.offset || b.length - a.length || depthOf(a) - depthOf(b)
}

/** Of two with the same range: a quote stands around everything, code within. */
function depthOf({ type }: MessageEntity): number {
  if (type === 'blockquote') return 0
  return LITERAL.has(type) ? 2 : 1
}
