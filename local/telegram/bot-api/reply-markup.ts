/** Keyboards under and beside messages, with Telegram's limits and words. */
import type { InlineKeyboardMarkup } from 'grammy/types'
import { z } from 'zod'
import { badRequest } from '../api-error.ts'
import type { Tdlib } from '../text/tdlib.ts'

/** UTF-8 bytes. */
const MAX_CALLBACK_DATA_BYTES = 64
const MAX_BUTTONS = 100
const MAX_MARKUP_BYTES = 10_000
const MAX_COPY_TEXT = 256
const MAX_PLACEHOLDER = 64

const Style = z.enum(['danger', 'success', 'primary']).optional()
const WebApp = z.strictObject({ url: z.string() })

const InlineButton = z.strictObject({
  text: z.string().min(1),
  icon_custom_emoji_id: z.string().optional(),
  style: Style,
  url: z.string().optional(),
  callback_data: z.string().optional(),
  web_app: WebApp.optional(),
  login_url: z
    .strictObject({
      url: z.string(),
      forward_text: z.string().optional(),
      bot_username: z.string().optional(),
      request_write_access: z.boolean().optional(),
    })
    .optional(),
  disabled: z.strictObject({}).optional(),
  switch_inline_query: z.string().optional(),
  switch_inline_query_current_chat: z.string().optional(),
  switch_inline_query_chosen_chat: z
    .strictObject({
      query: z.string().optional(),
      allow_user_chats: z.boolean().optional(),
      allow_bot_chats: z.boolean().optional(),
      allow_group_chats: z.boolean().optional(),
      allow_channel_chats: z.boolean().optional(),
    })
    .optional(),
  copy_text: z.strictObject({ text: z.string() }).optional(),
})
type InlineButton = z.infer<typeof InlineButton>

const BUTTON_KINDS = [
  'url',
  'callback_data',
  'web_app',
  'login_url',
  'disabled',
  'switch_inline_query',
  'switch_inline_query_current_chat',
  'switch_inline_query_chosen_chat',
  'copy_text',
] as const

const KeyboardButton = z.union([
  z.string().min(1),
  z.strictObject({
    text: z.string().min(1),
    icon_custom_emoji_id: z.string().optional(),
    style: Style,
    request_contact: z.boolean().optional(),
    request_location: z.boolean().optional(),
    web_app: WebApp.optional(),
  }),
])

const Keyboard = z.strictObject({
  keyboard: z.array(z.array(KeyboardButton)),
  is_persistent: z.boolean().optional(),
  resize_keyboard: z.boolean().optional(),
  one_time_keyboard: z.boolean().optional(),
  input_field_placeholder: z.string().max(MAX_PLACEHOLDER).optional(),
  selective: z.boolean().optional(),
  force_reply: z.boolean().optional(),
})
const RemoveKeyboard = z.strictObject({ remove_keyboard: z.literal(true), selective: z.boolean().optional() })
const ForceReply = z.strictObject({
  force_reply: z.literal(true),
  input_field_placeholder: z.string().max(MAX_PLACEHOLDER).optional(),
  selective: z.boolean().optional(),
})

export type CheckedMarkup =
  | { readonly kind: 'none' }
  | { readonly kind: 'inline'; readonly markup: InlineKeyboardMarkup }
  | { readonly kind: 'keyboard'; readonly markup: z.infer<typeof Keyboard> | z.infer<typeof ForceReply> }
  | { readonly kind: 'remove' }

const Given = z.looseObject({})

/** @throws {ApiError} as Telegram would answer */
export function checkReplyMarkup(tdlib: Tdlib, given: unknown, where: 'send' | 'edit'): CheckedMarkup {
  if (given === undefined || given === '') return { kind: 'none' }
  if (typeof given === 'string') throw badRequest("Can't parse reply keyboard markup JSON object")
  const object = Given.safeParse(given)
  if (!object.success) throw badRequest('Object expected as reply markup')
  if (Buffer.byteLength(JSON.stringify(given)) > MAX_MARKUP_BYTES) throw badRequest('reply markup is too long')
  if ('inline_keyboard' in object.data) return checkInline(tdlib, object.data)
  if (where === 'edit') throw badRequest('inline keyboard expected')
  if ('keyboard' in object.data) return { kind: 'keyboard', markup: parse(Keyboard, given, 'keyboard button') }
  if ('remove_keyboard' in object.data) {
    parse(RemoveKeyboard, given, 'reply keyboard markup')
    return { kind: 'remove' }
  }
  if ('force_reply' in object.data) {
    return { kind: 'keyboard', markup: parse(ForceReply, given, 'reply keyboard markup') }
  }
  throw badRequest("Can't parse reply keyboard markup JSON object")
}

const Rows = z.array(z.unknown())

function checkInline(tdlib: Tdlib, object: Record<string, unknown>): CheckedMarkup {
  const { inline_keyboard, force_reply, ...unknown } = object
  const extra = Object.keys(unknown)[0]
  if (extra) throw badRequest(`unknown parameter "${extra}" in reply_markup`)
  const rows = Rows.safeParse(inline_keyboard)
  if (!rows.success) throw badRequest('Field "inline_keyboard" must be of type Array')
  const checked = rows.data.map((row) => {
    const buttons = Rows.safeParse(row)
    if (!buttons.success) {
      throw badRequest('Field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays')
    }
    return buttons.data.map((button) => checkInlineButton(tdlib, button))
  })
  const filled = checked.filter((row) => row.length > 0)
  if (filled.flat().length > MAX_BUTTONS) throw badRequest('reply markup is too long')
  if (filled.length === 0) return { kind: 'none' }
  const markup: InlineKeyboardMarkup = {
    // A button has exactly one of the kinds, which `checkInlineButton` made sure of and the flat type does not say.
    inline_keyboard: filled as unknown as InlineKeyboardMarkup['inline_keyboard'],
    ...(force_reply === true ? { force_reply } : {}),
  }
  return { kind: 'inline', markup }
}

function checkInlineButton(tdlib: Tdlib, given: unknown): InlineButton {
  const button = parse(InlineButton, given, 'inline keyboard button')
  const kinds = BUTTON_KINDS.filter((kind) => button[kind] !== undefined)
  if (kinds.length === 0) {
    throw badRequest("Can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
  }
  if (kinds.length > 1) throw badRequest(`Can't parse inline keyboard button: ${kinds.join(' and ')} in one button`)
  if (button.callback_data !== undefined) {
    const bytes = Buffer.byteLength(button.callback_data)
    if (bytes < 1 || bytes > MAX_CALLBACK_DATA_BYTES) throw badRequest('BUTTON_DATA_INVALID')
  }
  if (button.url !== undefined) checkButtonUrl(tdlib, button.url)
  if (button.web_app && !/^https:\/\//i.test(button.web_app.url)) {
    throw badRequest(
      `inline keyboard button Web App URL '${button.web_app.url}' is invalid: Only HTTPS links are allowed`,
    )
  }
  if (button.copy_text && (button.copy_text.text === '' || [...button.copy_text.text].length > MAX_COPY_TEXT)) {
    throw badRequest('BUTTON_COPY_TEXT_INVALID')
  }
  return button
}

function checkButtonUrl(tdlib: Tdlib, url: string): void {
  const entity = { offset: 0, length: 1, type: { _: 'textEntityTypeTextUrl', url } }
  const result = tdlib.fix('x', [entity])
  if ('error' in result) throw badRequest(result.error.replace(/^Entity URL/, 'inline keyboard button URL'))
}

function parse<S extends z.ZodType>(schema: S, given: unknown, what: string): z.infer<S> {
  const result = schema.safeParse(given)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  if (issue?.code === 'unrecognized_keys') {
    throw badRequest(`Can't parse ${what}: unknown field "${issue.keys.join('", "')}"`)
  }
  const field = issue?.path.at(-1)
  if (field === 'text') throw badRequest(`Can't parse ${what}: Can't find field "text"`)
  throw badRequest(`Can't parse ${what}: ${issue?.path.join('.')} ${issue?.message}`)
}
