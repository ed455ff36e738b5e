/** Words with their emphasis, links and code. */
import type { MarkedToken, Token, Tokens } from 'marked'
import { decodeEntities } from './html-entities.ts'
import { mailboxOf, safeUrl } from './safe-link.ts'
import type { TextBuilder } from './text-builder.ts'

/** Deeper emphasis than this is shown flat. */
const MAX_DEPTH = 16

export function renderInline(tokens: readonly Token[], builder: TextBuilder, depth = 0): void {
  for (const token of tokens) renderToken(token as MarkedToken, builder, depth)
}

/** The words alone, for places that hold no formatting. */
export function inlineText(tokens: readonly Token[], depth = 0): string {
  return tokens.map((token) => plainToken(token as MarkedToken, depth)).join('')
}

function renderToken(token: MarkedToken, builder: TextBuilder, depth: number): void {
  const inner = (tokens: readonly Token[] | undefined, text: string) => {
    if (tokens && depth < MAX_DEPTH) renderInline(tokens, builder, depth + 1)
    else builder.add(decodeEntities(text))
  }
  switch (token.type) {
    case 'strong':
      builder.styled('bold', () => inner(token.tokens, token.text))
      break
    case 'em':
      builder.styled('italic', () => inner(token.tokens, token.text))
      break
    case 'del':
      builder.styled('strikethrough', () => inner(token.tokens, token.text))
      break
    case 'codespan':
      builder.code(token.text)
      break
    case 'br':
      builder.add('\n')
      break
    case 'link':
      // Telegram finds a bare address by itself; as an entity it would only use up room.
      if (token.autolink) builder.add(token.text.replace(/^mailto:/i, ''))
      else renderLink(token, builder, () => inner(token.tokens, token.text))
      break
    case 'image':
      renderLink(token, builder, () => builder.add(imageText(token.text)))
      break
    case 'checkbox':
      // Drawn with the list item it belongs to.
      break
    case 'text':
      inner(token.tokens, token.text)
      break
    default:
      builder.add(plainToken(token, depth))
      break
  }
}

function renderLink({ href, raw, text }: Tokens.Link | Tokens.Image, builder: TextBuilder, content: () => void): void {
  // The mark of a footnote is no link, whatever the footnote says.
  if (raw.startsWith('[^')) {
    builder.add(raw)
    return
  }
  const url = safeUrl(decodeEntities(href))
  const before = builder.length
  if (url === undefined) content()
  else builder.linked(url, content)
  if (builder.length === before && url !== undefined) builder.add(url)
  const mailbox = mailboxOf(href)
  if (mailbox && !text.includes(mailbox)) builder.add(builder.length === before ? mailbox : ` (${mailbox})`)
}

function imageText(alt: string): string {
  return `🖼 ${decodeEntities(alt).trim()}`.trim()
}

function plainToken(token: MarkedToken, depth: number): string {
  switch (token.type) {
    case 'escape':
    case 'codespan':
      return token.text
    case 'br':
      return '\n'
    case 'checkbox':
      return ''
    case 'image':
      return imageText(token.text)
    case 'html':
      return /^<br\s*\/?>\s*$/i.test(token.raw) ? '\n' : decodeEntities(token.raw)
    case 'strong':
    case 'em':
    case 'del':
    case 'link':
    case 'text':
      return token.tokens && depth < MAX_DEPTH ? inlineText(token.tokens, depth + 1) : decodeEntities(token.text)
    default:
      return token.raw
  }
}
