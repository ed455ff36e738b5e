/**
 * What a chat is told, as data. Handlers return these; they become outbox rows in the same transaction that marks the
 * update as done, and only then is Telegram called. So a crash repeats or loses nothing, and a test reads plain objects.
 */
import type { BotCommand, InlineKeyboardButton } from 'grammy/types'
import type { RichMessage } from './rich/rich-message.ts'
import type { FormattedText } from './text/formatted-text.ts'

/** A message we sent earlier: by the name it was given (`ref`), or by the id Telegram gave it. */
export type MessageTarget = { readonly ref: string } | { readonly messageId: number }

export type Keyboard = readonly (readonly InlineKeyboardButton[])[]

export interface OutgoingMessage {
  readonly text: FormattedText
  /** Shown in place of `text`, which is sent when Telegram does not take this. */
  readonly rich?: RichMessage
  readonly keyboard?: Keyboard
  /** Opens the reply box with this hint, for a step that asks for text (works in groups with privacy mode). */
  readonly askReply?: { readonly placeholder: string }
  readonly replyTo?: number
  /** Progress and previews do not ring. */
  readonly silent?: boolean
}

export type Outgoing =
  | ({
      readonly kind: 'send' /** Name for later edits; a second send under the same ref moves the name. */
      readonly ref?: string
      /** What the rich message of that ref holds too: sent only if that had to be sent as text. */
      readonly insteadOfRich?: string
      /** A preview: where nobody can tell whether it arrived, it is left as it is. */
      readonly disposable?: true
    } & OutgoingMessage)
  /** Falls back to a send (taking over the ref) when the message is gone or too old to edit. */
  | ({
      readonly kind: 'edit'
      readonly target: MessageTarget
      /** An earlier edit may still be under way, and come last: the same is said once more a little later. */
      readonly confirm?: true
      /** This is that: nothing is wanted where the message is gone. */
      readonly confirms?: true
    } & OutgoingMessage)
  | { readonly kind: 'delete'; readonly target: MessageTarget }
  /** A small document made by us, e.g. a long answer; files of the agent take their own way. */
  | {
      readonly kind: 'document'
      readonly name: string
      readonly content: string
      readonly caption?: FormattedText
      readonly insteadOfRich?: string
    }
  /** A file from the agent's workspace, or (`export`) the whole agent as one tar.gz; fetched when it is sent. */
  | {
      readonly kind: 'agent_file'
      readonly agentId: string
      readonly from: { readonly path: string } | 'export'
      readonly name: string
      readonly caption?: FormattedText
    }
  /** The topic of this chat gets a name that says what it is about. */
  | { readonly kind: 'name_topic'; readonly name: string }
  /** The menu of commands in this chat alone; an empty one gives the chat back what all have. */
  | { readonly kind: 'offer_commands'; readonly commands: readonly BotCommand[] }
  /** The one reaction a bot may have on a message; `emoji` undefined takes it back. */
  | { readonly kind: 'react'; readonly messageId: number; readonly emoji?: string }
