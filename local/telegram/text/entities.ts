/** Message entities in the Bot API's words and in TDLib's. */
import type { MessageEntity } from 'grammy/types'
import { z } from 'zod'
import { badRequest } from '../api-error.ts'
import type { TdEntity } from './tdlib.ts'

const PLAIN: Readonly<Record<string, string>> = {
  bold: 'textEntityTypeBold',
  italic: 'textEntityTypeItalic',
  underline: 'textEntityTypeUnderline',
  strikethrough: 'textEntityTypeStrikethrough',
  spoiler: 'textEntityTypeSpoiler',
  code: 'textEntityTypeCode',
  blockquote: 'textEntityTypeBlockQuote',
  expandable_blockquote: 'textEntityTypeExpandableBlockQuote',
}

const DETECTED: Readonly<Record<string, string>> = {
  mention: 'textEntityTypeMention',
  hashtag: 'textEntityTypeHashtag',
  cashtag: 'textEntityTypeCashtag',
  bot_command: 'textEntityTypeBotCommand',
  url: 'textEntityTypeUrl',
  email: 'textEntityTypeEmailAddress',
  phone_number: 'textEntityTypePhoneNumber',
}

const FROM_TD = new Map([...Object.entries(PLAIN), ...Object.entries(DETECTED)].map(([name, td]) => [td, name]))

const Given = z.looseObject({
  type: z.string().default(''),
  offset: z.int(),
  length: z.int(),
  language: z.string().optional(),
  url: z.string().optional(),
  user: z.looseObject({ id: z.int() }).optional(),
  custom_emoji_id: z.string().optional(),
  unix_time: z.int().optional(),
  date_time_format: z.string().optional(),
})

/** @throws {ApiError} in the Bot API server's words; detected kinds (url, mention …) are left out, as it leaves them out */
export function toTdEntities(entities: readonly unknown[]): TdEntity[] {
  return entities.flatMap((entity) => {
    if (typeof entity !== 'object' || entity === null) throw wrong('expected an Object')
    const parsed = Given.safeParse(entity)
    if (!parsed.success) {
      const field = String(parsed.error.issues[0]?.path[0] ?? '')
      throw wrong(field in entity ? `Field "${field}" must be of type Number` : `Can't find field "${field}"`)
    }
    const type = toTdType(parsed.data)
    return type ? [{ offset: parsed.data.offset, length: parsed.data.length, type }] : []
  })
}

function toTdType(entity: z.infer<typeof Given>): TdEntity['type'] | undefined {
  const plain = PLAIN[entity.type]
  if (plain) return { _: plain }
  if (DETECTED[entity.type] || entity.type === 'bank_card_number') return undefined
  switch (entity.type) {
    case '':
      throw wrong('Type is not specified')
    case 'pre':
      return entity.language ? { _: 'textEntityTypePreCode', language: entity.language } : { _: 'textEntityTypePre' }
    case 'text_link':
      return { _: 'textEntityTypeTextUrl', url: required(entity.url, 'url') }
    case 'text_mention':
      return { _: 'textEntityTypeMentionName', user_id: required(entity.user, 'user').id }
    case 'custom_emoji':
      return { _: 'textEntityTypeCustomEmoji', custom_emoji_id: required(entity.custom_emoji_id, 'custom_emoji_id') }
    case 'date_time':
      return {
        _: 'textEntityTypeDateTime',
        unix_time: required(entity.unix_time, 'unix_time'),
        ...(entity.date_time_format ? { formatting_type: toTdFormat(entity.date_time_format) } : {}),
      }
    default:
      throw wrong('Unsupported type specified')
  }
}

function toTdFormat(format: string): Record<string, unknown> {
  if (format === 'r' || format === 'R') return { _: 'dateTimeFormattingTypeRelative' }
  if (/[^tTdDwW]/.test(format)) throw wrong('Invalid date-time format specified')
  const precision = (short: string, long: string) => {
    if (format.includes(long)) return { _: 'dateTimePartPrecisionLong' }
    return format.includes(short) ? { _: 'dateTimePartPrecisionShort' } : undefined
  }
  return {
    _: 'dateTimeFormattingTypeAbsolute',
    time_precision: precision('t', 'T'),
    date_precision: precision('d', 'D'),
    show_day_of_week: /w/i.test(format),
  }
}

const TdFormat = z.looseObject({
  _: z.string(),
  time_precision: z.looseObject({ _: z.string() }).nullish(),
  date_precision: z.looseObject({ _: z.string() }).nullish(),
  show_day_of_week: z.boolean().optional(),
})

/** Kinds that the Bot API does not show (bank cards, media time stamps) are left out. */
export function fromTdEntities(entities: readonly TdEntity[]): MessageEntity[] {
  return entities.flatMap(({ offset, length, type }): MessageEntity[] => {
    const at = { offset, length }
    const plain = FROM_TD.get(type._)
    if (plain) return [{ ...at, type: plain as MessageEntity.CommonMessageEntity['type'] }]
    switch (type._) {
      case 'textEntityTypePre':
        return [{ ...at, type: 'pre' }]
      case 'textEntityTypePreCode':
        return [{ ...at, type: 'pre', language: String(type.language) }]
      case 'textEntityTypeTextUrl':
        return [{ ...at, type: 'text_link', url: String(type.url) }]
      case 'textEntityTypeMentionName':
        return [{ ...at, type: 'text_mention', user: { id: Number(type.user_id), is_bot: false, first_name: '' } }]
      case 'textEntityTypeCustomEmoji':
        return [{ ...at, type: 'custom_emoji', custom_emoji_id: String(type.custom_emoji_id) }]
      case 'textEntityTypeDateTime':
        return [{ ...at, type: 'date_time', unix_time: Number(type.unix_time), date_time_format: fromTdFormat(type) }]
      default:
        return []
    }
  })
}

function fromTdFormat(type: TdEntity['type']): MessageEntity.DateTimeMessageEntity['date_time_format'] {
  const format = TdFormat.safeParse(type.formatting_type)
  if (!format.success) return ''
  if (format.data._ === 'dateTimeFormattingTypeRelative') return 'r'
  const letter = (precision: { _: string } | null | undefined, short: 'd' | 't', long: 'D' | 'T') => {
    if (precision?._ === 'dateTimePartPrecisionLong') return long
    return precision?._ === 'dateTimePartPrecisionShort' ? short : ''
  }
  const { show_day_of_week, date_precision, time_precision } = format.data
  return `${show_day_of_week ? 'w' : ''}${letter(date_precision, 'd', 'D') as 'd' | 'D' | ''}${letter(time_precision, 't', 'T') as 't' | 'T' | ''}`
}

function required<T>(value: T | undefined, field: string): T {
  if (value === undefined) throw wrong(`Can't find field "${field}"`)
  return value
}

function wrong(message: string) {
  return badRequest(`Can't parse MessageEntity: ${message}`)
}
