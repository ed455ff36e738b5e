/** Rich messages: typed blocks as elements. */
import type { RichMessage } from 'grammy/types'
import { add, h } from './dom.ts'
import { link, pressable, type TextActions } from './text-view.ts'

type Json = string | number | boolean | null | undefined | readonly Json[] | { readonly [key: string]: Json }
type Node_ = { readonly [key: string]: Json }

export function renderRich(message: RichMessage, actions: TextActions): HTMLElement {
  // Blocks came through the stand-in's schema: here they are only walked.
  const blocks = message.blocks as unknown as readonly Node_[]
  return h(
    'div',
    { class: 'rich', testid: 'rich', attrs: { dir: message.is_rtl ? 'rtl' : 'auto' } },
    ...blocks.map((block) => renderBlock(block, actions)),
  )
}

function renderBlock(block: Node_, actions: TextActions): HTMLElement {
  const inline = (value: Json) => renderInline(value, actions)
  const nested = () => list(block.blocks).map((inner) => renderBlock(inner, actions))
  switch (block.type) {
    case 'heading':
      return h(`h${Number(block.size) as 1 | 2 | 3 | 4 | 5 | 6}`, {}, inline(block.text))
    case 'pre':
      return h(
        'div',
        { class: 'pre' },
        h('div', { class: 'pre-head' }, h('span', {}, String(block.language ?? 'code'))),
        h('pre', { attrs: { tabindex: 0 } }, h('code', {}, inline(block.text))),
      )
    case 'divider':
      return h('hr')
    case 'footer':
      return h('p', { class: 'footer' }, inline(block.text))
    case 'mathematical_expression':
      return h('p', { class: 'math' }, String(block.expression))
    case 'list':
      return h('div', { class: 'rich-list' }, ...list(block.items).map((item) => renderItem(item, actions)))
    case 'blockquote':
      return h('blockquote', { class: 'quote' }, ...nested())
    case 'expandable_blockquote':
    case 'pullquote':
      return h('blockquote', { class: 'quote' }, inline(block.text))
    case 'details':
      return h(
        'details',
        { attrs: { open: block.is_open === true } },
        h('summary', {}, inline(block.summary)),
        ...nested(),
      )
    case 'table':
      return renderTable(block, actions)
    case 'thinking':
      return h('p', { class: 'thinking' }, inline(block.text))
    case 'buttons':
      return h(
        'div',
        { class: 'rich-buttons' },
        ...list(block.buttons).map((button) =>
          h('button', { class: 'key', attrs: { type: 'button' } }, inline(button.text)),
        ),
      )
    default:
      return h('p', {}, inline(block.text))
  }
}

function renderItem(item: Node_, actions: TextActions): HTMLElement {
  const mark = item.has_checkbox ? (item.is_checked ? '☑' : '☐') : String(item.label ?? '•')
  const body = h('div', {}, ...list(item.blocks).map((block) => renderBlock(block, actions)))
  return h('div', { class: 'rich-item' }, h('span', { class: 'rich-mark' }, mark), body)
}

function renderTable(block: Node_, actions: TextActions): HTMLElement {
  const rows = Array.isArray(block.cells) ? (block.cells as readonly (readonly Node_[])[]) : []
  const body = rows.map((row) =>
    h(
      'tr',
      {},
      ...row.map((cell) =>
        h(
          cell.is_header ? 'th' : 'td',
          {
            class: `align-${String(cell.align)}`,
            attrs: { colspan: Number(cell.colspan ?? 1), rowspan: Number(cell.rowspan ?? 1) },
          },
          renderInline(cell.text, actions),
        ),
      ),
    ),
  )
  return h(
    'div',
    { class: 'table-scroll', attrs: { tabindex: 0 } },
    h('table', { class: block.is_striped ? 'striped' : '' }, ...body),
  )
}

const TAGS = {
  bold: 'strong',
  italic: 'em',
  underline: 'u',
  strikethrough: 's',
  code: 'code',
  marked: 'mark',
  subscript: 'sub',
  superscript: 'sup',
} as const

function renderInline(value: Json, actions: TextActions): HTMLElement {
  const holder = h('span')
  addInline(holder, value, actions)
  return holder
}

function addInline(parent: HTMLElement, value: Json, actions: TextActions): void {
  if (typeof value === 'string') {
    add(parent, value)
    return
  }
  if (Array.isArray(value)) {
    for (const part of value) addInline(parent, part, actions)
    return
  }
  if (typeof value !== 'object' || value === null) return
  const node = value as Node_
  const element = inlineElement(node, actions)
  if (node.type === 'custom_emoji') add(element, String(node.alternative_text ?? ''))
  else if (node.type === 'mathematical_expression') add(element, String(node.expression ?? ''))
  else addInline(element, node.text, actions)
  add(parent, element)
}

function inlineElement(node: Node_, actions: TextActions): HTMLElement {
  const tag = TAGS[node.type as keyof typeof TAGS]
  if (tag) return h(tag, tag === 'code' ? { class: 'mono' } : {})
  if (node.type === 'url') return link(String(node.url), actions)
  if (node.type === 'spoiler') {
    const element = h('span', {
      class: 'spoiler',
      attrs: { role: 'button', tabindex: 0 },
      on: pressable(() => element.classList.add('shown')),
    })
    return element
  }
  return h('span')
}

function list(value: Json): readonly Node_[] {
  return Array.isArray(value) ? (value as readonly Node_[]) : []
}
