/** The words of a message for the agent, without our own mention. What else it carries goes along as its source. */
import type { Message, UserFromGetMe } from 'grammy/types'
import { wordsOf } from '../incoming-words.ts'

/** @returns `undefined` for service messages and whatever else says nothing to an agent */
export function contentOf(message: Message, { username }: Pick<UserFromGetMe, 'username'>): string | undefined {
  const text = wordsOf(message)
  if (text === undefined) return carriesSomething(message) ? '' : undefined
  if (message.chat.type === 'private') return text
  return text.replaceAll(new RegExp(`@${username}\\b`, 'gi'), '').trim()
}

function carriesSomething(message: Message): boolean {
  return Boolean(
    message.photo ??
      message.live_photo ??
      message.document ??
      message.voice ??
      message.audio ??
      message.video ??
      message.video_note ??
      message.animation ??
      message.sticker ??
      message.location ??
      message.venue ??
      message.contact ??
      message.poll ??
      message.dice ??
      message.checklist ??
      message.story ??
      message.paid_media,
  )
}
