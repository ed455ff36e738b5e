/**
 * Telegram's rich messages as far as an answer needs them: typed blocks, made from the Markdown tree. Never Markdown or HTML,
 * which Telegram would read itself: a model's words could then be buttons, or pictures fetched from anywhere.
 */
import type { RichText } from 'grammy/types'

export interface RichMessage {
  readonly blocks: readonly RichBlock[]
  readonly isRtl?: boolean
}

export type RichBlock =
  | { readonly type: 'paragraph'; readonly text: RichText }
  | { readonly type: 'heading'; readonly text: RichText; readonly size: 1 | 2 | 3 | 4 | 5 | 6 }
  | { readonly type: 'pre'; readonly text: string; readonly language?: string }
  | { readonly type: 'divider' }
  | { readonly type: 'mathematical_expression'; readonly expression: string }
  | { readonly type: 'list'; readonly items: readonly RichItem[] }
  | { readonly type: 'blockquote'; readonly blocks: readonly RichBlock[] }
  | { readonly type: 'table'; readonly cells: readonly (readonly RichCell[])[]; readonly is_bordered: true }

export interface RichItem {
  readonly blocks: readonly RichBlock[]
  readonly has_checkbox?: true
  readonly is_checked?: true
  readonly value?: number
  readonly type?: '1'
}

export interface RichCell {
  readonly text?: RichText
  readonly is_header?: true
  readonly align: 'left' | 'center' | 'right'
  readonly valign: 'top'
}

/** Bot API 10.3, "Rich Message Limits". */
const MAX_CHARS = 32_768
const MAX_BLOCKS = 500
const MAX_NESTING = 16
const MAX_COLUMNS = 20

/** Whether Telegram takes it; what it does not take is sent as text with entities. */
export function fits({ blocks }: RichMessage): boolean {
  const total = { chars: 0, blocks: 0, nesting: 0, columns: 0 }
  for (const block of blocks) measureBlock(block, 1, total)
  return (
    total.blocks > 0 &&
    total.blocks <= MAX_BLOCKS &&
    total.chars <= MAX_CHARS &&
    total.nesting <= MAX_NESTING &&
    total.columns <= MAX_COLUMNS
  )
}

interface Total {
  chars: number
  blocks: number
  nesting: number
  columns: number
}

/** What counts is said by Telegram in words only: everything that may count does. */
function measureBlock(block: RichBlock, depth: number, total: Total): void {
  total.blocks++
  total.nesting = Math.max(total.nesting, depth)
  switch (block.type) {
    case 'list':
      for (const item of block.items) {
        total.blocks++
        for (const inner of item.blocks) measureBlock(inner, depth + 2, total)
      }
      break
    case 'blockquote':
      for (const inner of block.blocks) measureBlock(inner, depth + 1, total)
      break
    case 'table':
      for (const row of block.cells) {
        total.blocks++
        total.columns = Math.max(total.columns, row.length)
        for (const { text } of row) measureText(text ?? '', depth + 2, total)
      }
      break
    case 'mathematical_expression':
      measureText(block.expression, depth, total)
      break
    case 'divider':
      break
    default:
      measureText(block.text, depth, total)
  }
}

function measureText(text: RichText, depth: number, total: Total): void {
  total.nesting = Math.max(total.nesting, depth)
  // UTF-16 units are never fewer than characters.
  if (typeof text === 'string') total.chars += text.length
  else if (Array.isArray(text)) for (const part of text) measureText(part, depth, total)
  else if ('text' in text) measureText(text.text, depth + 1, total)
}
