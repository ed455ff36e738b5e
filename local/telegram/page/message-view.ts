/** One message as a bubble, with what hangs on it: reply, forward, media, keyboard, reactions. */
import type { InlineKeyboardButton, Message } from 'grammy/types'
import type { Draft } from '../state/drafts.ts'
import type { Reaction } from '../state/messages.ts'
import { add, h, icon } from './dom.ts'
import { colorIndex, fullDate, serviceText, summary, time } from './format.ts'
import { renderAlbum, renderMedia } from './media-view.ts'
import { renderRich } from './rich-view.ts'
import { renderText, type TextActions } from './text-view.ts'

export interface MessageActions extends TextActions {
  readonly press: (message: Message, button: InlineKeyboardButton, element: HTMLElement) => void
  readonly menu: (message: Message, x: number, y: number) => void
  readonly react: (message: Message, emoji: string | undefined) => void
  readonly stopDraft: (draft: Draft) => void
  readonly showMessage: (messageId: number) => void
}

export interface MessageProps {
  /** More than one: an album. */
  readonly messages: readonly [Message, ...Message[]]
  readonly userId: number
  readonly reactions: readonly Reaction[]
  /** First and last of a run by the same person. */
  readonly first: boolean
  readonly last: boolean
  readonly showName: boolean
}

/** Up to this many emoji alone stand large and without a bubble. */
const BIG_EMOJI =
  /^(\p{Extended_Pictographic}(?:\p{Emoji_Modifier}|\u{fe0f}|\u{200d}|\p{Extended_Pictographic})*\s*){1,3}$/u

export function renderMessage(props: MessageProps, actions: MessageActions): HTMLElement {
  const message = props.messages[0]
  const service = serviceText(message)
  if (service) return renderService(message, service)
  const isOwn = message.from?.id === props.userId
  const content = renderContent(props, actions)
  const bubble = h(
    'div',
    { class: `bubble${isBare(props.messages) ? ' bare' : ''}${isVisual(message) ? ' visual' : ''}` },
    ...content,
  )
  const buttons = renderKeyboard(message, actions)
  const more = h(
    'button',
    { class: 'more', testid: 'message-menu', title: 'More', attrs: { type: 'button', 'aria-label': 'Message menu' } },
    icon('more'),
  )
  more.addEventListener('click', () => {
    const { left, bottom } = more.getBoundingClientRect()
    actions.menu(message, left, bottom)
  })
  const element = h(
    'article',
    {
      class: ['message', isOwn ? 'own' : 'other', props.first && 'first', props.last && 'last']
        .filter(Boolean)
        .join(' '),
      testid: 'message',
      data: { messageId: message.message_id, from: message.from?.is_bot ? 'bot' : (message.from?.id ?? 0) },
      attrs: { 'aria-label': `${message.from?.first_name ?? ''}, ${time(message.date)}` },
    },
    h('div', { class: 'stack' }, bubble, buttons),
    more,
  )
  bubble.addEventListener('contextmenu', (event) => {
    if (window.getSelection()?.isCollapsed === false) return
    event.preventDefault()
    actions.menu(message, event.clientX, event.clientY)
  })
  return element
}

function renderService(message: Message, text: string): HTMLElement {
  return h(
    'div',
    { class: 'service', testid: 'service-message', data: { messageId: message.message_id } },
    h('span', {}, text),
  )
}

function renderContent(props: MessageProps, actions: MessageActions): (HTMLElement | undefined)[] {
  const message = props.messages[0]
  const captioned = props.messages.find(({ caption }) => caption) ?? message
  const text = message.text ?? captioned.caption
  const meta = renderMeta(message, props.userId)
  const body = h('div', { class: 'text', testid: 'message-text', attrs: { dir: 'auto' } })
  if (message.rich_message) add(body, renderRich(message.rich_message, actions))
  else if (text) add(body, renderText(text, message.entities ?? captioned.caption_entities ?? [], actions))
  const media = props.messages.length > 1 ? renderAlbum(props.messages) : renderMedia(message)
  const reactions = renderReactions(message, props, actions)
  // The time floats into the last line of the text, or lies on the picture.
  const hasBody = Boolean(text ?? message.rich_message)
  if (hasBody && !reactions) add(body, meta)
  return [
    props.showName
      ? h('div', { class: `name color-${colorIndex(message.from?.id ?? 0)}` }, nameOf(message))
      : undefined,
    message.forward_origin ? renderForward(message) : undefined,
    message.reply_to_message ? renderReply(message, actions) : undefined,
    media,
    hasBody ? body : undefined,
    reactions ? h('div', { class: 'foot' }, reactions, meta) : undefined,
    !hasBody && !reactions ? meta : undefined,
  ]
}

function nameOf(message: Message): string {
  return [message.from?.first_name, message.from?.last_name].filter(Boolean).join(' ')
}

function isVisual(message: Message): boolean {
  return Boolean(message.photo ?? message.video ?? message.animation)
}

function isBare(messages: readonly Message[]): boolean {
  const message = messages[0]
  if (!message || message.reply_to_message || message.forward_origin || message.reply_markup) return false
  return Boolean(message.sticker) || (message.text !== undefined && !message.entities && BIG_EMOJI.test(message.text))
}

function renderMeta(message: Message, userId: number): HTMLElement {
  const isOwn = message.from?.id === userId
  return h(
    'span',
    { class: 'meta', title: fullDate(message.edit_date ?? message.date) },
    message.edit_date ? h('span', { testid: 'edited' }, 'edited') : undefined,
    h('time', { attrs: { datetime: new Date(message.date * 1000).toISOString() } }, time(message.date)),
    isOwn ? (icon('checks') as unknown as HTMLElement) : undefined,
  )
}

function renderForward(message: Message): HTMLElement {
  const origin = message.forward_origin
  const name =
    origin?.type === 'user'
      ? origin.sender_user.first_name
      : origin?.type === 'hidden_user'
        ? origin.sender_user_name
        : ''
  return h('div', { class: 'forward', testid: 'forward' }, `Forwarded from ${name}`)
}

function renderReply(message: Message, actions: MessageActions): HTMLElement {
  const replied = message.reply_to_message
  const id = replied?.message_id ?? 0
  return h(
    'button',
    {
      class: `reply color-${colorIndex(replied?.from?.id ?? 0)}`,
      testid: 'reply',
      attrs: { type: 'button' },
      on: { click: () => actions.showMessage(id) },
    },
    h('span', { class: 'reply-name' }, replied?.from?.first_name ?? ''),
    h('span', { class: 'reply-text' }, message.quote?.text ?? (replied ? summary(replied as Message) : '')),
  )
}

function renderKeyboard(message: Message, actions: MessageActions): HTMLElement | undefined {
  const rows = message.reply_markup?.inline_keyboard
  if (!rows || rows.length === 0) return undefined
  return h(
    'div',
    { class: 'inline-keyboard', testid: 'inline-keyboard' },
    ...rows.map((row) =>
      h('div', { class: 'key-row' }, ...row.map((button) => renderButton(message, button, actions))),
    ),
  )
}

function renderButton(message: Message, button: InlineKeyboardButton, actions: MessageActions): HTMLElement {
  const mark = 'url' in button ? 'outside' : 'copy_text' in button ? 'copy' : 'web_app' in button ? 'file' : undefined
  const element = h(
    'button',
    {
      class: `key${button.style ? ` ${button.style}` : ''}`,
      testid: 'inline-button',
      attrs: { type: 'button', disabled: 'disabled' in button },
      ...('callback_data' in button ? { data: { callback: button.callback_data } } : {}),
    },
    h('span', { class: 'key-text' }, button.text),
    mark ? h('span', { class: 'key-mark', attrs: { 'aria-hidden': 'true' } }, icon(mark)) : undefined,
  )
  element.addEventListener('click', () => actions.press(message, button, element))
  return element
}

function renderReactions(message: Message, props: MessageProps, actions: MessageActions): HTMLElement | undefined {
  const counts = new Map<string, { count: number; own: boolean }>()
  for (const { userId, types } of props.reactions) {
    for (const type of types) {
      if (type.type !== 'emoji') continue
      const known = counts.get(type.emoji) ?? { count: 0, own: false }
      counts.set(type.emoji, { count: known.count + 1, own: known.own || userId === props.userId })
    }
  }
  if (counts.size === 0) return undefined
  return h(
    'div',
    { class: 'reactions', testid: 'reactions' },
    ...[...counts].map(([emoji, { count, own }]) =>
      h(
        'button',
        {
          class: own ? 'reaction own' : 'reaction',
          testid: 'reaction',
          attrs: { type: 'button', 'aria-pressed': String(own) },
          on: { click: () => actions.react(message, own ? undefined : emoji) },
        },
        h('span', { class: 'emoji' }, emoji),
        count > 1 ? String(count) : undefined,
      ),
    ),
  )
}

/** What the bot is writing. Empty: it is still thinking. */
export function renderDraft(draft: Draft, botName: string, actions: MessageActions): HTMLElement {
  const text = h('div', { class: 'text', testid: 'draft-text', attrs: { dir: 'auto' } })
  if (draft.rich_message) add(text, renderRich(draft.rich_message, actions))
  else if (draft.text) add(text, renderText(draft.text, draft.entities ?? [], actions))
  else add(text, h('span', { class: 'thinking', testid: 'draft-thinking' }, 'Thinking…'))
  const canStop = draft.can_stop && !draft.stopped
  const stop = canStop
    ? h(
        'button',
        {
          class: 'draft-stop',
          testid: 'draft-stop',
          attrs: { type: 'button' },
          on: { click: () => actions.stopDraft(draft) },
        },
        icon('stop'),
        'Stop',
      )
    : undefined
  return h(
    'article',
    {
      class: `message other draft first last${draft.stopped ? ' stopped' : ''}`,
      testid: 'draft',
      data: { draftId: draft.draft_id, frames: draft.frames },
      attrs: { 'aria-label': `${botName} is writing`, 'aria-live': 'off' },
    },
    h('div', { class: 'stack' }, h('div', { class: 'bubble' }, text), stop),
  )
}
