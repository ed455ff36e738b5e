/** Markdown, as models write it, as a rich message. */
import type { MarkedToken, Token, Tokens } from 'marked'
import { decodeEntities } from '../text/html-entities.ts'
import { htmlText } from '../text/html-text.ts'
import { type Definitions, findDefinitions, lex } from '../text/lexer.ts'
import { type Section, splitSections } from '../text/sections.ts'
import { expandTabs } from '../text/tabs.ts'
import { cleanInput, isVisible } from '../text/tidy.ts'
import { renderRichInline } from './render-rich-inline.ts'
import type { RichBlock, RichCell, RichItem, RichMessage } from './rich-message.ts'

/** The first letter says where a text begins. */
const RIGHT_TO_LEFT = /^\P{L}*[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/u
/** `$$…$$` or `\[…\]`, alone in its paragraph. Within a line a dollar is mostly money. */
const FORMULA = /^(?:\$\$([^$]+)\$\$|\\\[([\s\S]+)\\\])$/
const LANGUAGE = /^[\w+#.-]{1,32}$/

export function renderRich(markdown: string): RichMessage {
  const source = cleanInput(markdown)
  const definitions = findDefinitions(source)
  const blocks = splitSections(source).flatMap((section) => renderSection(section, definitions))
  return { blocks, ...(RIGHT_TO_LEFT.test(source) ? { isRtl: true } : {}) }
}

/** Whether it shows more than a text with entities can: tables, boxes to tick, formulas. */
export function gainsByRich({ blocks }: Pick<RichMessage, 'blocks'>): boolean {
  return blocks.some((block) => {
    if (block.type === 'table' || block.type === 'mathematical_expression') return true
    if (block.type === 'blockquote') return gainsByRich(block)
    return block.type === 'list' && block.items.some((item) => item.has_checkbox || gainsByRich(item))
  })
}

function renderSection({ kind, body, language }: Section, definitions: Definitions): RichBlock[] {
  if (kind === 'fence') return renderCode(body, language)
  const tokens = lex(body, definitions)
  return tokens ? renderBlocks(tokens) : renderParagraph(body)
}

function renderBlocks(tokens: readonly Token[]): RichBlock[] {
  return tokens.flatMap((token) => renderBlock(token as MarkedToken))
}

function renderBlock(token: MarkedToken): RichBlock[] {
  switch (token.type) {
    case 'space':
    case 'checkbox':
      return []
    case 'heading':
      return renderHeading(token)
    case 'code':
      return renderCode(token.text, token.lang?.trim().split(/\s/)[0] ?? '')
    case 'blockquote': {
      const blocks = renderBlocks(token.tokens)
      return blocks.length > 0 ? [{ type: 'blockquote', blocks }] : []
    }
    case 'list':
      return renderList(token)
    case 'table':
      return [renderTable(token)]
    case 'hr':
      return [{ type: 'divider' }]
    case 'html':
      return renderParagraph(htmlText(token.text))
    case 'def':
      return token.tag.startsWith('^') ? renderParagraph(token.raw) : []
    case 'paragraph':
      return renderFormula(token.raw) ?? renderWords(token.tokens)
    case 'text':
      return token.tokens ? renderWords(token.tokens) : renderParagraph(decodeEntities(token.text))
    default:
      return renderWords([token])
  }
}

function renderHeading({ depth, tokens }: Tokens.Heading): RichBlock[] {
  const text = renderRichInline(tokens)
  // Markdown has six levels, as Telegram has.
  return text === '' ? [] : [{ type: 'heading', text, size: Math.min(6, Math.max(1, depth)) as 1 | 2 | 3 | 4 | 5 | 6 }]
}

function renderCode(given: string, language: string): RichBlock[] {
  const text = expandTabs(given.replace(/^(?:[ \t]*\n)+/, '').trimEnd())
  if (!isVisible(text)) return []
  if (language === 'math') return [{ type: 'mathematical_expression', expression: text }]
  return [{ type: 'pre', text, ...(LANGUAGE.test(language) ? { language } : {}) }]
}

function renderFormula(raw: string): RichBlock[] | undefined {
  const [, dollars, brackets] = FORMULA.exec(raw.trim()) ?? []
  const expression = (dollars ?? brackets)?.trim()
  return expression ? [{ type: 'mathematical_expression', expression }] : undefined
}

function renderList({ items, ordered, start }: Tokens.List): RichBlock[] {
  const first = typeof start === 'number' ? start : 1
  const rendered = items.flatMap((item, index): RichItem[] => {
    const blocks = renderBlocks(item.tokens)
    if (blocks.length === 0) return []
    const box = item.task ? { has_checkbox: true as const, ...(item.checked ? { is_checked: true as const } : {}) } : {}
    return [{ blocks, ...box, ...(ordered ? { value: first + index, type: '1' as const } : {}) }]
  })
  return rendered.length > 0 ? [{ type: 'list', items: rendered }] : []
}

function renderTable({ header, rows, align }: Tokens.Table): RichBlock {
  const cell = ({ tokens }: Tokens.TableCell, column: number): RichCell => {
    const text = renderRichInline(tokens)
    return { ...(text === '' ? {} : { text }), align: align[column] ?? 'left', valign: 'top' }
  }
  const head = header.map((each, column): RichCell => ({ ...cell(each, column), is_header: true }))
  return { type: 'table', cells: [head, ...rows.map((row) => row.map(cell))], is_bordered: true }
}

function renderWords(tokens: readonly Token[]): RichBlock[] {
  const text = renderRichInline(tokens)
  return text === '' ? [] : [{ type: 'paragraph', text }]
}

function renderParagraph(given: string): RichBlock[] {
  const text = given.trim().replaceAll('\t', ' ')
  return isVisible(text) ? [{ type: 'paragraph', text }] : []
}
