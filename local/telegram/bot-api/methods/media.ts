/** Photos, documents and the rest, alone or as an album. */
import type { Message } from 'grammy/types'
import { z } from 'zod'
import { badRequest } from '../../api-error.ts'
import { mediaContent } from '../../media-content.ts'
import type { FileKind } from '../../state/files.ts'
import { MAX_DOWNLOAD_BYTES } from '../file-route.ts'
import { takeFile } from '../incoming-file.ts'
import { type CallContext, defineMethod } from '../method.ts'
import {
  captionParameters,
  decimal,
  flag,
  inputFile,
  integer,
  json,
  replyMarkup,
  sendParameters,
} from '../parameters.ts'
import { captionContent, requireDestination, sendContent } from '../sending.ts'

const MAX_ALBUM = 10

const common = { ...sendParameters, ...captionParameters, reply_markup: replyMarkup }
const visual = { show_caption_above_media: flag.optional(), has_spoiler: flag.optional() }
const timed = { duration: integer.optional() }
const sized = { width: integer.optional(), height: integer.optional() }
const thumbnail = { thumbnail: inputFile.optional() }

export const mediaMethods = [
  mediaMethod('sendPhoto', 'photo', visual),
  mediaMethod('sendDocument', 'document', { ...thumbnail, disable_content_type_detection: flag.optional() }),
  mediaMethod('sendVoice', 'voice', timed),
  mediaMethod('sendAudio', 'audio', {
    ...timed,
    ...thumbnail,
    performer: z.string().optional(),
    title: z.string().optional(),
  }),
  mediaMethod('sendVideo', 'video', {
    ...timed,
    ...sized,
    ...visual,
    ...thumbnail,
    cover: inputFile.optional(),
    start_timestamp: integer.optional(),
    supports_streaming: flag.optional(),
  }),
  mediaMethod('sendAnimation', 'animation', { ...timed, ...sized, ...visual, ...thumbnail }),
  mediaMethod('sendSticker', 'sticker', { emoji: z.string().optional() }),

  defineMethod({
    name: 'sendMediaGroup',
    params: z.strictObject({
      ...sendParameters,
      media: json(
        z.array(
          z.strictObject({
            type: z.enum(['photo', 'document', 'audio', 'video']),
            media: z.string().min(1),
            ...captionParameters,
            caption_entities: z.array(z.unknown()).optional(),
            ...visual,
            ...timed,
            ...sized,
            thumbnail: z.string().optional(),
            performer: z.string().optional(),
            title: z.string().optional(),
            supports_streaming: z.boolean().optional(),
            disable_content_type_detection: z.boolean().optional(),
          }),
        ),
      ),
    }),
    weight: (params) => params.media.length,
    async run(params, context) {
      if (params.media.length < 2) throw badRequest('too few messages to send as an album')
      if (params.media.length > MAX_ALBUM) throw badRequest('too many messages to send as an album')
      const kinds = new Set(params.media.map(({ type }) => (type === 'video' ? 'photo' : type)))
      if (kinds.size > 1) throw badRequest("Can't use the media of the specified type in the album")
      const destination = requireDestination(context.world, params)
      const contents: Partial<Message>[] = []
      for (const item of params.media) {
        const caption = captionContent(context, item)
        const file = await takeFile(context, { kind: item.type, file: item.media, duration: item.duration })
        contents.push({ ...mediaContent(file, item), ...caption })
      }
      const media_group_id = String(context.world.settings.next('media_group', 13_000_000_000))
      return contents.map((content) => sendContent(context, params, destination, { ...content, media_group_id }))
    },
  }),

  defineMethod({
    name: 'sendLocation',
    params: z.strictObject({
      ...sendParameters,
      reply_markup: replyMarkup,
      latitude: decimal,
      longitude: decimal,
      horizontal_accuracy: decimal.optional(),
    }),
    weight: 1,
    run(params, context) {
      const { latitude, longitude } = params
      return sendContent(context, params, requireDestination(context.world, params), {
        location: { latitude, longitude },
      })
    },
  }),

  defineMethod({
    name: 'getFile',
    params: z.strictObject({ file_id: z.string().min(1) }),
    run({ file_id }, { world }) {
      const file = world.files.find(file_id)
      if (!file) throw badRequest('invalid file_id')
      if (file.size > MAX_DOWNLOAD_BYTES) throw badRequest('file is too big')
      return {
        file_id: file.file_id,
        file_unique_id: file.file_unique_id,
        file_size: file.size,
        file_path: file.path,
      }
    },
  }),
]

const MediaRequest = z.looseObject({
  duration: z.int().optional(),
  width: z.int().optional(),
  height: z.int().optional(),
  performer: z.string().optional(),
  title: z.string().optional(),
  emoji: z.string().optional(),
  has_spoiler: z.boolean().optional(),
})

function mediaMethod(name: string, kind: FileKind, more: z.ZodRawShape) {
  return defineMethod({
    name,
    params: z.strictObject({ ...common, ...more, [kind]: inputFile }),
    weight: 1,
    run: (params, context) => sendMedia(kind, params as MediaParams, context),
  })
}

type MediaParams = z.infer<z.ZodObject<typeof common>> & Readonly<Record<string, unknown>>

async function sendMedia(kind: FileKind, params: MediaParams, context: CallContext): Promise<Message> {
  const destination = requireDestination(context.world, params)
  const caption = captionContent(context, params)
  const details = MediaRequest.parse(params)
  const file = await takeFile(context, { kind, file: inputFile.parse(params[kind]), duration: details.duration })
  return sendContent(context, params, destination, {
    ...mediaContent(file, details),
    ...caption,
    ...(details.has_spoiler ? { has_media_spoiler: true } : {}),
  })
}
