/**
 * Telegram splits what a person sends: a long paste arrives as messages of 4096 characters, an album as one message per
 * picture, several forwards one by one. What belongs together becomes one turn.
 */
import type { Message, MessageEntity, Update } from 'grammy/types'
import type { InboxItem } from './inbox.ts'

/** Telegram cuts at 4096; clients cut a little before. */
const LONG_PASTE_CHARS = 4_000
const PASTE_WINDOW_MS = 1_500
const ALBUM_WINDOW_MS = 500
const FORWARD_WINDOW_MS = 1_000
/** So that a stream of forwards comes to an end. */
const MAX_GATHERED = 30

type Arrival = Pick<InboxItem, 'update' | 'receivedAt'>

export interface Gathered {
  readonly items: readonly InboxItem[]
  /** More may belong to it until then. */
  readonly readyAt: number
}

/** @param items what waits, oldest first. @returns `undefined` when nothing waits */
export function gather(items: readonly InboxItem[]): Gathered | undefined {
  const [first, ...rest] = items
  if (!first) return undefined
  const together = [first]
  let last = first
  for (const next of rest) {
    if (together.length >= MAX_GATHERED || !follows(last, next)) break
    together.push(next)
    last = next
  }
  const isFull = together.length >= MAX_GATHERED || together.length < items.length
  return { items: together, readyAt: isFull ? 0 : last.receivedAt + windowOf(last.update.message) }
}

/**
 * A long paste as the answer to a menu, which would take its first part for all of it. Everything else there, commands and
 * buttons, stands alone and at once.
 */
export function gatherAnswer(items: readonly InboxItem[]): Gathered | undefined {
  const [first] = items
  if (!first) return undefined
  if (!isAnswerPart(first) || windowOf(first.update.message) === 0) return { items: [first], readyAt: 0 }
  const end = items.findIndex((item) => !isAnswerPart(item))
  const gathered = gather(end === -1 ? items : items.slice(0, end))
  // Whatever came after it was not a part of it.
  return end === -1 || !gathered ? gathered : { ...gathered, readyAt: 0 }
}

function isAnswerPart({ update: { message } }: InboxItem): boolean {
  return message !== undefined && isLongPastePart(message) && !message.text?.startsWith('/')
}

/**
 * The update that stands for all: a paste is put together again, of an album the part with the caption speaks; where several
 * have one, in a group, the part that mentions somebody.
 */
export function mergeUpdates(items: readonly InboxItem[]): { update: Update; sources: readonly Message[] } | undefined {
  const [first] = items
  if (!first) return undefined
  const messages = items.flatMap(({ update }) => (update.message ? [update.message] : []))
  const [head] = messages
  if (!head) return { update: first.update, sources: [] }
  if (messages.length > 1 && messages.every(isLongPastePart)) {
    const message = { ...head, ...joinTexts(messages) }
    return { update: { ...first.update, message } as Update, sources: [message] }
  }
  const speaker = messages.find(mentions) ?? messages.find(({ caption, text }) => caption ?? text) ?? head
  const sources = [speaker, ...messages.filter((message) => message !== speaker)]
  return { update: { ...first.update, message: speaker } as Update, sources }
}

function joinTexts(messages: readonly Message[]): Pick<Message, 'text' | 'entities'> {
  let text = ''
  const entities: MessageEntity[] = []
  for (const part of messages) {
    for (const entity of part.entities ?? []) entities.push({ ...entity, offset: entity.offset + text.length })
    text += part.text ?? ''
  }
  return { text, ...(entities.length > 0 ? { entities } : {}) }
}

function mentions({ entities, caption_entities }: Message): boolean {
  return (entities ?? caption_entities ?? []).some(({ type }) => type === 'mention' || type === 'text_mention')
}

/** Whether it goes on with a long paste, of which only the beginning need mention anybody. */
export function continuesPaste(previous: InboxItem, next: Arrival): boolean {
  const { message } = previous.update
  return message !== undefined && isLongPastePart(message) && follows(previous, next)
}

function follows(previous: InboxItem, next: Arrival): boolean {
  const before = previous.update.message
  const after = next.update.message
  if (!before || !after || before.from?.id !== after.from?.id) return false
  const window = windowOf(before)
  if (window === 0 || next.receivedAt - previous.receivedAt > window) return false
  if (before.media_group_id !== undefined) return before.media_group_id === after.media_group_id
  if (before.forward_origin) return after.forward_origin !== undefined
  return isLongPastePart(after) && !after.forward_origin
}

function windowOf(message: Message | undefined): number {
  if (!message) return 0
  if (message.media_group_id !== undefined) return ALBUM_WINDOW_MS
  if (message.forward_origin) return FORWARD_WINDOW_MS
  return (message.text?.length ?? 0) >= LONG_PASTE_CHARS ? PASTE_WINDOW_MS : 0
}

/** Text alone: the last part of a paste may be short. */
function isLongPastePart(message: Message): boolean {
  return message.text !== undefined && message.media_group_id === undefined && !message.forward_origin
}
