/** Above the messages: which chat this is, what the bot is doing, what is pinned. */
import { api } from './api.ts'
import { avatar } from './avatar.ts'
import { h, icon, refill } from './dom.ts'
import { actionText, summary } from './format.ts'
import type { Store } from './store.ts'
import { popupMenu } from './toast.ts'

export interface HeaderActions {
  readonly back: () => void
  readonly showMessage: (messageId: number) => void
}

export class Header {
  readonly element: HTMLElement
  readonly #store: Store
  readonly #actions: HeaderActions
  #look = ''

  constructor(store: Store, actions: HeaderActions) {
    this.#store = store
    this.#actions = actions
    this.element = h('div', { class: 'head-wrap' })
  }

  draw(): void {
    const { chat, open, state, connected } = this.#store
    const action = open ? this.#store.actionIn(open.chat, open.thread) : undefined
    const isDrafting = this.#store.drafts.some(({ stopped }) => !stopped)
    const look = JSON.stringify([chat, open, action, isDrafting, connected, state?.bot, state?.people])
    if (look === this.#look) return
    this.#look = look
    if (!chat || !state) {
      refill(this.element)
      return
    }
    const isPrivate = chat.type === 'private'
    const topic = chat.topics.find(({ thread_id }) => thread_id === open?.thread)
    const whole = isPrivate ? state.bot.first_name : chat.title
    const name = topic ? topic.name : whole
    const members = [...chat.members, state.bot.first_name]
    const subtitle = topic ? `in ${whole}` : isPrivate ? `bot · @${state.bot.username}` : members.join(', ')
    const status = !connected ? 'connecting…' : action ? `${actionText(action)}…` : isDrafting ? 'writing…' : undefined
    const back = h(
      'button',
      { class: 'round back', testid: 'back', attrs: { type: 'button', 'aria-label': 'Back to chats' } },
      icon('back'),
    )
    back.addEventListener('click', () => this.#actions.back())
    const more = h(
      'button',
      { class: 'round', testid: 'chat-menu', title: 'More', attrs: { type: 'button', 'aria-label': 'Chat menu' } },
      icon('more'),
    )
    more.addEventListener('click', () => this.#menu(more))
    refill(
      this.element,
      h(
        'header',
        { class: 'head', testid: 'chat-header' },
        back,
        avatar(chat.id, isPrivate ? name : chat.title, isPrivate ? 'bot' : 'group'),
        h(
          'div',
          { class: 'head-text' },
          h('h1', { class: 'head-name' }, name),
          h(
            'div',
            { class: status ? 'head-sub acting' : 'head-sub', testid: 'chat-status', attrs: { 'aria-live': 'polite' } },
            status ?? subtitle,
          ),
        ),
        isPrivate ? more : undefined,
      ),
      chat.pinned ? this.#pinned(chat.pinned.message_id, summary(chat.pinned)) : undefined,
    )
  }

  #pinned(messageId: number, text: string): HTMLElement {
    return h(
      'button',
      {
        class: 'pinned',
        testid: 'pinned',
        attrs: { type: 'button' },
        on: { click: () => this.#actions.showMessage(messageId) },
      },
      icon('pin'),
      h('span', {}, h('b', {}, 'Pinned message'), text),
    )
  }

  #menu(button: HTMLElement): void {
    const { right, bottom } = button.getBoundingClientRect()
    const { chat, userId } = this.#store
    const isBlocked = chat?.blocked ?? false
    popupMenu(right - 200, bottom + 4, [
      {
        label: isBlocked ? 'Unblock the bot' : 'Stop and block the bot',
        testid: 'block',
        danger: !isBlocked,
        run: () => {
          api.block(userId, !isBlocked).catch(() => undefined)
        },
      },
    ])
  }
}
