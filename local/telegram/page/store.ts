/** What the page shows now, kept in step with the server by its events. */
import type { Message } from 'grammy/types'
import type { ChatView, StateView } from '../sim/view.ts'
import type { Draft } from '../state/drafts.ts'
import type { SimEvent } from '../state/events.ts'
import type { Reaction } from '../state/messages.ts'
import { api } from './api.ts'

/** A chat action is shown for this long at most. */
const ACTION_MS = 5_000

export interface OpenChat {
  readonly chat: number
  /** 0: General, or no topics at all. */
  readonly thread: number
}

export type Change = 'state' | 'chat' | 'messages' | 'action' | 'connection'

type AnswerEvent = Extract<SimEvent, { type: 'callback_answer' }>

export class Store {
  state: StateView | undefined
  open: OpenChat | undefined
  messages: Message[] = []
  reactions = new Map<number, Reaction[]>()
  drafts: Draft[] = []
  hasOlder = false
  connected = false
  readonly #listeners = new Set<(changes: ReadonlySet<Change>) => void>()
  readonly #answers = new Set<(answer: AnswerEvent) => void>()
  readonly #actions = new Map<string, { action: string; until: number }>()
  #pending = new Set<Change>()
  #scheduled = false
  #stateTimer: ReturnType<typeof setTimeout> | undefined
  #loading = 0
  /** What happened while the open chat was being asked for; its answer may be from before or after. */
  #heldBack: SimEvent[] = []

  onChange(listener: (changes: ReadonlySet<Change>) => void): void {
    this.#listeners.add(listener)
  }

  onAnswer(listener: (answer: AnswerEvent) => void): void {
    this.#answers.add(listener)
  }

  get chat(): ChatView | undefined {
    return this.state?.chats.find(({ id }) => id === this.open?.chat)
  }

  get userId(): number {
    return this.state?.user ?? 0
  }

  actionIn(chat: number, thread?: number): string | undefined {
    for (const [key, { action, until }] of this.#actions) {
      const [actionChat, actionThread] = key.split('/').map(Number)
      if (until > Date.now() && actionChat === chat && (thread === undefined || thread === actionThread)) return action
    }
    return undefined
  }

  async start(user: number | undefined): Promise<void> {
    this.state = await api.state(user)
    this.#changed('state')
    this.#listen()
  }

  async switchUser(user: number): Promise<void> {
    this.state = await api.state(user)
    this.#changed('state')
    const isThere = this.state.chats.some(({ id }) => id === this.open?.chat)
    // A private chat is with the bot: the next person has one of their own.
    await this.openChat(isThere && this.open ? this.open : { chat: user, thread: 0 })
  }

  async openChat(open: OpenChat | undefined): Promise<void> {
    this.open = open
    this.messages = []
    this.drafts = []
    this.reactions = new Map()
    this.hasOlder = false
    if (open) await this.#load(open)
    this.#changed('chat')
  }

  async loadOlder(): Promise<void> {
    const first = this.messages[0]
    const { open } = this
    if (!first || !open || !this.hasOlder) return
    this.hasOlder = false
    const history = await api.history(open.chat, this.#threadFilter(open), first.message_id)
    if (this.open !== open) return
    this.messages = [...history.messages, ...this.messages]
    this.hasOlder = history.messages.length === 100
    for (const { message_id, reactions } of history.reactions) this.reactions.set(message_id, reactions)
    this.#changed('messages')
  }

  async #load(open: OpenChat): Promise<void> {
    this.#loading += 1
    try {
      const history = await api.history(open.chat, this.#threadFilter(open))
      if (this.open !== open) return
      this.messages = history.messages
      this.hasOlder = history.messages.length === 100
      this.drafts = history.drafts.filter(({ thread_id }) => thread_id === open.thread)
      this.reactions = new Map(history.reactions.map(({ message_id, reactions }) => [message_id, reactions]))
      this.#changed('messages')
    } finally {
      this.#loading -= 1
      // Told twice is told once: every event says how things are, not what to add.
      if (this.#loading === 0) for (const event of this.#heldBack.splice(0)) this.#apply(event)
    }
  }

  /** Without topics a chat is one list. A topic that was made just now is not in the state yet. */
  #threadFilter({ chat, thread }: OpenChat): number | undefined {
    if (thread > 0) return thread
    const view = this.state?.chats.find(({ id }) => id === chat)
    return view && view.topics.length > 0 ? thread : undefined
  }

  #listen(): void {
    const source = new EventSource('/sim/events')
    source.addEventListener('ready', () => {
      const wasLost = !this.connected
      this.connected = true
      this.#changed('connection')
      // What happened meanwhile was not told: ask for it.
      if (wasLost && this.open) {
        this.#load(this.open).catch(() => undefined)
        this.#refreshState()
      }
    })
    source.addEventListener('error', () => {
      this.connected = false
      this.#changed('connection')
    })
    source.addEventListener('message', (event) => this.#apply(JSON.parse(event.data)))
  }

  #apply(event: SimEvent): void {
    if (this.#loading > 0) {
      this.#heldBack.push(event)
      return
    }
    switch (event.type) {
      case 'message':
        this.#addMessage(event.message)
        this.#refreshState()
        break
      case 'edited':
        this.#replaceMessage(event.message)
        this.#refreshState()
        break
      case 'deleted':
        if (event.chat_id === this.open?.chat) {
          this.messages = this.messages.filter(({ message_id }) => !event.message_ids.includes(message_id))
          this.#changed('messages')
        }
        this.#refreshState()
        break
      case 'reactions':
        if (event.chat_id === this.open?.chat) {
          this.reactions.set(event.message_id, event.reactions)
          this.#changed('messages')
        }
        break
      case 'draft':
        if (this.#isOpen(event.draft.chat_id, event.draft.thread_id)) {
          this.drafts = [...this.drafts.filter(({ draft_id }) => draft_id !== event.draft.draft_id), event.draft]
          this.#actions.delete(`${event.draft.chat_id}/${event.draft.thread_id}`)
          this.#changed('messages')
        }
        break
      case 'draft_gone':
        this.drafts = this.drafts.filter(
          ({ chat_id, draft_id }) => chat_id !== event.chat_id || draft_id !== event.draft_id,
        )
        this.#changed('messages')
        break
      case 'action':
        this.#actions.set(`${event.chat_id}/${event.thread_id}`, {
          action: event.action,
          until: Date.now() + ACTION_MS,
        })
        setTimeout(() => this.#changed('action'), ACTION_MS + 50)
        this.#changed('action')
        break
      case 'callback_answer':
        for (const listener of this.#answers) listener(event)
        break
      case 'state':
        this.#refreshState()
        break
    }
  }

  #addMessage(message: Message): void {
    const thread = message.is_topic_message ? (message.message_thread_id ?? 0) : 0
    // Any message of the bot ends what it was shown doing.
    if (message.from?.is_bot) this.#actions.delete(`${message.chat.id}/${thread}`)
    if (this.#isOpen(message.chat.id, thread)) {
      this.messages = [...this.messages.filter(({ message_id }) => message_id !== message.message_id), message].sort(
        (a, b) => a.message_id - b.message_id,
      )
      this.#changed('messages')
    }
    this.#changed('action')
  }

  #replaceMessage(message: Message): void {
    if (message.chat.id !== this.open?.chat) return
    this.messages = this.messages.map((old) => (old.message_id === message.message_id ? message : old))
    this.#changed('messages')
  }

  #isOpen(chat: number, thread: number): boolean {
    if (this.open?.chat !== chat) return false
    return this.#threadFilter(this.open) === undefined || this.open.thread === thread
  }

  refresh(): void {
    this.#refreshState()
  }

  /** Soon, and once for a burst of events. */
  #refreshState(): void {
    if (this.#stateTimer !== undefined) return
    this.#stateTimer = setTimeout(() => {
      this.#stateTimer = undefined
      api.state(this.userId).then(
        (state) => {
          if (state.user !== this.userId) return
          this.state = state
          this.#changed('state')
        },
        () => undefined,
      )
    }, 30)
  }

  /** What changes together is drawn together: a draft and the message that takes its place never both or neither. */
  #changed(change: Change): void {
    this.#pending.add(change)
    if (this.#scheduled) return
    this.#scheduled = true
    const draw = () => {
      this.#scheduled = false
      const changes = this.#pending
      this.#pending = new Set()
      for (const listener of this.#listeners) listener(changes)
    }
    // A hidden tab draws no frames, but its title and state must follow.
    if (document.hidden) setTimeout(draw, 0)
    else requestAnimationFrame(draw)
  }
}
