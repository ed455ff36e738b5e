/** Paragraphs, headings, lists, quotes, code and tables, in Telegram's few means. */
import type { MarkedToken, Token, Tokens } from 'marked'
import { decodeEntities } from './html-entities.ts'
import { htmlText } from './html-text.ts'
import { renderInline } from './render-inline.ts'
import { renderTable } from './render-table.ts'
import type { TextBuilder } from './text-builder.ts'

const BULLETS = ['•', '◦', '▪'] as const
const INDENT = '   '
/** Lists deeper than this move no further right: a phone is narrow. */
const MAX_INDENTS = 4
const RULE = '———'

interface Place {
  /** Inside how many lists. */
  readonly lists: number
  /** No empty lines between blocks. */
  readonly tight: boolean
}

const TOP: Place = { lists: 0, tight: false }

export function renderBlocks(tokens: readonly Token[], builder: TextBuilder, place: Place = TOP): void {
  for (const token of tokens) {
    if (token.type === 'space') continue
    builder.separate(place.tight ? 1 : 2)
    renderBlock(token as MarkedToken, builder, place)
  }
}

function renderBlock(token: MarkedToken, builder: TextBuilder, place: Place): void {
  switch (token.type) {
    case 'heading':
      renderHeading(token, builder)
      break
    case 'code':
      builder.pre(token.text, token.lang?.trim().split(/\s/)[0] ?? '')
      break
    case 'blockquote':
      builder.styled('blockquote', () => renderBlocks(token.tokens, builder, { ...place, tight: false }))
      break
    case 'list':
      renderList(token, builder, place)
      break
    case 'table':
      renderTable(token, builder)
      break
    case 'hr':
      builder.add(RULE)
      break
    case 'html':
      builder.add(htmlText(token.text))
      break
    case 'def':
      // A definition is said where it is used; a footnote is read where it stands.
      if (token.tag.startsWith('^')) builder.add(token.raw.trim())
      break
    case 'paragraph':
      renderInline(token.tokens, builder)
      break
    case 'text':
      renderInline(token.tokens ?? [], builder)
      if (!token.tokens) builder.add(decodeEntities(token.text))
      break
    default:
      renderInline([token], builder)
      break
  }
}

function renderHeading({ depth, tokens }: Tokens.Heading, builder: TextBuilder): void {
  const bold = () => builder.styled('bold', () => renderInline(tokens, builder))
  if (depth === 1) builder.styled('underline', bold)
  else bold()
}

function renderList({ items, ordered, start, loose }: Tokens.List, builder: TextBuilder, { lists }: Place): void {
  const first = typeof start === 'number' ? start : 1
  items.forEach((item, index) => {
    builder.separate(loose && lists === 0 ? 2 : 1)
    const mark = ordered ? `${first + index}.` : BULLETS[Math.min(lists, BULLETS.length - 1)]
    const box = item.checked ? '☑' : '☐'
    // A box is mark enough; a number says something beside it.
    builder.add(`${[item.task && !ordered ? '' : mark, item.task ? box : ''].filter(Boolean).join(' ')} `)
    const indent = lists < MAX_INDENTS ? INDENT : ''
    builder.indented(indent, () => renderItem(item, builder, { lists: lists + 1, tight: true }))
  })
}

/** The first words stand beside the mark; what follows goes below. */
function renderItem({ tokens }: Tokens.ListItem, builder: TextBuilder, place: Place): void {
  const shown = tokens.filter(({ type }) => type !== 'space' && type !== 'checkbox')
  shown.forEach((token, index) => {
    const isInline = token.type === 'text' || token.type === 'paragraph' || token.type === 'heading'
    if (index > 0 || !isInline) builder.separate(1)
    renderBlock(token as MarkedToken, builder, place)
  })
}
