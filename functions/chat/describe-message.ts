/** What the agent is told of a Telegram message beside its words: what it answers, where it comes from, what it carries. */
import type { Chat, Message } from 'grammy/types'
import type { Attachment } from '../../agent-vm/protocol.ts'
import { type IncomingMedia, mediaOf } from './incoming-media.ts'

const MAX_QUOTE_CHARS = 2_000

/** The words alone. */
export function textOf(message: Message): string {
  return message.text ?? message.caption ?? ''
}

/** Lines in brackets to stand before the words; empty for a plain message. */
export function contextOf(message: Message): string[] {
  return [forwardLine(message), replyLine(message), ...cargoLines(message)].filter((line) => line !== undefined)
}

/** A file that the agent does not get. Those it gets are attachments, which the agent describes itself. */
export function missingFileLine(media: IncomingMedia, reason: 'too_large' | 'failed'): string {
  if (reason === 'too_large')
    return `[${media.kind} ${media.name}: larger than 20 MB, so Telegram does not hand it over]`
  return `[${media.kind} ${media.name}: could not be fetched from Telegram]`
}

/** For words that are handed to a running turn, which takes no attachments: the agent's own form of saying it. */
export function attachmentLine({ path, name, mime }: Attachment): string {
  return `[attached file: ${path} (${name}, ${mime})]`
}

function forwardLine({ forward_origin: origin }: Message): string | undefined {
  if (!origin) return undefined
  switch (origin.type) {
    case 'user':
      return `[forwarded from ${nameOf(origin.sender_user)}]`
    case 'hidden_user':
      return `[forwarded from ${origin.sender_user_name}]`
    case 'chat':
      return `[forwarded from ${titleOf(origin.sender_chat)}]`
    case 'channel':
      return `[forwarded from ${titleOf(origin.chat)}]`
  }
}

function replyLine({ reply_to_message: replied, quote, is_topic_message }: Message): string | undefined {
  // In a topic every message "answers" the one that opened it.
  if (!replied || (is_topic_message && replied.forum_topic_created)) return undefined
  const author = replied.from?.is_bot
    ? 'your message'
    : `the message of ${replied.from ? nameOf(replied.from) : 'someone'}`
  const words = quote?.text ?? textOf(replied)
  const media = mediaOf(replied)
  const carried = media ? ` with a ${media.kind}${media.kind === 'document' ? ` (${media.name})` : ''}` : ''
  return `[in reply to ${author}${carried}${words ? `: “${clip(words)}”` : ''}]`
}

function cargoLines(message: Message): string[] {
  const lines: string[] = []
  if (message.venue) lines.push(`[venue: ${message.venue.title}, ${message.venue.address}]`)
  if (message.location) {
    const { latitude, longitude, live_period } = message.location
    lines.push(`[${live_period ? 'live location' : 'location'}: ${latitude}, ${longitude}]`)
  }
  if (message.contact) {
    const { first_name, last_name, phone_number } = message.contact
    lines.push(`[contact: ${[first_name, last_name].filter(Boolean).join(' ')}, ${phone_number}]`)
  }
  if (message.poll) {
    lines.push(`[poll: ${message.poll.question} – ${message.poll.options.map(({ text }) => text).join(' / ')}]`)
  }
  if (message.dice) lines.push(`[dice ${message.dice.emoji}: ${message.dice.value}]`)
  if (message.sticker?.emoji) lines.push(`[sticker ${message.sticker.emoji}]`)
  if (message.voice) lines.push(`[voice message, ${message.voice.duration} s]`)
  return lines
}

function nameOf({ first_name, last_name }: { first_name: string; last_name?: string }): string {
  return [first_name, last_name].filter(Boolean).join(' ')
}

function titleOf(chat: Chat): string {
  return chat.title ?? chat.first_name ?? chat.username ?? 'another chat'
}

function clip(text: string): string {
  return text.length <= MAX_QUOTE_CHARS ? text : `${text.slice(0, MAX_QUOTE_CHARS).toWellFormed()}…`
}
