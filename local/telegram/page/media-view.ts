/** Photos, files, sounds and places inside a message. Every box has its size before its content is there. */
import type { Message } from 'grammy/types'
import { fileUrl } from './api.ts'
import { h, icon } from './dom.ts'
import { bytes, seconds } from './format.ts'
import { dialog } from './toast.ts'

/** CSS pixels. */
const MAX_PHOTO_WIDTH = 400
const MAX_PHOTO_HEIGHT = 420
const MIN_PHOTO_SIDE = 120

export function renderMedia(message: Message): HTMLElement | undefined {
  if (message.photo) return photo(message, 'alone')
  if (message.sticker) return sticker(message.sticker)
  if (message.animation) return video(message.animation, { loop: true })
  if (message.video) return video(message.video, { loop: false })
  if (message.voice) return sound(message.voice.file_id, 'Voice message', seconds(message.voice.duration), 'voice')
  if (message.audio) {
    const { file_id, title, file_name, performer, duration } = message.audio
    return sound(file_id, title ?? file_name ?? 'Audio', performer ?? seconds(duration), 'audio')
  }
  if (message.document) return file(message.document)
  if (message.location) return place(message.location)
  if (message.contact) return contact(message.contact)
  return undefined
}

/** Several photos as one picture block. */
export function renderAlbum(messages: readonly Message[]): HTMLElement {
  const cells = messages.flatMap((message) =>
    message.photo ? photo(message, 'in an album') : (renderMedia(message) ?? []),
  )
  return h('div', { class: `album album-${Math.min(cells.length, 4)}`, testid: 'album' }, ...cells)
}

function photo(message: Message, place: 'alone' | 'in an album'): HTMLElement {
  const size = message.photo?.at(-1)
  if (!size) return h('div')
  const scale = Math.min(1, MAX_PHOTO_WIDTH / size.width, MAX_PHOTO_HEIGHT / size.height)
  const width = Math.max(MIN_PHOTO_SIDE, Math.round(size.width * scale))
  const height = Math.max(MIN_PHOTO_SIDE, Math.round(size.height * scale))
  const source = fileUrl(size.file_id)
  const alt = message.caption ?? 'Photo'
  const image = h('img', { attrs: { src: source, alt, width, height, loading: 'lazy', decoding: 'async' } })
  const button = h(
    'button',
    { class: 'photo', testid: 'photo', attrs: { type: 'button', 'aria-label': `Open photo: ${alt}` } },
    image,
  )
  if (place === 'alone') {
    button.style.aspectRatio = `${width} / ${height}`
    button.style.width = `${width}px`
  }
  button.addEventListener('click', () => openPhoto(source, alt))
  if (message.has_media_spoiler) button.classList.add('covered')
  return button
}

function openPhoto(source: string, alt: string): void {
  const close = h('button', { class: 'viewer-close', attrs: { type: 'button', 'aria-label': 'Close' } }, icon('close'))
  const element = dialog([h('img', { attrs: { src: source, alt } }), close], 'photo-viewer')
  element.classList.add('viewer')
  close.addEventListener('click', () => element.close())
}

function sticker({ file_id, width, height }: NonNullable<Message['sticker']>): HTMLElement {
  const scale = Math.min(1, 190 / Math.max(width, height))
  return h('img', {
    class: 'sticker',
    testid: 'sticker',
    attrs: {
      src: fileUrl(file_id),
      alt: 'Sticker',
      width: Math.round(width * scale),
      height: Math.round(height * scale),
    },
  })
}

function video(media: { file_id: string; width: number; height: number }, { loop }: { loop: boolean }): HTMLElement {
  const scale = Math.min(1, MAX_PHOTO_WIDTH / media.width, MAX_PHOTO_HEIGHT / media.height)
  return h('video', {
    class: 'video',
    testid: 'video',
    attrs: {
      src: fileUrl(media.file_id),
      width: Math.round(media.width * scale),
      height: Math.round(media.height * scale),
      controls: true,
      preload: 'metadata',
      loop,
    },
  })
}

function sound(fileId: string, title: string, detail: string, testid: string): HTMLElement {
  return h(
    'div',
    { class: 'sound', testid },
    h(
      'div',
      { class: 'sound-text' },
      h('span', { class: 'file-name' }, title),
      h('span', { class: 'file-detail' }, detail),
    ),
    h('audio', { attrs: { src: fileUrl(fileId), controls: true, preload: 'metadata' } }),
  )
}

function file({ file_id, file_name, file_size, mime_type }: NonNullable<Message['document']>): HTMLElement {
  const name = file_name ?? 'File'
  const extension = name.includes('.') ? (name.split('.').at(-1) ?? '') : ''
  const badge = h('span', { class: 'file-badge' }, extension ? extension.slice(0, 4) : icon('file'))
  const text = h(
    'span',
    { class: 'file-text' },
    h('span', { class: 'file-name' }, name),
    h('span', { class: 'file-detail' }, [bytes(file_size), mime_type].filter(Boolean).join(' · ')),
  )
  return h(
    'a',
    { class: 'file', testid: 'document', title: `Download ${name}`, attrs: { href: fileUrl(file_id), download: name } },
    badge,
    text,
  )
}

function place({ latitude, longitude }: { latitude: number; longitude: number }): HTMLElement {
  const text = `${latitude.toFixed(5)}, ${longitude.toFixed(5)}`
  return h(
    'div',
    { class: 'file', testid: 'location' },
    h('span', { class: 'file-badge' }, '📍'),
    h(
      'span',
      { class: 'file-text' },
      h('span', { class: 'file-name' }, 'Location'),
      h('span', { class: 'file-detail' }, text),
    ),
  )
}

function contact({ first_name, last_name, phone_number }: NonNullable<Message['contact']>): HTMLElement {
  return h(
    'div',
    { class: 'file', testid: 'contact' },
    h('span', { class: 'file-badge' }, '👤'),
    h(
      'span',
      { class: 'file-text' },
      h('span', { class: 'file-name' }, [first_name, last_name].filter(Boolean).join(' ')),
      h('span', { class: 'file-detail' }, phone_number),
    ),
  )
}
