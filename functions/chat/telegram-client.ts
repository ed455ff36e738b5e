/** Telegram's Bot API as this chat uses it: few calls, typed answers, every failure a `TelegramFailure`. */
import { Api, InputFile } from 'grammy'
import type { BotCommand, InputRichMessage, ReactionTypeEmoji, UserFromGetMe } from 'grammy/types'
import type { MessageBody } from './message-body.ts'
import type { Keyboard } from './outgoing.ts'
import type { RichMessage } from './rich/rich-message.ts'
import { classifyFailure, TelegramFailure } from './telegram-failure.ts'
import type { FormattedText } from './text/formatted-text.ts'

/** Long enough for Telegram's slow days; the outcome of what takes longer is unknown. */
const CALL_TIMEOUT_S = 20
/** A preview that takes longer than this is stale. */
const PREVIEW_TIMEOUT_S = 6
/** Together with the time until handover it must stay well below an alarm's 15 minutes. */
const UPLOAD_TIMEOUT_S = 200

export interface Destination {
  readonly chatId: number
  readonly threadId?: number | undefined
}

export interface SendOptions {
  readonly keyboard?: Keyboard | undefined
  readonly askReply?: { readonly placeholder: string } | undefined
  readonly replyTo?: number | undefined
  readonly silent?: boolean | undefined
}

export interface Upload {
  readonly as: 'photo' | 'document'
  readonly name: string
  /** Read once; never held in memory as a whole. */
  readonly content: AsyncIterable<Uint8Array> | Uint8Array
  readonly caption?: FormattedText | undefined
}

export interface TelegramFile {
  readonly body: ReadableStream<Uint8Array>
  readonly bytes: number | undefined
}

/** Every method throws `TelegramFailure` and nothing else. Sends return the id of the new message. */
export interface TelegramClient {
  getMe(): Promise<UserFromGetMe>
  sendText(to: Destination, body: MessageBody, options: SendOptions): Promise<number>
  sendUpload(to: Destination, upload: Upload, options: SendOptions): Promise<number>
  editText(to: Destination, messageId: number, body: MessageBody, keyboard?: Keyboard): Promise<void>
  editPreview(to: Destination, messageId: number, text: FormattedText, keyboard?: Keyboard): Promise<void>
  editCaption(to: Destination, messageId: number, caption: FormattedText): Promise<void>
  deleteMessage(to: Destination, messageId: number): Promise<void>
  /** Nothing to do where there is no topic. */
  nameTopic(to: Destination, name: string): Promise<void>
  offerCommands(to: Destination, commands: readonly BotCommand[]): Promise<void>
  react(to: Destination, messageId: number, emoji: string | undefined): Promise<void>
  sendDraft(to: Destination, draftId: number, text: FormattedText): Promise<void>
  sendTyping(to: Destination): Promise<void>
  answerCallback(queryId: string, answer?: { text: string; alert?: boolean | undefined }): Promise<void>
  /** @throws {TelegramFailure} `too_large` above 20 MB */
  download(fileId: string): Promise<TelegramFile>
}

export function createTelegramClient({ token, apiRoot }: { token: string; apiRoot: string }): TelegramClient {
  const root = apiRoot.replace(/\/$/, '')
  const apiWithin = (timeoutSeconds: number) => new Api(token, { apiRoot: root, timeoutSeconds })
  const api = apiWithin(CALL_TIMEOUT_S)
  const previews = apiWithin(PREVIEW_TIMEOUT_S)
  const uploads = apiWithin(UPLOAD_TIMEOUT_S)
  return {
    getMe: () => checked(() => api.getMe()),
    sendText: (to, { text, entities, rich }, options) =>
      checked(async () => {
        const shared = { ...address(to), ...sendOptions(options) }
        const message = rich
          ? await api.raw.sendRichMessage({ ...shared, rich_message: inputOf(rich) })
          : await api.raw.sendMessage({
              ...shared,
              text,
              entities: [...entities],
              link_preview_options: { is_disabled: true },
            })
        return message.message_id
      }),
    sendUpload: (to, upload, options) => checked(() => sendUpload(uploads, to, upload, options)),
    editText: (to, messageId, text, keyboard) => checked(() => editText(api, to, messageId, text, keyboard)),
    editPreview: (to, messageId, text, keyboard) => checked(() => editText(previews, to, messageId, text, keyboard)),
    editCaption: (to, messageId, { text, entities }) =>
      checked(async () => {
        await api.raw.editMessageCaption({
          chat_id: to.chatId,
          message_id: messageId,
          caption: text,
          caption_entities: [...entities],
        })
      }),
    deleteMessage: (to, messageId) => checked(() => done(api.deleteMessage(to.chatId, messageId))),
    nameTopic: ({ chatId, threadId }, name) =>
      checked(async () => {
        if (threadId !== undefined) await api.editForumTopic(chatId, threadId, { name })
      }),
    offerCommands: ({ chatId }, commands) => {
      const scope = { type: 'chat', chat_id: chatId } as const
      return checked(() =>
        done(commands.length > 0 ? api.setMyCommands(commands, { scope }) : api.deleteMyCommands({ scope })),
      )
    },
    react: (to, messageId, emoji) =>
      checked(() =>
        done(
          api.raw.setMessageReaction({
            chat_id: to.chatId,
            message_id: messageId,
            reaction: emoji === undefined ? [] : [{ type: 'emoji', emoji: emoji as ReactionTypeEmoji['emoji'] }],
          }),
        ),
      ),
    sendDraft: (to, draftId, { text, entities }) =>
      checked(() =>
        done(
          previews.raw.sendMessageDraft({
            ...address(to),
            draft_id: draftId,
            text,
            entities: [...entities],
            can_stop: true,
            keep_on_stop: true,
          }),
        ),
      ),
    sendTyping: (to) => checked(() => done(previews.raw.sendChatAction({ ...address(to), action: 'typing' }))),
    answerCallback: (queryId, answer) =>
      checked(() =>
        done(
          previews.raw.answerCallbackQuery({
            callback_query_id: queryId,
            ...(answer ? { text: cut(answer.text, 200), show_alert: answer.alert ?? false } : {}),
          }),
        ),
      ),
    download: (fileId) => checked(() => download(api, { token, root, fileId })),
  }
}

async function checked<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw classifyFailure(error)
  }
}

async function done(call: Promise<unknown>): Promise<void> {
  await call
}

function address({ chatId, threadId }: Destination): { chat_id: number; message_thread_id?: number } {
  return { chat_id: chatId, ...(threadId === undefined ? {} : { message_thread_id: threadId }) }
}

function sendOptions({ keyboard, askReply, replyTo, silent }: SendOptions) {
  return {
    ...replyMarkup(keyboard, askReply),
    // Better an answer beside the question than none because the question was deleted.
    ...(replyTo === undefined ? {} : { reply_parameters: { message_id: replyTo, allow_sending_without_reply: true } }),
    ...(silent ? { disable_notification: true } : {}),
  }
}

function replyMarkup(keyboard: Keyboard | undefined, askReply: SendOptions['askReply']) {
  if (keyboard && keyboard.length > 0) return { reply_markup: inline(keyboard) }
  if (!askReply) return {}
  // Telegram takes 1 to 64 characters of hint.
  const hint = cut(askReply.placeholder, 64)
  return {
    reply_markup: { force_reply: true as const, selective: true, ...(hint ? { input_field_placeholder: hint } : {}) },
  }
}

/** Never within a character. */
function cut(text: string, maxUnits: number): string {
  const isHalf = text.length > maxUnits && /[\ud800-\udbff]/.test(text[maxUnits - 1] ?? '')
  return text.slice(0, isHalf ? maxUnits - 1 : maxUnits)
}

function inline(keyboard: Keyboard) {
  return { inline_keyboard: keyboard.map((row) => [...row]) }
}

async function editText(
  api: Api,
  to: Destination,
  messageId: number,
  { text, entities, rich }: MessageBody,
  keyboard: Keyboard = [],
): Promise<void> {
  await api.raw.editMessageText({
    chat_id: to.chatId,
    message_id: messageId,
    ...(rich
      ? { rich_message: inputOf(rich) }
      : { text, entities: [...entities], link_preview_options: { is_disabled: true } }),
    // Without a keyboard in the call Telegram takes the old one away, which is what is meant.
    ...(keyboard.length > 0 ? { reply_markup: inline(keyboard) } : {}),
  })
}

/** Its links are ours: what Telegram would find by itself in a model's words stays words. */
function inputOf({ blocks, isRtl }: RichMessage): InputRichMessage {
  // The same blocks; Telegram's type has mutable lists.
  const own = blocks as unknown as NonNullable<InputRichMessage['blocks']>
  return { blocks: own, skip_entity_detection: true, ...(isRtl ? { is_rtl: true } : {}) }
}

async function sendUpload(api: Api, to: Destination, upload: Upload, options: SendOptions): Promise<number> {
  const file = new InputFile(upload.content, headerName(upload.name))
  const shared = {
    ...address(to),
    ...sendOptions(options),
    ...(upload.caption ? { caption: upload.caption.text, caption_entities: [...upload.caption.entities] } : {}),
  }
  const message =
    upload.as === 'photo'
      ? await api.raw.sendPhoto({ ...shared, photo: file })
      : await api.raw.sendDocument({ ...shared, document: file })
  return message.message_id
}

/** grammY writes it into a header as it is: what would end it there, or break it, is left out. */
function headerName(name: string): string {
  return name.toWellFormed().replace(/[\p{Cc};"\\]+/gu, '_')
}

/** The file's address holds the bot token: it is used here and shown to nobody. */
async function download(
  api: Api,
  { token, root, fileId }: { token: string; root: string; fileId: string },
): Promise<TelegramFile> {
  let path: string | undefined
  try {
    path = (await api.getFile(fileId)).file_path
  } catch (error) {
    const failure = classifyFailure(error)
    throw /file is too big/i.test(failure.message) ? new TelegramFailure('too_large', failure.message) : failure
  }
  if (!path) throw new TelegramFailure('refused', 'getFile: no path')
  const response = await fetch(`${root}/file/bot${token}/${path}`, {
    signal: AbortSignal.timeout(UPLOAD_TIMEOUT_S * 1000),
  })
  if (!response.ok || !response.body) {
    await response.body?.cancel()
    throw new TelegramFailure(response.status >= 500 ? 'unknown' : 'refused', `file download: ${response.status}`)
  }
  const length = response.headers.get('content-length')
  return { body: response.body, bytes: length === null ? undefined : Number(length) }
}
