/**
 * Rich messages: typed blocks, checked in shape and size. Markdown and HTML are parsed by Telegram's servers only, so they are
 * refused here rather than shown wrongly.
 */
import type { RichMessage } from 'grammy/types'
import { z } from 'zod'
import { badRequest } from '../api-error.ts'

const MAX_LENGTH = 32_768
const MAX_BLOCKS = 500
const MAX_DEPTH = 16
const MAX_COLUMNS = 20

type RichText = string | readonly RichText[] | { readonly type: string; readonly text?: RichText | undefined }

const INLINE = [
  'bold',
  'italic',
  'underline',
  'strikethrough',
  'spoiler',
  'date_time',
  'text_mention',
  'subscript',
  'superscript',
  'marked',
  'code',
  'custom_emoji',
  'mathematical_expression',
  'url',
  'email_address',
  'phone_number',
  'bank_card_number',
  'mention',
  'hashtag',
  'cashtag',
  'bot_command',
  'button',
  'anchor',
  'anchor_link',
  'reference',
  'reference_link',
] as const

const Text: z.ZodType<RichText> = z.lazy(() =>
  z.union([z.string(), z.array(Text), z.looseObject({ type: z.enum(INLINE), text: Text.optional() })]),
)

const Caption = z.strictObject({ text: Text, credit: Text.optional() })

const Button = z.looseObject({ text: Text, style: z.enum(['danger', 'success', 'primary', 'link']).optional() })

const Cell = z.strictObject({
  text: Text.optional(),
  is_header: z.literal(true).optional(),
  colspan: z.int().positive().optional(),
  rowspan: z.int().positive().optional(),
  align: z.enum(['left', 'center', 'right']).default('left'),
  valign: z.enum(['top', 'middle', 'bottom']).default('top'),
})

type Block = { readonly type: string; readonly [field: string]: unknown }

const blocks = z.lazy(() => z.array(Block))

const Item = z.strictObject({
  blocks,
  has_checkbox: z.literal(true).optional(),
  is_checked: z.literal(true).optional(),
  value: z.int().optional(),
  type: z.enum(['a', 'A', 'i', 'I', '1']).optional(),
})

const Block: z.ZodType<Block> = z.lazy(() =>
  z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('paragraph'), text: Text }),
    z.strictObject({ type: z.literal('heading'), text: Text, size: z.int().min(1).max(6) }),
    z.strictObject({ type: z.literal('pre'), text: Text, language: z.string().optional() }),
    z.strictObject({ type: z.literal('footer'), text: Text }),
    z.strictObject({ type: z.literal('divider') }),
    z.strictObject({ type: z.literal('mathematical_expression'), expression: z.string() }),
    z.strictObject({ type: z.literal('anchor'), name: z.string() }),
    z.strictObject({ type: z.literal('list'), items: z.array(Item).min(1) }),
    z.strictObject({ type: z.literal('blockquote'), blocks, credit: Text.optional() }),
    z.strictObject({ type: z.literal('expandable_blockquote'), text: Text, credit: Text.optional() }),
    z.strictObject({ type: z.literal('pullquote'), text: Text, credit: Text.optional() }),
    z.strictObject({
      type: z.literal('table'),
      cells: z.array(z.array(Cell).min(1).max(MAX_COLUMNS)).min(1),
      is_bordered: z.literal(true).optional(),
      is_striped: z.literal(true).optional(),
      is_compact: z.literal(true).optional(),
      caption: Text.optional(),
    }),
    z.strictObject({ type: z.literal('details'), summary: Text, blocks, is_open: z.literal(true).optional() }),
    z.strictObject({
      type: z.literal('buttons'),
      buttons: z.array(Button).min(1).max(8),
      align: z.enum(['left', 'center', 'right']).optional(),
    }),
    z.strictObject({
      type: z.literal('map'),
      location: z.looseObject({ latitude: z.number(), longitude: z.number() }),
      zoom: z.int(),
      width: z.int(),
      height: z.int(),
      caption: Caption.optional(),
    }),
    z.strictObject({ type: z.literal('thinking'), text: Text }),
  ]),
)

const Input = z.strictObject({
  blocks: blocks.optional(),
  html: z.string().optional(),
  markdown: z.string().optional(),
  media: z.array(z.unknown()).optional(),
  is_rtl: z.boolean().optional(),
  skip_entity_detection: z.boolean().optional(),
})

/** @param options.thinking whether a "thinking" block may stand in it: only in drafts */
export function parseRichMessage(given: unknown, options: { readonly thinking: boolean }): RichMessage {
  const parsed = Input.safeParse(given)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw badRequest(`can't parse rich_message: ${issue?.path.join('.')} ${issue?.message}`)
  }
  const { blocks: given_blocks, html, markdown, is_rtl } = parsed.data
  if (html !== undefined || markdown !== undefined) {
    throw badRequest('rich html and markdown can be parsed by Telegram only: send blocks to this stand-in')
  }
  if (!given_blocks || given_blocks.length === 0) throw badRequest('RICH_MESSAGE_EMPTY')
  const count = { blocks: 0, length: 0 }
  measure(given_blocks, 1, count, options.thinking)
  if (count.length > MAX_LENGTH) throw badRequest('RICH_MESSAGE_TOO_LONG')
  if (count.blocks > MAX_BLOCKS) throw badRequest('RICH_MESSAGE_BLOCKS_TOO_MUCH')
  // Checked against the Bot API's shapes just above; list labels are the one thing Telegram adds.
  return { blocks: given_blocks.map(withLabels), ...(is_rtl ? { is_rtl } : {}) } as unknown as RichMessage
}

/** Walks whatever lies in a block: nested blocks, rows and texts all count. */
function measure(value: unknown, depth: number, count: { blocks: number; length: number }, thinking: boolean): void {
  if (depth > MAX_DEPTH * 3) throw badRequest('RICH_MESSAGE_DEPTH_TOO_MUCH')
  if (typeof value === 'string') {
    count.length += [...value].length
  } else if (Array.isArray(value)) {
    for (const item of value) measure(item, depth + 1, count, thinking)
  } else if (typeof value === 'object' && value !== null) {
    if ('type' in value && value.type === 'thinking' && !thinking) throw badRequest('RICH_MESSAGE_THINKING_INVALID')
    if (!('style' in value)) count.blocks++
    for (const [key, field] of Object.entries(value)) {
      if (!['type', 'align', 'valign', 'url', 'language'].includes(key)) measure(field, depth + 1, count, thinking)
    }
  }
}

const ListBlock = z.looseObject({ type: z.literal('list'), items: z.array(Item) })

function withLabels(block: Block): Block {
  const list = ListBlock.safeParse(block)
  if (!list.success) return block
  let number = 0
  return {
    ...block,
    items: list.data.items.map((item) => {
      number = item.value ?? number + 1
      const label = item.type || item.value !== undefined ? `${number}.` : '•'
      return { ...item, label, blocks: item.blocks.map(withLabels) }
    }),
  }
}
