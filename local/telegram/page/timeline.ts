/**
 * The list of messages. Elements stay where they are while their message is the same; the view keeps to the end while the
 * reader is there, and keeps its place while they are not.
 */
import type { Message } from 'grammy/types'
import { add, h, icon } from './dom.ts'
import { day, dayKey, serviceText } from './format.ts'
import { type MessageActions, renderDraft, renderMessage } from './message-view.ts'
import type { Store } from './store.ts'

/** So near to the end counts as at the end. */
const END_PX = 90
/** Messages of one person closer than this belong together. */
const RUN_S = 300

interface Item {
  readonly key: string
  /** Equal means: looks the same. */
  readonly look: string
  readonly render: () => HTMLElement
}

interface Shown {
  readonly look: string
  readonly element: HTMLElement
}

export class Timeline {
  readonly element: HTMLElement
  readonly #store: Store
  readonly #actions: MessageActions
  readonly #scroller: HTMLElement
  readonly #list: HTMLElement
  readonly #down: HTMLButtonElement
  readonly #badge: HTMLElement
  #shown = new Map<string, Shown>()
  #atEnd = true
  #missed = 0
  #lastId = 0
  #onSeen: () => void = () => undefined

  constructor(store: Store, actions: MessageActions) {
    this.#store = store
    this.#actions = actions
    this.#list = h('div', { class: 'list', testid: 'messages', attrs: { role: 'log', 'aria-label': 'Messages' } })
    this.#scroller = h('div', { class: 'scroller', testid: 'scroller', attrs: { tabindex: -1 } }, this.#list)
    this.#badge = h('span', { class: 'badge' })
    this.#down = h(
      'button',
      {
        class: 'to-end',
        testid: 'scroll-down',
        title: 'To the newest message',
        attrs: { type: 'button', 'aria-label': 'To the newest message', hidden: true },
      },
      icon('down'),
      this.#badge,
    )
    this.element = h('div', { class: 'timeline' }, this.#scroller, this.#down)
    this.#down.addEventListener('click', () => this.toEnd(true))
    this.#scroller.addEventListener('scroll', () => this.#onScroll(), { passive: true })
    // Pictures, keyboards and the composer change heights: the end stays in view through it.
    new ResizeObserver(() => {
      if (this.#atEnd) this.toEnd(false)
    }).observe(this.#scroller)
    new ResizeObserver(() => {
      if (this.#atEnd) this.toEnd(false)
    }).observe(this.#list)
  }

  /** Called when the newest message is in view. */
  onSeen(listener: () => void): void {
    this.#onSeen = listener
  }

  /** A different chat: starts at its end. */
  reset(): void {
    this.#shown.clear()
    this.#list.replaceChildren()
    this.#atEnd = true
    this.#missed = 0
    this.#lastId = 0
    this.draw()
  }

  draw(): void {
    const { messages } = this.#store
    const last = messages.at(-1)
    const isNew = last !== undefined && last.message_id > this.#lastId
    const isOwn = last?.from?.id === this.#store.userId
    if (isNew && this.#lastId > 0 && !this.#atEnd && !isOwn) this.#missed++
    if (last) this.#lastId = Math.max(this.#lastId, last.message_id)
    const heightBefore = this.#scroller.scrollHeight
    const isPrepended = this.#put(this.#items())
    if (isNew && isOwn) this.#atEnd = true
    if (this.#atEnd) this.toEnd(false)
    else if (isPrepended) this.#scroller.scrollTop += this.#scroller.scrollHeight - heightBefore
    this.#drawDown()
    if (this.#atEnd && !document.hidden) this.#onSeen()
  }

  toEnd(smooth: boolean): void {
    this.#scroller.scrollTo({ top: this.#scroller.scrollHeight, behavior: smooth ? 'smooth' : 'instant' })
  }

  show(messageId: number): void {
    const element = this.#list.querySelector<HTMLElement>(`[data-message-id="${messageId}"]`)
    if (!element) return
    element.scrollIntoView({ block: 'center', behavior: 'smooth' })
    element.classList.remove('flash')
    requestAnimationFrame(() => element.classList.add('flash'))
    element.addEventListener('animationend', () => element.classList.remove('flash'), { once: true })
  }

  #onScroll(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller
    const wasAtEnd = this.#atEnd
    this.#atEnd = scrollHeight - scrollTop - clientHeight < END_PX
    if (this.#atEnd) this.#missed = 0
    if (this.#atEnd && !wasAtEnd) this.#onSeen()
    this.#drawDown()
    if (scrollTop < 300 && this.#store.hasOlder) this.#store.loadOlder().catch(() => undefined)
  }

  #drawDown(): void {
    this.#down.hidden = this.#atEnd
    this.#badge.textContent = this.#missed > 0 ? String(this.#missed) : ''
    this.#badge.hidden = this.#missed === 0
  }

  #items(): Item[] {
    const { messages, drafts, state, userId } = this.#store
    const isGroup = (this.#store.open?.chat ?? 0) < 0
    const items: Item[] = []
    const groups = groupAlbums(messages)
    groups.forEach((group, index) => {
      const [message] = group
      const before = groups[index - 1]?.[0]
      const after = groups[index + 1]?.[0]
      if (!before || dayKey(before.date) !== dayKey(message.date)) items.push(dateItem(message.date))
      const props = {
        messages: group,
        userId,
        reactions: this.#store.reactions.get(message.message_id) ?? [],
        first: !isRun(before, message),
        last: !isRun(message, after),
        showName: isGroup && message.from?.id !== userId && !isRun(before, message),
      }
      items.push({
        key: `m${message.message_id}`,
        look: JSON.stringify(props),
        render: () => renderMessage(props, this.#actions),
      })
    })
    for (const draft of drafts) {
      items.push({
        key: `d${draft.draft_id}`,
        look: JSON.stringify(draft),
        render: () => renderDraft(draft, state?.bot.first_name ?? '', this.#actions),
      })
    }
    return items
  }

  /** @returns whether something was put above what was there */
  #put(items: readonly Item[]): boolean {
    const before = this.#list.firstElementChild
    const next = new Map<string, Shown>()
    // What is gone goes first: then everything that stays is already in its place and is not moved.
    const keys = new Set(items.map(({ key }) => key))
    // A message that takes a draft's place stands there already: it does not appear once more.
    let isDraftGone = false
    for (const [key, { element }] of this.#shown) {
      if (keys.has(key)) continue
      isDraftGone ||= key.startsWith('d')
      this.#list.removeChild(element)
    }
    let at = this.#list.firstChild
    for (const { key, look, render } of items) {
      const known = this.#shown.get(key)
      const shown = known?.look === look ? known : { look, element: render() }
      if (known && shown !== known) keepOpen(known.element, shown.element)
      if (!known && this.#shown.size > 0 && !isDraftGone) shown.element.classList.add('new')
      next.set(key, shown)
      if (shown.element === at) {
        at = at.nextSibling
      } else {
        this.#list.insertBefore(shown.element, at)
        if (known && known !== shown) {
          if (known.element === at) at = at.nextSibling
          this.#list.removeChild(known.element)
        }
      }
    }
    this.#shown = next
    return Boolean(before?.isConnected) && before !== this.#list.firstElementChild
  }
}

/** What the reader had opened stays open in the new drawing of the same message. */
function keepOpen(before: HTMLElement, after: HTMLElement): void {
  for (const selector of ['.spoiler', '.quote.expandable', 'details']) {
    const old = [...before.querySelectorAll(selector)]
    after.querySelectorAll(selector).forEach((element, index) => {
      const former = old[index]
      if (former?.classList.contains('shown')) element.classList.add('shown')
      if (former?.classList.contains('open')) element.classList.add('open')
      if (former instanceof HTMLDetailsElement && element instanceof HTMLDetailsElement) element.open = former.open
    })
  }
}

function dateItem(unix: number): Item {
  const text = day(unix)
  return {
    key: `t${dayKey(unix)}`,
    look: text,
    render: () => {
      const element = h('div', { class: 'date' })
      add(element, h('span', {}, text))
      return element
    },
  }
}

function groupAlbums(messages: readonly Message[]): [Message, ...Message[]][] {
  const groups: [Message, ...Message[]][] = []
  for (const message of messages) {
    const last = groups.at(-1)
    const isPart = message.media_group_id !== undefined && last?.[0].media_group_id === message.media_group_id
    if (last && isPart) last.push(message)
    else groups.push([message])
  }
  return groups
}

function isRun(before: Message | undefined, after: Message | undefined): boolean {
  if (!before || !after || serviceText(before) || serviceText(after)) return false
  const isSame = before.from?.id === after.from?.id && dayKey(before.date) === dayKey(after.date)
  return isSame && after.date - before.date < RUN_S
}
