/** A text with its entities as nested elements, as Telegram's apps draw them. */
import type { MessageEntity } from 'grammy/types'
import { add, h, icon } from './dom.ts'
import { toast } from './toast.ts'

export interface TextActions {
  /** Opens `t.me/<bot>?start=<payload>`. */
  readonly start: (payload: string) => void
  readonly command: (command: string) => void
  readonly botUsername: string
}

/** Entities nest or stand apart, since Telegram has split what overlapped. */
export function renderText(text: string, entities: readonly MessageEntity[], actions: TextActions): DocumentFragment {
  const fragment = document.createDocumentFragment()
  const sorted = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length)
  renderRange(fragment, { text, actions }, sorted, 0, text.length)
  return fragment
}

/** Each stands on lines of its own: the line ends beside it are its own, not empty lines. */
const BLOCKS: ReadonlySet<string> = new Set(['pre', 'blockquote', 'expandable_blockquote'])

interface Source {
  readonly text: string
  readonly actions: TextActions
}

function renderRange(
  parent: DocumentFragment | HTMLElement,
  source: Source,
  entities: readonly MessageEntity[],
  from: number,
  to: number,
): void {
  let at = from
  for (let index = 0; index < entities.length; index++) {
    const entity = entities[index]
    if (!entity || entity.offset < at || entity.offset >= to) continue
    const isBlock = BLOCKS.has(entity.type)
    if (entity.offset > at) {
      const before = source.text.slice(at, entity.offset)
      add(parent, isBlock && before.endsWith('\n') ? before.slice(0, -1) : before)
    }
    const end = Math.min(entity.offset + entity.length, to)
    const inner = entities.slice(index + 1).filter((other) => other.offset < end && other.offset >= entity.offset)
    const [outer, body] = elementFor(entity, source.text.slice(entity.offset, end), source.actions)
    renderRange(body, source, inner, entity.offset, end)
    add(parent, outer)
    at = isBlock && source.text[end] === '\n' ? end + 1 : end
  }
  if (at < to) add(parent, source.text.slice(at, to))
}

/** @returns the element to put into the text, and the one inside it that takes the content */
function elementFor(entity: MessageEntity, text: string, actions: TextActions): [HTMLElement, HTMLElement] {
  switch (entity.type) {
    case 'bold':
      return same(h('strong'))
    case 'italic':
      return same(h('em'))
    case 'underline':
      return same(h('u'))
    case 'strikethrough':
      return same(h('s'))
    case 'spoiler':
      return same(spoiler())
    case 'code':
      return same(copyable(h('code', { class: 'mono', title: 'Click to copy' }), text))
    case 'pre':
      return codeBlock(text, entity.language)
    case 'blockquote':
      return same(h('blockquote', { class: 'quote' }))
    case 'expandable_blockquote':
      return expandableQuote()
    case 'text_link':
      return same(link(entity.url, actions))
    case 'url':
      return same(link(/^[a-z]+:\/\//i.test(text) ? text : `http://${text}`, actions))
    case 'email':
      return same(link(`mailto:${text}`, actions))
    case 'bot_command':
      return same(textButton(() => actions.command(text)))
    case 'date_time':
      return dateTime(entity.unix_time, entity.date_time_format)
    case 'mention':
    case 'text_mention':
    case 'hashtag':
    case 'cashtag':
    case 'phone_number':
      return same(h('span', { class: 'link' }))
    default:
      return same(h('span'))
  }
}

function same(element: HTMLElement): [HTMLElement, HTMLElement] {
  return [element, element]
}

function textButton(onClick: () => void): HTMLElement {
  return h('span', { class: 'link', attrs: { role: 'button', tabindex: 0 }, on: pressable(onClick) })
}

/** Click, Enter and Space alike. */
export function pressable(action: (event: Event) => void) {
  return {
    click: (event: Event) => action(event),
    keydown: (event: KeyboardEvent) => {
      if (event.key !== 'Enter' && event.key !== ' ') return
      event.preventDefault()
      action(event)
    },
  }
}

function spoiler(): HTMLElement {
  const element = h('span', {
    class: 'spoiler',
    title: 'Click to show',
    attrs: { role: 'button', tabindex: 0 },
    on: pressable((event) => {
      if (element.classList.contains('shown')) return
      // The first click only uncovers, also where a link lies under the spoiler.
      event.preventDefault()
      event.stopPropagation()
      element.classList.add('shown')
    }),
  })
  return element
}

function copyable<E extends HTMLElement>(element: E, text: string): E {
  element.addEventListener('click', () => copy(text))
  return element
}

export function copy(text: string): void {
  navigator.clipboard.writeText(text).then(
    () => toast('Copied to clipboard'),
    () => toast('The browser did not let this page copy'),
  )
}

function codeBlock(text: string, language: string | undefined): [HTMLElement, HTMLElement] {
  const body = h('code')
  const header = h(
    'div',
    { class: 'pre-head' },
    h('span', {}, language ?? 'code'),
    h('button', { class: 'pre-copy', attrs: { type: 'button' }, on: { click: () => copy(text) } }, 'copy'),
  )
  return [h('div', { class: 'pre' }, header, h('pre', { attrs: { tabindex: 0 } }, body)), body]
}

function expandableQuote(): [HTMLElement, HTMLElement] {
  const body = h('div', { class: 'quote-body' })
  const toggle = h(
    'button',
    { class: 'quote-toggle', title: 'Show all', attrs: { type: 'button', 'aria-expanded': 'false' } },
    icon('down'),
  )
  const quote = h('blockquote', { class: 'quote expandable' }, body, toggle)
  // Only once it stands on the page is it known whether there is more than is shown.
  requestAnimationFrame(() => {
    if (body.clientHeight > 0 && body.scrollHeight <= body.clientHeight + 1) quote.classList.add('short')
  })
  const flip = () => {
    const isOpen = quote.classList.toggle('open')
    toggle.setAttribute('aria-expanded', String(isOpen))
    toggle.title = isOpen ? 'Show less' : 'Show all'
  }
  toggle.addEventListener('click', flip)
  body.addEventListener('click', (event) => {
    if (!(event.target instanceof HTMLAnchorElement) && !quote.classList.contains('open')) flip()
  })
  return [quote, body]
}

const SAFE_PROTOCOLS = ['http:', 'https:', 'mailto:', 'tg:']

export function link(address: string, actions: TextActions): HTMLElement {
  if (!URL.canParse(address)) return h('span', { class: 'link' })
  const url = new URL(address)
  if (!SAFE_PROTOCOLS.includes(url.protocol)) return h('span', { class: 'link' })
  const payload = startPayload(url, actions.botUsername)
  const isOwn = payload !== undefined
  return h('a', {
    class: 'link',
    title: address,
    attrs: { href: address, ...(isOwn ? {} : { target: '_blank', rel: 'noopener noreferrer' }) },
    on: {
      click: (event) => {
        if (!isOwn) return
        event.preventDefault()
        actions.start(payload)
      },
    },
  })
}

/** What a link to this bot starts it with; undefined for every other link. */
export function startPayload(url: URL, botUsername: string): string | undefined {
  const name = botUsername.toLowerCase()
  const isWeb = /^(www\.)?(t\.me|telegram\.me)$/.test(url.host) && url.pathname.slice(1).toLowerCase() === name
  const isApp = url.protocol === 'tg:' && url.searchParams.get('domain')?.toLowerCase() === name
  return isWeb || isApp ? (url.searchParams.get('start') ?? '') : undefined
}

/** The text that the bot wrote is for apps without dates: here it stands hidden behind the date itself. */
function dateTime(unix: number, format: string): [HTMLElement, HTMLElement] {
  const moment = new Date(unix * 1000)
  const element = h('time', {
    class: 'link',
    title: moment.toLocaleString(),
    attrs: { datetime: moment.toISOString() },
  })
  if (!format) return [element, element]
  const written = h('span', { class: 'hidden' })
  add(element, formatDate(unix, format), written)
  return [element, written]
}

function formatDate(unix: number, format: string): string {
  const date = new Date(unix * 1000)
  if (format.toLowerCase() === 'r') {
    const minutes = Math.round((unix * 1000 - Date.now()) / 60_000)
    const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' })
    if (Math.abs(minutes) < 90) return relative.format(minutes, 'minute')
    if (Math.abs(minutes) < 60 * 36) return relative.format(Math.round(minutes / 60), 'hour')
    return relative.format(Math.round(minutes / 1440), 'day')
  }
  const options: Intl.DateTimeFormatOptions = {
    ...(/w/i.test(format) ? { weekday: 'short' } : {}),
    ...(format.includes('D') ? { day: 'numeric', month: 'long', year: 'numeric' } : {}),
    ...(format.includes('d') ? { day: 'numeric', month: 'numeric', year: '2-digit' } : {}),
    ...(format.includes('T') ? { hour: '2-digit', minute: '2-digit', second: '2-digit' } : {}),
    ...(format.includes('t') ? { hour: '2-digit', minute: '2-digit' } : {}),
  }
  return new Intl.DateTimeFormat(undefined, options).format(date)
}
