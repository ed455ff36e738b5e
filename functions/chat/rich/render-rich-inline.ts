/** Words with their emphasis, links and code, as rich text. */
import type { RichText } from 'grammy/types'
import type { MarkedToken, Token, Tokens } from 'marked'
import { decodeEntities } from '../text/html-entities.ts'
import { inlineText } from '../text/render-inline.ts'
import { mailboxOf, safeUrl } from '../text/safe-link.ts'

/** Deeper emphasis than this is shown flat: Telegram takes 16 levels, blocks included. */
const MAX_DEPTH = 4

/** @returns `''` where there is nothing to see */
export function renderRichInline(tokens: readonly Token[], depth = 0): RichText {
  const parts: RichText[] = []
  const add = (part: RichText) => {
    const last = parts.at(-1)
    if (part === '') return
    if (typeof part === 'string' && typeof last === 'string') parts[parts.length - 1] = last + part
    else parts.push(part)
  }
  for (const token of tokens) {
    const rendered = renderToken(token as MarkedToken, depth)
    if (Array.isArray(rendered)) rendered.forEach(add)
    else add(rendered)
  }
  if (parts.length > 1) return parts
  return parts[0] ?? ''
}

function renderToken(token: MarkedToken, depth: number): RichText {
  switch (token.type) {
    case 'strong':
      return styled('bold', token, depth)
    case 'em':
      return styled('italic', token, depth)
    case 'del':
      return styled('strikethrough', token, depth)
    case 'codespan':
      return token.text.trim() === '' ? token.text : { type: 'code', text: plain(token.text) }
    case 'link':
    case 'image':
      return renderLink(token, depth)
    case 'text':
      return token.tokens ? renderRichInline(token.tokens, depth) : plain(decodeEntities(token.text))
    default:
      return plain(inlineText([token], depth))
  }
}

type Emphasis = Tokens.Strong | Tokens.Em | Tokens.Del

function styled(type: 'bold' | 'italic' | 'strikethrough', token: Emphasis, depth: number): RichText {
  if (depth >= MAX_DEPTH) return plain(inlineText([token]))
  const text = renderRichInline(token.tokens, depth + 1)
  return text === '' ? '' : { type, text }
}

function renderLink(token: Tokens.Link | Tokens.Image, depth: number): RichText {
  const { href, raw } = token
  // The mark of a footnote is no link, whatever the footnote says.
  if (raw.startsWith('[^')) return plain(raw)
  const words =
    token.type === 'image' || depth >= MAX_DEPTH
      ? plain(inlineText([token]))
      : renderRichInline(token.tokens ?? [], depth + 1)
  const url = safeUrl(decodeEntities(href))
  if (url !== undefined) return { type: 'url', text: words === '' ? url : words, url }
  const mailbox = mailboxOf(href)
  return mailbox && !token.text.includes(mailbox) ? [words, plain(` (${mailbox})`)] : words
}

function plain(text: string): string {
  return text.replaceAll('\t', ' ')
}
