/** A text on its way into a message: parsed, checked, trimmed and given its links, with Telegram's limits and words. */
import type { MessageEntity } from 'grammy/types'
import { badRequest } from '../api-error.ts'
import { fromTdEntities, toTdEntities } from './entities.ts'
import type { TdEntity, Tdlib, TdText } from './tdlib.ts'

/** Code points, after parsing. */
export const MAX_TEXT_LENGTH = 4096
const MAX_CAPTION_LENGTH = 1024
/** Bytes of UTF-8 that the Bot API server reads at all. */
const MAX_RAW_BYTES = 1 << 15
/** Telegram drops what is beyond without a word; the call log warns. */
export const MAX_ENTITIES = 100

export interface GivenText {
  readonly text: string
  readonly parse_mode?: string | undefined
  readonly entities?: readonly unknown[] | undefined
}

export interface CheckedText {
  readonly text: string
  readonly entities: MessageEntity[]
  readonly droppedEntities: number
}

export interface TextRules {
  readonly maxLength: number
  readonly tooLong: string
}

export const MESSAGE_RULES: TextRules = { maxLength: MAX_TEXT_LENGTH, tooLong: 'message is too long' }
export const CAPTION_RULES: TextRules = { maxLength: MAX_CAPTION_LENGTH, tooLong: 'message caption is too long' }

/** @throws {ApiError} as the Bot API would answer */
export function checkText(tdlib: Tdlib, given: GivenText, rules: TextRules): CheckedText {
  if (Buffer.byteLength(given.text) > MAX_RAW_BYTES) throw badRequest('Text is too long')
  const parsed = parse(tdlib, given)
  const fixed = tdlib.fix(parsed.text, parsed.entities)
  if ('error' in fixed) throw badRequest(fixed.error)
  const trimmed = trim(fixed)
  if ([...trimmed.text].length > rules.maxLength) throw badRequest(rules.tooLong)
  const entities = fromTdEntities(merge(joinAdjacent(trimmed.entities), tdlib.detect(trimmed.text)))
  return {
    text: trimmed.text,
    entities: entities.slice(0, MAX_ENTITIES),
    droppedEntities: Math.max(0, entities.length - MAX_ENTITIES),
  }
}

/** What a person types: no markup, only what Telegram finds by itself. */
export function typedText(tdlib: Tdlib, text: string): { text: string; entities: MessageEntity[] } {
  return { text, entities: fromTdEntities(merge([], tdlib.detect(text))) }
}

function parse(tdlib: Tdlib, { text, parse_mode, entities }: GivenText): TdText {
  const mode = parse_mode?.toLowerCase() ?? ''
  if (text === '' || mode === '' || mode === 'none') return { text, entities: toTdEntities(entities ?? []) }
  if (mode !== 'html' && mode !== 'markdown' && mode !== 'markdownv2') throw badRequest('Unsupported parse_mode')
  const parsed = tdlib.parseMarkup(text, mode)
  if ('error' in parsed) throw badRequest(parsed.error)
  return parsed
}

/** Blank ends are cut and entities moved with the text. */
function trim({ text, entities }: TdText): TdText {
  const end = text.trimEnd()
  const start = end.length - end.trimStart().length
  const kept = end.slice(start)
  return {
    text: kept,
    entities: entities.flatMap((entity) => {
      const from = Math.max(0, entity.offset - start)
      const to = Math.min(kept.length, entity.offset + entity.length - start)
      return to > from ? [{ ...entity, offset: from, length: to - from }] : []
    }),
  }
}

const SPLITTABLE = /(Bold|Italic|Underline|Strikethrough|Spoiler)$/

/** TDLib splits styles where others begin or end; Telegram shows each in one piece. */
function joinAdjacent(entities: readonly TdEntity[]): TdEntity[] {
  const joined: TdEntity[] = []
  for (const entity of entities) {
    const before = SPLITTABLE.test(entity.type._)
      ? joined.findLast(({ type, offset, length }) => type._ === entity.type._ && offset + length === entity.offset)
      : undefined
    if (before) before.length += entity.length
    else joined.push({ ...entity })
  }
  return joined
}

/** Inside these nothing else is found. */
const OPAQUE = /(Code|Pre|PreCode|TextUrl|MentionName|CustomEmoji|DateTime)$/

function merge(given: readonly TdEntity[], found: readonly TdEntity[]): TdEntity[] {
  const opaque = given.filter(({ type }) => OPAQUE.test(type._))
  const free = found.filter(
    (entity) =>
      !opaque.some(
        (other) => other.offset < entity.offset + entity.length && entity.offset < other.offset + other.length,
      ),
  )
  return [...given, ...free].sort((a, b) => a.offset - b.offset || b.length - a.length)
}
