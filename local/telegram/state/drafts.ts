/**
 * Drafts: what a bot shows while it is still writing. Clients keep one for 30 seconds after its last frame, or until any
 * normal message arrives in the same chat and topic. Nothing of it is stored.
 */
import type { MessageEntity, RichMessage } from 'grammy/types'
import type { Clock } from '../clock.ts'
import type { Events } from './events.ts'

/** `message_typing_draft_ttl` of the clients' configuration. */
const DRAFT_TTL_MS = 30_000

export interface Draft {
  readonly chat_id: number
  readonly thread_id: number
  readonly draft_id: number
  /** Empty means the placeholder "Thinking…". */
  readonly text: string
  readonly entities?: readonly MessageEntity[]
  readonly rich_message?: RichMessage
  readonly can_stop: boolean
  readonly keep_on_stop: boolean
  readonly stopped: boolean
  /** Frames shown so far under this id. */
  readonly frames: number
}

export type DraftFrame = Omit<Draft, 'stopped' | 'frames'>

interface Live {
  draft: Draft
  cancel: () => void
}

export class Drafts {
  readonly #clock: Clock
  readonly #events: Events
  readonly #live = new Map<string, Live>()
  /** Ids whose display a person ended: a client shows no later frames of them. */
  readonly #stopped = new Set<string>()

  constructor(clock: Clock, events: Events) {
    this.#clock = clock
    this.#events = events
  }

  list(chatId: number): Draft[] {
    return [...this.#live.values()].map(({ draft }) => draft).filter((draft) => draft.chat_id === chatId)
  }

  show(frame: DraftFrame): void {
    const key = keyOf(frame)
    if (this.#stopped.has(key)) return
    const before = this.#live.get(key)
    before?.cancel()
    const draft: Draft = { ...frame, stopped: false, frames: (before?.draft.frames ?? 0) + 1 }
    this.#live.set(key, { draft, cancel: this.#clock.after(DRAFT_TTL_MS, () => this.#drop(key, 'expired')) })
    this.#events.emit({ type: 'draft', draft })
  }

  /** @returns the draft as it stood, or undefined when there is none that may be stopped */
  stop(chatId: number, draftId: number): Draft | undefined {
    for (const [key, live] of this.#live) {
      const { draft } = live
      if (draft.chat_id !== chatId || draft.draft_id !== draftId || !draft.can_stop || draft.stopped) continue
      this.#stopped.add(key)
      if (draft.keep_on_stop) {
        live.draft = { ...draft, stopped: true }
        this.#events.emit({ type: 'draft', draft: live.draft })
      } else {
        this.#drop(key, 'stopped')
      }
      return draft
    }
    return undefined
  }

  /** A normal message arrived there. */
  wipe(chatId: number, threadId: number): void {
    for (const [key, { draft }] of [...this.#live]) {
      if (draft.chat_id === chatId && draft.thread_id === threadId) this.#drop(key, 'message')
    }
  }

  close(): void {
    for (const { cancel } of this.#live.values()) cancel()
    this.#live.clear()
  }

  #drop(key: string, why: 'expired' | 'message' | 'stopped'): void {
    const live = this.#live.get(key)
    if (!live) return
    live.cancel()
    this.#live.delete(key)
    const { chat_id, thread_id, draft_id } = live.draft
    this.#events.emit({ type: 'draft_gone', chat_id, thread_id, draft_id, why })
  }
}

function keyOf({ chat_id, thread_id, draft_id }: { chat_id: number; thread_id: number; draft_id: number }): string {
  return `${chat_id}/${thread_id}/${draft_id}`
}
