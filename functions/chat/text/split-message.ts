/**
 * A text in as many messages as it needs: cut where a reader would, at paragraphs, lines, sentences or words; formatting and
 * code go on in the next part; no part is empty or holds more entities than Telegram keeps.
 */
import type { FormattedText } from './formatted-text.ts'
import { isVisible, slice, tidy } from './tidy.ts'

/** Telegram counts code points; counting UTF-16 units is never too many. */
export const MAX_MESSAGE_UNITS = 4096
/** What is beyond is dropped by the server without a word. */
export const MAX_MESSAGE_ENTITIES = 100
/** A part shorter than this share of the room is worse than a less good place for the cut. */
const MIN_SHARE = 0.5
/** Longer than any real grapheme: a place further away is taken as it is. */
const GRAPHEME_WINDOW = 64

export function splitMessage(
  whole: FormattedText,
  {
    maxUnits = MAX_MESSAGE_UNITS,
    maxEntities = MAX_MESSAGE_ENTITIES,
  }: { maxUnits?: number; maxEntities?: number } = {},
): FormattedText[] {
  const formatted = tidy(whole)
  const parts: FormattedText[] = []
  let from = 0
  let first = 0
  while (from < formatted.text.length) {
    while (first < formatted.entities.length && endOf(formatted, first) <= from) first++
    const end = findEnd(formatted, { from, maxUnits, maxEntities, first })
    const near = { text: formatted.text, entities: entitiesIn(formatted, first, from, end) }
    const part = tidy(slice(near, from, end))
    if (isVisible(part.text)) parts.push({ text: part.text, entities: part.entities.slice(0, maxEntities) })
    from = end
    if (formatted.text[from] === '\n') from++
  }
  return parts
}

interface Room {
  readonly from: number
  readonly maxUnits: number
  readonly maxEntities: number
  /** Index of the first entity that is not over at `from`. */
  readonly first: number
}

/** Entities are in order of their start, so only those from `first` up to `end` are looked at. */
function entitiesIn({ entities }: FormattedText, first: number, from: number, end: number) {
  const inside: FormattedText['entities'][number][] = []
  for (let index = first; index < entities.length; index++) {
    const entity = entities[index]
    if (!entity || entity.offset >= end) break
    if (entity.offset + entity.length > from) inside.push(entity)
  }
  return inside
}

function endOf({ entities }: FormattedText, index: number): number {
  const entity = entities[index]
  return entity ? entity.offset + entity.length : 0
}

function findEnd(formatted: FormattedText, room: Room): number {
  const { text } = formatted
  const { from } = room
  const limit = Math.min(text.length, from + room.maxUnits)
  const inside = entitiesIn(formatted, room.first, from, limit)
  const excess = inside[room.maxEntities]
  const end = excess && excess.offset > from ? excess.offset : limit
  if (end === text.length) return end
  const least = from + Math.floor((end - from) * MIN_SHARE)
  // A block of code that fits into the next part is not torn.
  const block = inside.find((e) => e.type === 'pre' && e.offset < end && e.offset + e.length > end)
  if (block && block.offset > from + (end - from) / 4 && block.length <= room.maxUnits) return block.offset
  return goodPlace(text, least, end) ?? graphemeStart(text, from, end)
}

const PLACES = ['\n\n', '\n', '. ', '! ', '? ', '。', '; ', ', ', ' '] as const

/** @returns the latest place of the best kind there is */
function goodPlace(text: string, least: number, end: number): number | undefined {
  for (const mark of PLACES) {
    const at = text.lastIndexOf(mark, end - 1)
    const place = mark.startsWith('\n') ? at : at + mark.length
    if (at >= least && place <= end && at > 0) return place
  }
  return undefined
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

function graphemeStart(text: string, from: number, end: number): number {
  const start = wholeCharacter(text, Math.max(from, end - GRAPHEME_WINDOW))
  const window = text.slice(start, end + GRAPHEME_WINDOW)
  let best = wholeCharacter(text, end)
  for (const { index } of graphemes.segment(window)) {
    if (start + index > end) break
    if (start + index > from) best = start + index
  }
  return best > from ? best : end
}

/** Not between the halves of a surrogate pair. */
function wholeCharacter(text: string, at: number): number {
  const code = text.charCodeAt(at)
  return code >= 0xdc00 && code <= 0xdfff ? at - 1 : at
}
