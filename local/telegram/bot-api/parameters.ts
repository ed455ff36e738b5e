/**
 * Parameters as zod types. In urlencoded and multipart calls every value is a string (numbers in digits, objects as JSON), in
 * JSON calls both forms are allowed; what is declared here takes either and nothing else.
 */
import { z } from 'zod'
import type { Upload } from './request-body.ts'

export const integer = z.preprocess(
  (value) => (typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : value),
  z.int(),
)

export const decimal = z.preprocess(
  (value) => (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value),
  z.number(),
)

export const flag = z.preprocess((value) => {
  if (typeof value !== 'string') return value
  const text = value.toLowerCase()
  if (['true', 'yes', '1'].includes(text)) return true
  return ['false', 'no', '0', ''].includes(text) ? false : value
}, z.boolean())

export function json<S extends z.ZodType>(schema: S) {
  return z.preprocess((value) => {
    if (typeof value !== 'string') return value
    try {
      return JSON.parse(value)
    } catch {
      return value // the schema refuses the string by its own words
    }
  }, schema)
}

/** A number, or `@name` of a public chat. */
export const chatRef = z.union([integer, z.string().regex(/^@\w+$/)])
export type ChatRef = number | string

/** A file id, an address, `attach://<part>` or the part itself. */
export const inputFile = z.union([z.string().min(1), z.custom<Upload>((value) => isUpload(value))])
export type InputFile = z.infer<typeof inputFile>

export function isUpload(value: unknown): value is Upload {
  return typeof value === 'object' && value !== null && 'path' in value && 'size' in value
}

export const entities = json(z.array(z.unknown())).optional()

export const linkPreviewOptions = json(
  z.strictObject({
    is_disabled: z.boolean().optional(),
    url: z.string().optional(),
    prefer_small_media: z.boolean().optional(),
    prefer_large_media: z.boolean().optional(),
    show_above_text: z.boolean().optional(),
  }),
).optional()

const replyParameters = json(
  z.strictObject({
    message_id: z.int().optional(),
    chat_id: chatRef.optional(),
    allow_sending_without_reply: z.boolean().optional(),
    quote: z.string().optional(),
    quote_parse_mode: z.string().optional(),
    quote_entities: z.array(z.unknown()).optional(),
    quote_position: z.int().optional(),
  }),
).optional()

/** What every method that puts a message into a chat takes besides the message. */
export const sendParameters = {
  chat_id: chatRef,
  message_thread_id: integer.optional(),
  disable_notification: flag.optional(),
  protect_content: flag.optional(),
  allow_paid_broadcast: flag.optional(),
  message_effect_id: z.string().optional(),
  reply_parameters: replyParameters,
  reply_to_message_id: integer.optional(),
  allow_sending_without_reply: flag.optional(),
}

/** Checked by `reply-markup.ts`, whose refusals have Telegram's words. */
export const replyMarkup = json(z.unknown()).optional()

export const captionParameters = {
  caption: z.string().optional(),
  parse_mode: z.string().optional(),
  caption_entities: entities,
}
