/**
 * Which sign of life a running turn shows next, and when: typing until there is something to read, then a preview that grows.
 *
 * Private chats have drafts: previews that Telegram keeps for 30 s and throws away with any message. Elsewhere, and where
 * drafts are refused, one message is edited. Facts: Bot API `sendMessageDraft`, `sendChatAction`.
 */
import type { Frame } from './frame.ts'

/** `typing`: a preview is not wanted, or not possible. */
export type SignMode = 'draft' | 'edit' | 'typing'

export interface SignState {
  readonly mode: SignMode
  readonly kind: 'private' | 'group'
  readonly startedAt: number
  /** When the first content came. */
  readonly contentAt: number | undefined
  readonly frame: Frame
  /** What the person sees now; `undefined` when a preview was never shown, or was wiped. */
  readonly shown: string | undefined
  readonly frameAt: number | undefined
  readonly typingAt: number | undefined
  /** In edit mode: the message that is edited exists. */
  readonly hasPreview: boolean
  /** From the budget: how much slower than usual. */
  readonly slowdown: number
}

export type Sign = { readonly kind: 'typing' | 'draft' | 'open' | 'edit'; readonly at: number }

/** About one a second: what a person can read, and, with the final, never more than Telegram takes. */
const DRAFT_TICK_MS = 1_200
/** A draft vanishes after 30 s. */
const DRAFT_KEEPALIVE_MS = 20_000
/** A first word alone flickers; a sentence may come at once. */
const FIRST_FRAME_PAUSE_MS = 400
const FIRST_FRAME_CHARS = 30
/** A chat action lasts 5 s. */
const TYPING_EVERY_MS = 4_500
/** A quick answer needs no preview message. */
const PREVIEW_AFTER_MS = 1_500
const EDIT_TICK_MS = { private: 1_700, group: 3_500 } as const

export function nextSign(state: SignState): Sign {
  const content = state.frame.text.text
  if (content === '' || state.contentAt === undefined || state.mode === 'typing') return typing(state)
  const tick = (state.mode === 'draft' ? DRAFT_TICK_MS : EDIT_TICK_MS[state.kind]) * state.slowdown
  const earliest = state.frameAt === undefined ? 0 : state.frameAt + tick
  if (state.mode === 'draft') {
    if (state.shown === content) return { kind: 'draft', at: (state.frameAt ?? 0) + DRAFT_KEEPALIVE_MS }
    const pause = state.frame.answerChars >= FIRST_FRAME_CHARS ? 0 : FIRST_FRAME_PAUSE_MS
    return { kind: 'draft', at: Math.max(earliest, state.contentAt + (state.frameAt === undefined ? pause : 0)) }
  }
  if (!state.hasPreview) {
    const open: Sign = {
      kind: 'open',
      at: Math.max(state.startedAt + PREVIEW_AFTER_MS, state.contentAt + FIRST_FRAME_PAUSE_MS),
    }
    const waiting = typing(state)
    return waiting.at < open.at ? waiting : open
  }
  if (state.shown === content) return { kind: 'edit', at: Number.POSITIVE_INFINITY }
  return { kind: 'edit', at: earliest }
}

function typing({ startedAt, typingAt }: SignState): Sign {
  return { kind: 'typing', at: typingAt === undefined ? startedAt : typingAt + TYPING_EVERY_MS }
}
