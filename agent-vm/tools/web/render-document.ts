/** Documents of the web as text: HTML becomes Markdown of its main part, JSON is laid out, text stays. Others are refused. */
import { Readability } from '@mozilla/readability'
import { parseHTML } from 'linkedom'
import TurndownService from 'turndown'
import { ToolFailure } from '../confined/tool-failure.ts'

/** Parsing costs some twenty times the text in memory. */
const MAX_HTML_CHARS = 2_000_000
const MAX_ELEMENTS = 40_000
/** Deeper than any page that a person made; the libraries need the square of it. */
const MAX_DEPTH = 400
const JSON_TYPE = /^application\/(?:[\w.+-]*\+)?json$|^text\/json$/
const HTML_TYPE = /^(?:text\/html|application\/xhtml\+xml)$/
const TEXT_TYPE =
  /^text\/|^application\/(?:xml|[\w.-]+\+xml|javascript|ecmascript|yaml|x-yaml|toml|x-ndjson|ndjson|sql|graphql|x-sh)$/

export interface WebDocument {
  readonly bytes: Buffer
  /** The header as it came; may be empty. */
  readonly contentType: string
  readonly url: URL
}

export interface RenderedDocument {
  readonly title: string
  readonly text: string
}

/** @throws {ToolFailure} for what is no text */
export async function renderDocument({ bytes, contentType, url }: WebDocument): Promise<RenderedDocument> {
  const type = (contentType.split(';')[0] ?? '').trim().toLowerCase() || guessType(bytes)
  const isHtml = HTML_TYPE.test(type)
  if (!isHtml && !JSON_TYPE.test(type) && !TEXT_TYPE.test(type)) throw refuseType(type, bytes.length, url)
  const text = decode(bytes, contentType, isHtml)
  if (JSON_TYPE.test(type)) return { title: '', text: layOutJson(text) }
  return isHtml ? renderHtml(text.slice(0, MAX_HTML_CHARS), url) : { title: '', text }
}

function refuseType(type: string, bytes: number, url: URL): ToolFailure {
  return new ToolFailure(
    `${url.host} answered with ${type.slice(0, 100)} (${bytes} bytes), which is not text. To use it, download it with bash: curl -sSLo FILE URL.`,
  )
}

function guessType(bytes: Buffer): string {
  const start = bytes.subarray(0, 1024)
  if (start.includes(0)) return 'application/octet-stream'
  const text = start.toString('latin1').trimStart().toLowerCase()
  if (text.startsWith('<!doctype html') || text.startsWith('<html')) return 'text/html'
  return text.startsWith('{') || text.startsWith('[') ? 'application/json' : 'text/plain'
}

/** In the character set of the header, else of the page itself, else UTF-8. */
function decode(bytes: Buffer, contentType: string, isHtml: boolean): string {
  const named = /charset\s*=\s*["']?([\w:.-]+)/i.exec(contentType)?.[1]
  const inside = isHtml
    ? /<meta[^>]+charset\s*=\s*["']?([\w:.-]+)/i.exec(bytes.toString('latin1', 0, 2048))?.[1]
    : undefined
  return decoderFor(named ?? inside).decode(bytes)
}

function decoderFor(label: string | undefined): TextDecoder {
  try {
    return new TextDecoder(label ?? 'utf-8')
  } catch {
    return new TextDecoder()
  }
}

function layOutJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}

function renderHtml(html: string, url: URL): RenderedDocument {
  try {
    return renderWithLibraries(html, url)
  } catch (error) {
    // Nested ten thousand deep, or otherwise more than the libraries take: the bare text is still there.
    if (error instanceof ToolFailure) throw error
    return { title: '', text: stripTags(html) }
  }
}

function renderWithLibraries(html: string, url: URL): RenderedDocument {
  if (measureDepth(html) > MAX_DEPTH) return { title: '', text: stripTags(html) }
  const document = parseWithLinks(html, url)
  const title = (document.querySelector('title')?.textContent ?? '').replace(/\s+/g, ' ').trim().slice(0, 300)
  const turndown = createTurndown()
  const whole = document.body.textContent?.trim() ? document.body : document.documentElement
  const isArticle = document.querySelectorAll('p').length >= 3 && document.querySelectorAll('*').length <= MAX_ELEMENTS
  // Readability works on the document itself and takes it apart: the fallback needs one of its own.
  const article = isArticle
    ? new Readability(parseWithLinks(html, url), { maxElemsToParse: MAX_ELEMENTS }).parse()
    : null
  const main = article?.content
    ? tidy(turndown.turndown(parseHTML(`<body>${article.content}</body>`).document.body))
    : ''
  const all = tidy(turndown.turndown(whole))
  // Lists of links and start pages are no article: then the whole page says more.
  const text = main.length >= 200 && main.length > all.length * 0.15 ? main : all
  return { title: article?.title?.trim().slice(0, 300) || title, text: text || stripTags(html) }
}

/** How deep tags nest, roughly: those that need no end, or close by themselves, are left out. */
function measureDepth(html: string): number {
  let depth = 0
  let deepest = 0
  for (const [, end, name = '', empty] of html.matchAll(/<(\/?)([a-z][a-z0-9]*)\b[^<>]*?(\/?)>/gi)) {
    if (empty === '/' || SELF_CLOSING.test(name)) continue
    depth = Math.max(0, depth + (end ? -1 : 1))
    deepest = Math.max(deepest, depth)
  }
  return deepest
}

const SELF_CLOSING =
  /^(?:area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr|p|li|dt|dd|tr|td|th|thead|tbody|tfoot|option)$/i

function parseWithLinks(html: string, url: URL): Document {
  // The library takes a first element that is not `html` for the whole document.
  const isWhole = /<html[\s>]/i.test(html)
  const { document } = parseHTML(isWhole ? html : `<!doctype html><html><head></head><body>${html}</body></html>`)
  resolveLinks(document, url)
  return document
}

/** The model sees where links lead; the library knows no base address. */
function resolveLinks(document: Document, url: URL): void {
  for (const [selector, name] of [
    ['a[href]', 'href'],
    ['img[src]', 'src'],
  ] as const) {
    for (const element of document.querySelectorAll(selector)) {
      const value = element.getAttribute(name) ?? ''
      if (/^(?:data|javascript|blob):/i.test(value.trim())) element.removeAttribute(name)
      else if (URL.canParse(value, url)) element.setAttribute(name, new URL(value, url).href)
    }
  }
}

function createTurndown(): TurndownService {
  const turndown = new TurndownService({ headingStyle: 'atx', codeBlockStyle: 'fenced', bulletListMarker: '-' })
  turndown.remove([
    'script',
    'style',
    'noscript',
    'iframe',
    'form',
    'button',
    'input',
    'select',
    'textarea',
    'template',
    'canvas',
    'video',
    'audio',
    'object',
    'title',
    'head',
    'link',
    'meta',
  ])
  turndown.addRule('graphics', {
    filter: (node) => /^(?:svg|nav|footer|dialog)$/i.test(node.nodeName),
    replacement: () => '',
  })
  turndown.addRule('cells', {
    filter: ['td', 'th'],
    replacement: (content) => `| ${content.replace(/\s*\n\s*/g, ' ').trim()} `,
  })
  turndown.addRule('rows', { filter: 'tr', replacement: (content) => `${content.trim()} |\n` })
  return turndown
}

function tidy(markdown: string): string {
  return markdown
    .replace(/[ \t]+$/gm, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}

function stripTags(html: string): string {
  return html
    .replace(/<(script|style|noscript|template)\b[^>]*>[\s\S]*?(?:<\/\1\s*>|$)/gi, ' ')
    .replace(/<[^<>]*>/g, ' ')
    .replace(/[ \t]+/g, ' ')
    .replace(/\s*\n\s*/g, '\n')
    .trim()
}
