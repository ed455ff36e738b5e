/** What happens in the chats, for the page and for tests that wait. Not stored: a reader that comes later asks for the state. */
import type { Message } from 'grammy/types'
import type { Draft } from './drafts.ts'
import type { Reaction } from './messages.ts'

export type SimEvent =
  | { readonly type: 'message'; readonly message: Message }
  | { readonly type: 'edited'; readonly message: Message }
  | { readonly type: 'deleted'; readonly chat_id: number; readonly message_ids: readonly number[] }
  | {
      readonly type: 'reactions'
      readonly chat_id: number
      readonly message_id: number
      readonly reactions: Reaction[]
    }
  | { readonly type: 'draft'; readonly draft: Draft }
  | {
      readonly type: 'draft_gone'
      readonly chat_id: number
      readonly thread_id: number
      readonly draft_id: number
      readonly why: 'expired' | 'message' | 'stopped'
    }
  | { readonly type: 'action'; readonly chat_id: number; readonly thread_id: number; readonly action: string }
  | {
      readonly type: 'callback_answer'
      readonly user_id: number
      readonly callback_query_id: string
      readonly text?: string
      readonly show_alert: boolean
      readonly url?: string
    }
  /** People, chats, topics, commands or the bot's profile changed: ask for the state again. */
  | { readonly type: 'state' }

export interface Events {
  emit(event: SimEvent): void
  /** @returns unsubscribes */
  on(listener: (event: SimEvent) => void): () => void
}

export function createEvents(): Events {
  const listeners = new Set<(event: SimEvent) => void>()
  return {
    emit(event) {
      for (const listener of [...listeners]) listener(event)
    },
    on(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
