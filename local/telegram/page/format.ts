/** Words for numbers, dates and people. */
import type { Message } from 'grammy/types'

const TIME = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const DAY = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long' })
const SHORT_DAY = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' })
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' })

export function time(unix: number): string {
  return TIME.format(unix * 1000)
}

export function fullDate(unix: number): string {
  return FULL.format(unix * 1000)
}

export function dayKey(unix: number): string {
  return new Date(unix * 1000).toDateString()
}

export function day(unix: number): string {
  const now = new Date()
  if (dayKey(unix) === now.toDateString()) return 'Today'
  if (dayKey(unix) === new Date(now.getTime() - 86_400_000).toDateString()) return 'Yesterday'
  return DAY.format(unix * 1000)
}

export function listTime(unix: number): string {
  return dayKey(unix) === new Date().toDateString() ? time(unix) : SHORT_DAY.format(unix * 1000)
}

export function bytes(size: number | undefined): string {
  if (size === undefined) return ''
  if (size < 1024) return `${size} B`
  if (size < 1024 * 1024) return `${(size / 1024).toFixed(1)} KB`
  return `${(size / 1024 / 1024).toFixed(1)} MB`
}

export function seconds(duration: number): string {
  return `${Math.floor(duration / 60)}:${String(duration % 60).padStart(2, '0')}`
}

/** One of Telegram's seven colours for people and chats. */
export function colorIndex(id: number): number {
  return Math.abs(id) % 7
}

export function initials(name: string): string {
  const words = name.trim().split(/\s+/)
  const first = [...(words[0] ?? '')][0] ?? '?'
  const second = words.length > 1 ? ([...(words.at(-1) ?? '')][0] ?? '') : ''
  return (first + second).toUpperCase()
}

/** A message in one line: for the chat list, replies and the pinned bar. */
export function summary(message: Message): string {
  const text = message.text ?? message.caption
  if (text) return text.replace(/\s+/g, ' ').slice(0, 120)
  if (message.photo) return 'Photo'
  if (message.sticker) return `${message.sticker.emoji ?? ''} Sticker`.trim()
  if (message.voice) return 'Voice message'
  if (message.video) return 'Video'
  if (message.animation) return 'GIF'
  if (message.audio) return message.audio.title ?? 'Audio'
  if (message.document) return message.document.file_name ?? 'File'
  if (message.location) return 'Location'
  if (message.contact) return `Contact: ${message.contact.first_name}`
  if (message.rich_message) return 'Message'
  return serviceText(message) ?? 'Message'
}

/** What happened, for messages that nobody wrote. */
export function serviceText(message: Message): string | undefined {
  const who = message.from?.first_name ?? 'Someone'
  if (message.forum_topic_created) return `${who} created the topic “${message.forum_topic_created.name}”`
  if (message.forum_topic_edited?.name) return `${who} renamed the topic to “${message.forum_topic_edited.name}”`
  if (message.forum_topic_closed) return `${who} closed the topic`
  if (message.forum_topic_reopened) return `${who} reopened the topic`
  if (message.migrate_to_chat_id) return 'This group became a supergroup'
  if (message.migrate_from_chat_id) return 'This supergroup was a group before'
  if (message.new_chat_members)
    return `${who} added ${message.new_chat_members.map((user) => user.first_name).join(', ')}`
  if (message.left_chat_member) return `${message.left_chat_member.first_name} left`
  if (message.pinned_message) return `${who} pinned a message`
  return undefined
}

const ACTIONS: Readonly<Record<string, string>> = {
  typing: 'typing',
  upload_photo: 'sending a photo',
  upload_document: 'sending a file',
  upload_video: 'sending a video',
  upload_voice: 'sending a voice message',
  record_voice: 'recording a voice message',
  record_video: 'recording a video',
  choose_sticker: 'choosing a sticker',
  find_location: 'finding a location',
}

export function actionText(action: string): string {
  return ACTIONS[action] ?? 'typing'
}
