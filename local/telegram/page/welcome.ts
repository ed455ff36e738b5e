/** What a newcomer sees first: what this page is, and what to press. */
import { avatar } from './avatar.ts'
import { h, refill } from './dom.ts'
import type { Store } from './store.ts'

export function renderWelcome(root: HTMLElement, store: Store, isNew: boolean): void {
  const { state } = store
  if (!state) return
  const look = JSON.stringify([isNew, state.bot, state.user, state.webhook !== ''])
  if (root.dataset.look === look) return
  root.dataset.look = look
  if (!isNew) {
    refill(root, h('p', { class: 'choose' }, 'Choose a chat'))
    return
  }
  const me = state.people.find(({ id }) => id === state.user)
  refill(
    root,
    h(
      'section',
      { class: 'welcome', testid: 'welcome' },
      avatar(state.bot.id, state.bot.first_name, 'bot'),
      h('h2', {}, state.bot.first_name),
      state.bot.description ? h('p', { class: 'pre-wrap' }, state.bot.description) : undefined,
      h(
        'div',
        { class: 'welcome-note' },
        h('strong', {}, 'This is a local stand-in for Telegram.'),
        ` It runs on your computer and talks to nobody else. You are ${me?.first_name ?? 'Alice'}, a made-up person; switch to another one at the top of the chat list. What you write stays on this computer.`,
      ),
      h('p', { class: 'welcome-press' }, 'Press START below to begin.'),
      state.webhook === ''
        ? h(
            'p',
            { class: 'welcome-warning', testid: 'no-bot' },
            'No bot is listening yet: messages wait until it does.',
          )
        : undefined,
    ),
  )
}
