/**
 * What a person sends beside words: each file is streamed from Telegram into the agent's workspace. The address of a file
 * at Telegram holds the bot token, so it passes through here and is seen nowhere else.
 */
import type { Message } from 'grammy/types'
import type { Attachment } from '../../agent-vm/protocol.ts'
import { type AgentClient, AgentRefused } from './agent-client.ts'
import { pause } from './pause.ts'
import type { TelegramClient, TelegramFile } from './telegram-client.ts'
import { classifyFailure } from './telegram-failure.ts'

/** What a bot may fetch (Bot API `getFile`). */
export const MAX_DOWNLOAD_BYTES = 20 * 1024 * 1024
const MAX_NAME_CHARS = 80
/** A file that Telegram does not hand over now: so often it is asked for, with pauses that double, or as long as it says. */
const MAX_TRIES = 5
const FIRST_PAUSE_MS = 500
const MAX_PAUSE_MS = 15_000
/** What an agent server says of a file that does not fit: the rest of the message is for the agent all the same. */
const NO_ROOM: ReadonlySet<string> = new Set(['disk_full', 'folder_full', 'too_large', 'storage'])
/** Where files of the chat lie in the workspace. */
const FOLDER = 'uploads'

export interface IncomingMedia {
  readonly kind: 'photo' | 'document' | 'voice' | 'audio' | 'video' | 'video note' | 'animation' | 'sticker'
  readonly fileId: string
  readonly name: string
  readonly mime: string
  readonly bytes: number | undefined
}

export type Fetched =
  | { readonly kind: 'stored'; readonly attachment: Attachment }
  | { readonly kind: 'too_large' }
  /** The agent has no place left for it. */
  | { readonly kind: 'no_room' }
  | { readonly kind: 'failed' }

/** Where a file may be: in a message, or in what is known of a message of another chat that is answered. */
type Carrier = Pick<
  Message,
  'photo' | 'live_photo' | 'animation' | 'document' | 'voice' | 'audio' | 'video' | 'video_note' | 'sticker'
>

/** @returns at most one: Telegram puts each file of an album into a message of its own */
export function mediaOf(message: Message): IncomingMedia | undefined {
  return mediaIn(message, message.message_id)
}

/** The file of a message of another chat that is answered: named apart from the answer's own. */
export function quotedMediaOf({ external_reply: quoted, message_id }: Message): IncomingMedia | undefined {
  const media = quoted && mediaIn(quoted, message_id)
  return media && { ...media, name: `quoted-${media.name}` }
}

function mediaIn(message: Carrier, stamp: number): IncomingMedia | undefined {
  const of = (
    kind: IncomingMedia['kind'],
    file: { file_id: string; file_size?: number; mime_type?: string; file_name?: string },
    fallback: { name: string; mime: string },
  ): IncomingMedia => ({
    kind,
    fileId: file.file_id,
    name: safeName(file.file_name ?? fallback.name),
    mime: file.mime_type ?? fallback.mime,
    bytes: file.file_size,
  })
  if (message.live_photo) return of('video', message.live_photo, { name: `live-${stamp}.mp4`, mime: 'video/mp4' })
  if (message.photo) {
    const largest = message.photo.toSorted((a, b) => b.width * b.height - a.width * a.height)[0]
    return largest && of('photo', largest, { name: `photo-${stamp}.jpg`, mime: 'image/jpeg' })
  }
  // Telegram sends an animation as a document too: the animation says more.
  if (message.animation)
    return of('animation', message.animation, { name: `animation-${stamp}.mp4`, mime: 'video/mp4' })
  if (message.document)
    return of('document', message.document, { name: `document-${stamp}`, mime: 'application/octet-stream' })
  if (message.voice) return of('voice', message.voice, { name: `voice-${stamp}.ogg`, mime: 'audio/ogg' })
  if (message.audio) return of('audio', message.audio, { name: `audio-${stamp}.mp3`, mime: 'audio/mpeg' })
  if (message.video) return of('video', message.video, { name: `video-${stamp}.mp4`, mime: 'video/mp4' })
  if (message.video_note) return of('video note', message.video_note, { name: `video-${stamp}.mp4`, mime: 'video/mp4' })
  if (!message.sticker) return undefined
  const { is_animated, is_video } = message.sticker
  if (is_animated)
    return of('sticker', message.sticker, { name: `sticker-${stamp}.tgs`, mime: 'application/x-tgsticker' })
  if (is_video) return of('sticker', message.sticker, { name: `sticker-${stamp}.webm`, mime: 'video/webm' })
  return of('sticker', message.sticker, { name: `sticker-${stamp}.webp`, mime: 'image/webp' })
}

export interface FetchPorts {
  readonly telegram: Pick<TelegramClient, 'download'>
  readonly agent: Pick<AgentClient, 'putFile'>
  /** Before every file name: a visitor's files stay in the visitor's folder. */
  readonly folder?: string | undefined
  sleep?(ms: number): Promise<void>
}

/**
 * Safe to repeat: the same message gives the same path.
 * @throws {AgentUnreachable} when the agent does not take it now; what Telegram refuses is a result
 */
export async function fetchIncoming(media: IncomingMedia, messageId: number, ports: FetchPorts): Promise<Fetched> {
  if (media.bytes !== undefined && media.bytes > MAX_DOWNLOAD_BYTES) return { kind: 'too_large' }
  let file: TelegramFile
  try {
    file = await download(media.fileId, ports)
  } catch (error) {
    return { kind: classifyFailure(error).kind === 'too_large' ? 'too_large' : 'failed' }
  }
  const path = [ports.folder, FOLDER, `${messageId}-${media.name}`].filter(Boolean).join('/')
  try {
    await ports.agent.putFile(path, file.body, file.bytes)
  } catch (error) {
    if (error instanceof AgentRefused && NO_ROOM.has(error.reason)) return { kind: 'no_room' }
    throw error
  }
  return { kind: 'stored', attachment: { path, name: media.name, mime: media.mime } }
}

/** Asking twice harms nobody. */
async function download(fileId: string, { telegram, sleep = pause }: FetchPorts): Promise<TelegramFile> {
  for (let tries = 1; ; tries++) {
    try {
      return await telegram.download(fileId)
    } catch (error) {
      const { kind, retryAfterMs } = classifyFailure(error)
      const mayPass = kind === 'unknown' || kind === 'retry_after'
      if (!mayPass || tries >= MAX_TRIES || retryAfterMs > MAX_PAUSE_MS) throw error
      await sleep(Math.max(retryAfterMs, FIRST_PAUSE_MS * 2 ** (tries - 1)))
    }
  }
}

/** A name that is one on every file system, with its ending kept. */
function safeName(name: string): string {
  const clean = name
    .toWellFormed()
    .replace(/[\p{C}/\\:*?"<>|]+/gu, '_')
    .replace(/^\.+/, '')
    .trim()
  if (clean.length <= MAX_NAME_CHARS) return clean || 'file'
  const ending = /\.[\w]{1,10}$/.exec(clean)?.[0] ?? ''
  return clean.slice(0, MAX_NAME_CHARS - ending.length).toWellFormed() + ending
}
