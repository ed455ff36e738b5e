/** Left: who one is, and one's chats. */
import type { Message } from 'grammy/types'
import type { ChatView, TopicView } from '../sim/view.ts'
import { api } from './api.ts'
import { avatar } from './avatar.ts'
import { h, icon, refill } from './dom.ts'
import { actionText, listTime, serviceText, summary } from './format.ts'
import type { OpenChat, Store } from './store.ts'
import { askText, popupMenu, toast } from './toast.ts'

export interface SidebarActions {
  readonly open: (chat: OpenChat) => void
  readonly switchUser: (user: number) => void
}

export class Sidebar {
  readonly #store: Store
  readonly #actions: SidebarActions
  readonly #people: HTMLElement
  readonly #chats: HTMLElement
  #look = ''

  constructor(root: HTMLElement, store: Store, actions: SidebarActions) {
    this.#store = store
    this.#actions = actions
    this.#people = h('div', {
      class: 'people',
      testid: 'people',
      attrs: { role: 'radiogroup', 'aria-label': 'Who you are' },
    })
    this.#chats = h('nav', { class: 'chats', testid: 'chats', attrs: { 'aria-label': 'Chats' } })
    const add = h(
      'button',
      {
        class: 'round',
        testid: 'new',
        title: 'New person, group or topic',
        attrs: { type: 'button', 'aria-label': 'New person, group or topic' },
      },
      icon('plus'),
    )
    add.addEventListener('click', () => this.#newMenu(add))
    refill(
      root,
      h(
        'header',
        { class: 'sidebar-head' },
        h('div', { class: 'you' }, h('span', { class: 'you-label' }, 'You are'), this.#people),
        add,
      ),
      this.#chats,
      h(
        'footer',
        { class: 'about', testid: 'about' },
        h('strong', {}, 'Local Telegram'),
        ' — a stand-in that runs on this computer only. The people are made up: be any of them.',
      ),
    )
  }

  draw(): void {
    const { state, open } = this.#store
    if (!state) return
    const actions = state.chats.map(({ id }) => this.#store.actionIn(id) ?? '')
    const look = JSON.stringify([state, open, actions, new Date().toDateString()])
    if (look === this.#look) return
    this.#look = look
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.focus : undefined
    refill(
      this.#people,
      ...state.people.map((person) => {
        const isOn = person.id === state.user
        const chip = h(
          'button',
          {
            class: isOn ? 'chip on' : 'chip',
            testid: 'person',
            title: isOn ? `You are ${person.first_name}` : `Be ${person.first_name}`,
            data: { personId: person.id, focus: `p${person.id}` },
            attrs: { type: 'button', role: 'radio', 'aria-checked': String(isOn) },
          },
          avatar(person.id, person.first_name),
          h('span', { class: 'chip-name' }, person.first_name),
          !isOn && person.unread > 0
            ? h('span', { class: 'badge', testid: 'person-unread' }, String(person.unread))
            : undefined,
        )
        chip.addEventListener('click', () => this.#actions.switchUser(person.id))
        return chip
      }),
    )
    refill(this.#chats, ...state.chats.flatMap((chat) => this.#chatRows(chat)))
    if (focused) document.querySelector<HTMLElement>(`[data-focus="${focused}"]`)?.focus({ preventScroll: true })
  }

  #chatRows(chat: ChatView): HTMLElement[] {
    const { state, open } = this.#store
    const isPrivate = chat.type === 'private'
    const name = isPrivate ? (state?.bot.first_name ?? '') : chat.title
    const action = this.#store.actionIn(chat.id)
    const hasTopics = chat.topics.length > 0
    const row = this.#row({
      chat: { chat: chat.id, thread: hasTopics ? (chat.topics[1]?.thread_id ?? 0) : 0 },
      picture: avatar(chat.id, name, isPrivate ? 'bot' : 'group'),
      name,
      line: action
        ? h('em', { class: 'acting' }, `${actionText(action)}…`)
        : preview(chat.last, state?.user ?? 0, !isPrivate, chat),
      last: chat.last,
      unread: chat.unread,
      isOn: open?.chat === chat.id && !hasTopics,
    })
    return [row, ...chat.topics.map((topic) => this.#topicRow(chat, topic))]
  }

  #topicRow(chat: ChatView, topic: TopicView): HTMLElement {
    const { open } = this.#store
    const mark = h(
      'span',
      { class: 'topic-mark' },
      topic.thread_id === 0 ? '#' : ([...topic.name][0] ?? '').toUpperCase(),
    )
    mark.style.setProperty('--topic', `#${topic.icon_color.toString(16).padStart(6, '0')}`)
    const row = this.#row({
      chat: { chat: chat.id, thread: topic.thread_id },
      picture: mark,
      name: topic.name,
      line: undefined,
      last: undefined,
      unread: topic.unread,
      isOn: open?.chat === chat.id && open.thread === topic.thread_id,
    })
    row.classList.add('topic')
    row.dataset.testid = 'topic'
    return row
  }

  #row(row: {
    chat: OpenChat
    picture: HTMLElement
    name: string
    line: HTMLElement | undefined
    last: Message | undefined
    unread: number
    isOn: boolean
  }): HTMLElement {
    const element = h(
      'button',
      {
        class: row.isOn ? 'chat-row on' : 'chat-row',
        testid: 'chat',
        data: {
          chatId: row.chat.chat,
          threadId: row.chat.thread,
          focus: `c${row.chat.chat}/${row.chat.thread}/${row.name}`,
        },
        attrs: { type: 'button', 'aria-current': row.isOn ? 'true' : undefined },
      },
      row.picture,
      h(
        'span',
        { class: 'chat-text' },
        h(
          'span',
          { class: 'chat-top' },
          h('span', { class: 'chat-name' }, row.name),
          row.last ? h('time', {}, listTime(row.last.date)) : undefined,
        ),
        row.line ? h('span', { class: 'chat-line' }, row.line) : undefined,
      ),
      row.unread > 0 ? h('span', { class: 'badge', testid: 'unread' }, String(row.unread)) : undefined,
    )
    element.addEventListener('click', () => this.#actions.open(row.chat))
    return element
  }

  #newMenu(button: HTMLElement): void {
    const { left, bottom } = button.getBoundingClientRect()
    const forums = this.#store.state?.chats.filter(({ is_forum }) => is_forum) ?? []
    popupMenu(left, bottom + 6, [
      {
        label: 'New person',
        testid: 'new-person',
        run: () => this.#create('New person', 'First name', (name) => this.#addPerson(name)),
      },
      {
        label: 'New group',
        testid: 'new-group',
        run: () => this.#create('New group', 'Title', (name) => this.#addGroup(name, false)),
      },
      {
        label: 'New group with topics',
        testid: 'new-forum',
        run: () => this.#create('New group with topics', 'Title', (name) => this.#addGroup(name, true)),
      },
      {
        label: 'New topic with the bot',
        testid: 'new-private-topic',
        run: () => this.#create('New topic with the bot', 'Name', (name) => this.#addPrivateTopic(name)),
      },
      ...forums.map(({ id, title }) => ({
        label: `New topic in ${title}`,
        testid: 'new-topic',
        run: () => this.#create('New topic', 'Name', (name) => this.#addTopic(id, name)),
      })),
    ])
  }

  #create(title: string, label: string, make: (name: string) => Promise<void>): void {
    askText(title, label)
      .then((name) => (name ? make(name) : undefined))
      .catch((error: unknown) => toast(error instanceof Error ? error.message : 'That did not work'))
  }

  async #addPerson(name: string): Promise<void> {
    this.#actions.switchUser(await api.addPerson(name))
  }

  async #addGroup(title: string, forum: boolean): Promise<void> {
    const people = this.#store.state?.people.map(({ id }) => id) ?? []
    const own = this.#store.userId
    const chat = await api.addGroup(title, [own, ...people.filter((id) => id !== own)], forum)
    this.#actions.open({ chat, thread: 0 })
  }

  async #addPrivateTopic(name: string): Promise<void> {
    await api.enablePrivateTopics()
    await this.#addTopic(this.#store.userId, name)
  }

  async #addTopic(chat: number, name: string): Promise<void> {
    const thread = await api.addTopic(chat, this.#store.userId, name)
    this.#actions.open({ chat, thread })
  }
}

function preview(last: Message | undefined, userId: number, showName: boolean, chat: ChatView): HTMLElement {
  if (!last) return h('span', {}, chat.started ? 'No messages yet' : 'Press Start to begin')
  const isService = serviceText(last) !== undefined
  const who = isService ? '' : last.from?.id === userId ? 'You: ' : showName ? `${last.from?.first_name ?? ''}: ` : ''
  return h('span', {}, who ? h('b', {}, who) : undefined, summary(last))
}
