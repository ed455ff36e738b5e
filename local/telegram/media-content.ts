/** How a stored file stands in a message, by its kind. */
import type { Message } from 'grammy/types'
import type { StoredFile } from './state/files.ts'

export interface MediaDetails {
  readonly performer?: string | undefined
  readonly title?: string | undefined
  readonly duration?: number | undefined
  readonly width?: number | undefined
  readonly height?: number | undefined
  readonly emoji?: string | undefined
}

export function mediaContent(file: StoredFile, details: MediaDetails = {}): Partial<Message> {
  const ids = { file_id: file.file_id, file_unique_id: file.file_unique_id, file_size: file.size }
  const named = { ...(file.name ? { file_name: file.name } : {}), mime_type: file.mime_type }
  const duration = details.duration ?? file.duration ?? 0
  const dimensions = { width: details.width ?? file.width ?? 320, height: details.height ?? file.height ?? 320 }
  switch (file.kind) {
    case 'photo':
      return { photo: [{ ...ids, ...dimensions }] }
    case 'document':
      return { document: { ...ids, ...named } }
    case 'voice':
      return { voice: { ...ids, duration, mime_type: file.mime_type } }
    case 'audio':
      return {
        audio: {
          ...ids,
          ...named,
          duration,
          ...(details.performer ? { performer: details.performer } : {}),
          ...(details.title ? { title: details.title } : {}),
        },
      }
    case 'video':
      return { video: { ...ids, ...named, ...dimensions, duration } }
    case 'animation': {
      // An animation is shown as a document too, for old clients.
      const animation = { ...ids, ...named, ...dimensions, duration }
      return { animation, document: { ...ids, ...named } }
    }
    case 'sticker':
      return {
        sticker: {
          ...ids,
          ...dimensions,
          type: 'regular',
          is_animated: false,
          is_video: false,
          ...(details.emoji ? { emoji: details.emoji } : {}),
        },
      }
    case 'video_note':
      return { video_note: { ...ids, length: dimensions.width, duration } }
  }
}
