/** What the agent is told of a Telegram message beside its words: what it answers, where it comes from, what it carries. */
import type { Chat, Message, MessageOrigin } from 'grammy/types'
import type { Attachment } from '../../agent-vm/protocol.ts'
import { type IncomingMedia, mediaOf, quotedMediaOf } from './incoming-media.ts'
import { withMarks, wordsOf } from './incoming-words.ts'

const MAX_QUOTE_CHARS = 2_000

/** The words alone. */
export function textOf(message: Message): string {
  return wordsOf(message) ?? ''
}

/** Lines in brackets to stand before the words; empty for a plain message. */
export function contextOf(message: Message): string[] {
  return [forwardLine(message), replyLine(message), ...cargoLines(message)].filter((line) => line !== undefined)
}

/** A file that the agent does not get. Those it gets are attachments, which the agent describes itself. */
export function missingFileLine(media: IncomingMedia, reason: 'too_large' | 'no_room' | 'failed'): string {
  if (reason === 'too_large')
    return `[${media.kind} ${media.name}: larger than 20 MB, so Telegram does not hand it over]`
  if (reason === 'no_room') return `[${media.kind} ${media.name}: there is no room left for it in the workspace]`
  return `[${media.kind} ${media.name}: could not be fetched from Telegram]`
}

/** For words that are handed to a running turn, which takes no attachments: the agent's own form of saying it. */
export function attachmentLine({ path, name, mime }: Attachment): string {
  return `[attached file: ${path} (${name}, ${mime})]`
}

function forwardLine({ forward_origin: origin }: Message): string | undefined {
  return origin && `[forwarded from ${originName(origin)}]`
}

function originName(origin: MessageOrigin): string {
  switch (origin.type) {
    case 'user':
      return nameOf(origin.sender_user)
    case 'hidden_user':
      return origin.sender_user_name
    case 'chat':
      return titleOf(origin.sender_chat)
    case 'channel':
      return titleOf(origin.chat)
    default:
      // A kind of next year.
      return 'somewhere'
  }
}

function replyLine(message: Message): string | undefined {
  const { reply_to_message: replied, external_reply: external, quote, is_topic_message } = message
  const chosen = quote && withMarks(quote.text, quote.entities)
  if (external) {
    const author = `a message of ${originName(external.origin)} in another chat`
    return inReplyTo(author, carriedBy(external, quotedMediaOf(message)), chosen ?? '')
  }
  if (message.reply_to_story) return '[in reply to a story]'
  // In a topic every message "answers" the one that opened it.
  if (!replied || (is_topic_message && replied.forum_topic_created)) return undefined
  const author = replied.from?.is_bot
    ? 'your message'
    : `the message of ${replied.from ? nameOf(replied.from) : 'someone'}`
  return inReplyTo(author, carriedBy(replied, mediaOf(replied)), chosen ?? textOf(replied))
}

function inReplyTo(author: string, carried: string, words: string): string {
  return `[in reply to ${author}${carried && ` with ${carried}`}${words ? `: “${clip(words)}”` : ''}]`
}

function carriedBy(cargo: Cargo, media: IncomingMedia | undefined): string {
  if (media) return `a ${media.kind}${media.kind === 'document' ? ` (${media.name})` : ''}`
  return cargoOf(cargo).join(', ')
}

/** What a message, or what is known of a message of another chat, may carry beside words and files. */
type Cargo = Pick<
  Message,
  'venue' | 'location' | 'contact' | 'poll' | 'dice' | 'sticker' | 'voice' | 'checklist' | 'story' | 'paid_media'
>

function cargoLines(message: Message): string[] {
  return cargoOf(message).map((said) => `[${said}]`)
}

function cargoOf(message: Cargo): string[] {
  const said: string[] = []
  if (message.venue) said.push(`venue: ${message.venue.title}, ${message.venue.address}`)
  if (message.location) {
    const { latitude, longitude, live_period } = message.location
    said.push(`${live_period ? 'live location' : 'location'}: ${latitude}, ${longitude}`)
  }
  if (message.contact) {
    const { first_name, last_name, phone_number } = message.contact
    said.push(`contact: ${[first_name, last_name].filter(Boolean).join(' ')}, ${phone_number}`)
  }
  if (message.poll) {
    said.push(`poll: ${message.poll.question} – ${message.poll.options.map(({ text }) => text).join(' / ')}`)
  }
  if (message.checklist) {
    const tasks = message.checklist.tasks.map(({ text, completion_date }) => `${completion_date ? '☑' : '☐'} ${text}`)
    said.push(`checklist: ${message.checklist.title} – ${tasks.join(' / ')}`)
  }
  if (message.dice) said.push(`dice ${message.dice.emoji}: ${message.dice.value}`)
  if (message.sticker?.emoji) said.push(`sticker ${message.sticker.emoji}`)
  if (message.voice) said.push(`voice message, ${message.voice.duration} s`)
  if (message.story) said.push('a story, which Telegram does not show to bots')
  if (message.paid_media) said.push('media that is to be paid for, which Telegram does not show to bots')
  return said
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
