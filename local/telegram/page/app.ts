/** The chat page: puts its parts together and lets them act on the server. */
import type { InlineKeyboardButton, Message } from 'grammy/types'
import { api, RefusedByServer } from './api.ts'
import { Composer } from './composer.ts'
import { h, icon, refill } from './dom.ts'
import { Header } from './header.ts'
import type { MessageActions } from './message-view.ts'
import { Sidebar } from './sidebar.ts'
import { type OpenChat, Store } from './store.ts'
import { copy, startPayload } from './text-view.ts'
import { Timeline } from './timeline.ts'
import { alertDialog, popupMenu, toast } from './toast.ts'
import { renderWelcome } from './welcome.ts'

/** A button spins until the bot answers, at most this long. */
const ANSWER_MS = 15_000
const QUICK_REACTIONS = ['👍', '❤', '🔥', '🎉', '😁', '🤔', '👀', '👎']

const store = new Store()
const app = element('app')
const conversation = element('conversation')
const pressed = new Map<string, HTMLElement>()

const actions: MessageActions = {
  get botUsername() {
    return store.state?.bot.username ?? ''
  },
  start: (payload) => {
    run(openChat({ chat: store.userId, thread: 0 }).then(() => api.start(store.userId, payload)))
  },
  command: (command) => composer.send(command),
  press: (message, button, key) => run(press(message, button, key)),
  menu: (message, x, y) => messageMenu(message, x, y),
  react: (message, emoji) => run(api.react(store.userId, message.chat.id, message.message_id, emoji)),
  stopDraft: (draft) => run(api.stopDraft(store.userId, draft.draft_id)),
  showMessage: (messageId) => timeline.show(messageId),
}

const composer = new Composer(store)
const timeline = new Timeline(store, actions)
const header = new Header(store, { back: () => run(openChat(undefined)), showMessage: (id) => timeline.show(id) })
const sidebar = new Sidebar(element('sidebar'), store, {
  open: (chat) => run(openChat(chat)),
  switchUser: (user) => run(switchUser(user)),
})
const welcome = h('div', { class: 'welcome-holder' })
const drop = h(
  'div',
  { class: 'drop', testid: 'drop', attrs: { hidden: true } },
  h('span', {}, icon('file'), 'Drop files to send them'),
)
refill(conversation, header.element, welcome, timeline.element, composer.element, drop)

timeline.onSeen(() => markRead())
store.onAnswer((answer) => {
  stopSpinning(answer.callback_query_id)
  if (answer.user_id !== store.userId) return
  if (answer.text && answer.show_alert) alertDialog(store.state?.bot.first_name ?? '', answer.text)
  else if (answer.text) toast(answer.text)
  if (answer.url) openAddress(answer.url)
})
store.onChange((changes) => {
  if (changes.has('chat')) {
    app.classList.toggle('in-chat', store.open !== undefined)
    timeline.reset()
  } else if (changes.has('messages')) {
    timeline.draw()
  }
  sidebar.draw()
  header.draw()
  composer.draw()
  drawWelcome()
  drawTitle()
})

function drawWelcome(): void {
  const { chat } = store
  const isNew = chat?.type === 'private' && !chat.started && store.messages.length === 0
  welcome.hidden = !isNew && store.open !== undefined
  timeline.element.hidden = !welcome.hidden
  if (!welcome.hidden) renderWelcome(welcome, store, isNew)
}

function drawTitle(): void {
  const unread = store.state?.chats.reduce((sum, { unread: count }) => sum + count, 0) ?? 0
  document.title = unread > 0 ? `(${unread}) Local Telegram` : 'Local Telegram'
}

function markRead(): void {
  const last = store.messages.at(-1)
  const { open, chat } = store
  if (!last || !open || document.hidden) return
  const shown = chat?.topics.length
    ? chat.topics.find(({ thread_id }) => thread_id === open.thread)?.unread
    : chat?.unread
  if (shown === 0 && last.from?.id === store.userId) return
  api.read(store.userId, open.chat, open.thread, last.message_id).then(
    () => store.refresh(),
    () => undefined,
  )
}

async function openChat(chat: OpenChat | undefined): Promise<void> {
  composer.switchTo(placeKey(store.open), placeKey(chat))
  await store.openChat(chat)
  remember()
  composer.focus()
}

async function switchUser(user: number): Promise<void> {
  const before = placeKey(store.open)
  await store.switchUser(user)
  composer.switchTo(before, placeKey(store.open))
  remember()
}

function placeKey(open: OpenChat | undefined): string {
  return `${store.userId}/${open?.chat ?? ''}/${open?.thread ?? ''}`
}

/** The address says who and where one is, so that a reload, a bookmark or a test gets back there. */
function remember(): void {
  const place = new URLSearchParams({ user: String(store.userId) })
  if (store.open) {
    place.set('chat', String(store.open.chat))
    if (store.open.thread > 0) place.set('thread', String(store.open.thread))
  }
  const hash = `#${place}`
  if (location.hash !== hash) history.pushState(null, '', hash)
}

function placeFromAddress(): { user: number | undefined; open: OpenChat | undefined } {
  const place = new URLSearchParams(location.hash.slice(1))
  const number = (name: string) => {
    const value = Number(place.get(name))
    return place.has(name) && Number.isSafeInteger(value) ? value : undefined
  }
  const chat = number('chat')
  return { user: number('user'), open: chat === undefined ? undefined : { chat, thread: number('thread') ?? 0 } }
}

async function goToAddress(): Promise<void> {
  const { user, open } = placeFromAddress()
  if (user !== undefined && user !== store.userId) await store.switchUser(user)
  const before = placeKey(store.open)
  await store.openChat(open)
  composer.switchTo(before, placeKey(store.open))
}

async function press(message: Message, button: InlineKeyboardButton, key: HTMLElement): Promise<void> {
  if ('callback_data' in button) {
    if (key.classList.contains('waiting')) return
    key.classList.add('waiting')
    try {
      const id = await api.press(store.userId, message.chat.id, message.message_id, button.callback_data)
      pressed.set(id, key)
      setTimeout(() => stopSpinning(id), ANSWER_MS)
    } catch (error) {
      key.classList.remove('waiting')
      throw error
    }
  } else if ('url' in button) {
    openAddress(button.url)
  } else if ('copy_text' in button) {
    copy(button.copy_text.text)
  } else {
    toast('This kind of button does nothing in the local stand-in')
  }
}

function stopSpinning(id: string): void {
  pressed.get(id)?.classList.remove('waiting')
  pressed.delete(id)
}

function openAddress(address: string): void {
  if (!URL.canParse(address)) return
  const url = new URL(address)
  const payload = startPayload(url, actions.botUsername)
  if (payload !== undefined) actions.start(payload)
  else if (['http:', 'https:', 'mailto:'].includes(url.protocol)) window.open(url, '_blank', 'noopener,noreferrer')
}

function messageMenu(message: Message, x: number, y: number): void {
  const isOwn = message.from?.id === store.userId
  const text = message.text ?? message.caption
  const quote = window.getSelection()?.toString().trim() || undefined
  const elsewhere = store.state?.chats.filter(({ id }) => id !== message.chat.id) ?? []
  const reactions = h(
    'div',
    { class: 'quick-reactions' },
    ...QUICK_REACTIONS.map((emoji) =>
      h(
        'button',
        {
          testid: 'quick-reaction',
          attrs: { type: 'button', 'aria-label': `React with ${emoji}` },
          on: { click: () => actions.react(message, emoji) },
        },
        emoji,
      ),
    ),
  )
  popupMenu(
    x,
    y,
    [
      { label: quote ? 'Quote and reply' : 'Reply', testid: 'menu-reply', run: () => composer.reply(message, quote) },
      ...(isOwn && text ? [{ label: 'Edit', testid: 'menu-edit', run: () => composer.edit(message) }] : []),
      ...(text ? [{ label: 'Copy text', testid: 'menu-copy', run: () => copy(text) }] : []),
      ...elsewhere.slice(0, 3).map((chat) => ({
        label: `Forward to ${chat.type === 'private' ? (store.state?.bot.first_name ?? '') : chat.title}`,
        testid: 'menu-forward',
        run: () =>
          run(api.forward({ from: store.userId, chat: chat.id, thread: 0 }, message.chat.id, message.message_id)),
      })),
      {
        label: 'Forward to this chat',
        testid: 'menu-forward-here',
        run: () => run(api.forward({ from: store.userId, ...here() }, message.chat.id, message.message_id)),
      },
      {
        label: 'Delete',
        testid: 'menu-delete',
        danger: true,
        run: () => run(api.remove(message.chat.id, message.message_id)),
      },
    ],
    reactions,
  )
}

function here(): OpenChat {
  return store.open ?? { chat: store.userId, thread: 0 }
}

function run(work: Promise<unknown>): void {
  work.catch((error: unknown) => {
    toast(error instanceof RefusedByServer ? error.message : 'The local server does not answer. Is it still running?')
  })
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id)
  if (!found) throw new Error(`no #${id} in the page`)
  return found
}

function listenForFiles(): void {
  let depth = 0
  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false
  const isOpen = () => store.open !== undefined && store.chat?.started === true
  addEventListener('dragenter', (event) => {
    if (!hasFiles(event) || !isOpen()) return
    depth++
    drop.hidden = false
  })
  addEventListener('dragleave', (event) => {
    if (!hasFiles(event)) return
    depth = Math.max(0, depth - 1)
    drop.hidden = depth === 0
  })
  addEventListener('dragover', (event) => {
    if (hasFiles(event)) event.preventDefault()
  })
  addEventListener('drop', (event) => {
    if (!hasFiles(event)) return
    event.preventDefault()
    depth = 0
    drop.hidden = true
    if (isOpen()) composer.attach([...(event.dataTransfer?.files ?? [])])
  })
}

listenForFiles()
addEventListener('popstate', () => run(goToAddress()))
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) timeline.draw()
})

const first = placeFromAddress()
run(
  store.start(first.user).then(async () => {
    const known = store.state?.chats.some(({ id }) => id === first.open?.chat)
    await store.openChat(known && first.open ? first.open : { chat: store.userId, thread: 0 })
    history.replaceState(
      null,
      '',
      `#${new URLSearchParams({ user: String(store.userId), chat: String(here().chat), ...(here().thread > 0 ? { thread: String(here().thread) } : {}) })}`,
    )
    composer.focus()
  }),
)
