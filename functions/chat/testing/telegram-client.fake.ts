/**
 * A chat that keeps what it is told. `fail` decides per call what goes wrong, before or after the effect, as a network does.
 */
import type { UserFromGetMe } from 'grammy/types'
import type { MessageBody } from '../message-body.ts'
import type { Keyboard } from '../outgoing.ts'
import type { RichMessage } from '../rich/rich-message.ts'
import type { Destination, TelegramClient, Upload } from '../telegram-client.ts'
import { TelegramFailure, type TelegramFailureKind } from '../telegram-failure.ts'
import type { FormattedText } from '../text/formatted-text.ts'

export interface FakeMessage {
  readonly id: number
  text: string
  keyboard: Keyboard | undefined
  rich?: RichMessage | undefined
  readonly upload?: { readonly as: string; readonly name: string; readonly content: string } | undefined
  readonly to: Destination
}

export interface Fault {
  readonly kind: TelegramFailureKind
  /** The call had its effect all the same. */
  readonly after?: boolean
  readonly retryAfterMs?: number
  readonly migratedTo?: number
}

export class FakeTelegram implements TelegramClient {
  readonly messages = new Map<number, FakeMessage>()
  readonly calls: string[] = []
  readonly drafts: string[] = []
  readonly menus: string[][] = []
  readonly topicNames: string[] = []
  readonly reactions = new Map<number, string | undefined>()
  readonly downloads = new Map<string, string>()
  lastId = 100
  /** @returns what goes wrong with the call, if anything */
  fail: (method: string) => Fault | undefined = () => undefined

  async getMe(): Promise<UserFromGetMe> {
    return { id: 7, is_bot: true, first_name: 'Baal', username: 'baal_bot' } as UserFromGetMe
  }

  sendText(to: Destination, body: MessageBody, options: { keyboard?: Keyboard | undefined }): Promise<number> {
    return this.#call(body.rich ? 'sendRichMessage' : 'sendMessage', () => {
      const id = this.#add(to, body.text, options.keyboard)
      this.#known(id).rich = body.rich
      return id
    })
  }

  async sendUpload(to: Destination, upload: Upload): Promise<number> {
    const content = await contentOf(upload)
    return this.#call(upload.as === 'photo' ? 'sendPhoto' : 'sendDocument', () =>
      this.#add(to, upload.caption?.text ?? '', undefined, { as: upload.as, name: upload.name, content }),
    )
  }

  editText(_to: Destination, messageId: number, { text, rich }: MessageBody, keyboard: Keyboard = []): Promise<void> {
    return this.#call('editMessageText', () => {
      const message = this.#known(messageId)
      if (message.upload) throw new TelegramFailure('target_gone', 'there is no text in the message to edit')
      const shown = JSON.stringify([message.text, message.keyboard ?? [], message.rich])
      if (shown === JSON.stringify([text, keyboard, rich])) {
        throw new TelegramFailure('not_modified', 'message is not modified')
      }
      message.text = text
      message.rich = rich
      message.keyboard = keyboard
    })
  }

  editPreview(to: Destination, messageId: number, text: FormattedText, keyboard?: Keyboard): Promise<void> {
    return this.editText(to, messageId, text, keyboard)
  }

  editCaption(_to: Destination, messageId: number, { text }: FormattedText): Promise<void> {
    return this.#call('editMessageCaption', () => {
      const message = this.#known(messageId)
      if (!message.upload) throw new TelegramFailure('target_gone', 'there is no caption in the message to edit')
      if (message.text === text) throw new TelegramFailure('not_modified', 'message is not modified')
      message.text = text
    })
  }

  deleteMessage(_to: Destination, messageId: number): Promise<void> {
    return this.#call('deleteMessage', () => void this.messages.delete(messageId))
  }

  nameTopic(_to: Destination, name: string): Promise<void> {
    return this.#call('editForumTopic', () => void this.topicNames.push(name))
  }

  offerCommands(_to: Destination, commands: readonly { readonly command: string }[]): Promise<void> {
    return this.#call('setMyCommands', () => void this.menus.push(commands.map(({ command }) => command)))
  }

  react(_to: Destination, messageId: number, emoji: string | undefined): Promise<void> {
    return this.#call('setMessageReaction', () => void this.reactions.set(messageId, emoji))
  }

  sendDraft(_to: Destination, _draftId: number, { text }: FormattedText): Promise<void> {
    return this.#call('sendMessageDraft', () => void this.drafts.push(text))
  }

  sendTyping(): Promise<void> {
    return this.#call('sendChatAction', () => undefined)
  }

  answerCallback(): Promise<void> {
    return this.#call('answerCallbackQuery', () => undefined)
  }

  async download(fileId: string): Promise<{ body: ReadableStream<Uint8Array>; bytes: number | undefined }> {
    return this.#call('getFile', () => {
      const content = this.downloads.get(fileId)
      if (content === undefined) throw new TelegramFailure('refused', 'wrong file_id')
      const bytes = new TextEncoder().encode(content)
      return { body: new Blob([bytes]).stream(), bytes: bytes.byteLength }
    })
  }

  /** Texts in the chat, in order. */
  texts(): string[] {
    return [...this.messages.values()].map(({ text }) => text)
  }

  async #call<T>(method: string, effect: () => T): Promise<T> {
    this.calls.push(method)
    const fault = this.fail(method)
    if (fault?.after) effect()
    if (fault) throw new TelegramFailure(fault.kind, fault.kind, fault)
    return effect()
  }

  #add(to: Destination, text: string, keyboard?: Keyboard, upload?: FakeMessage['upload']): number {
    this.lastId += 1
    this.messages.set(this.lastId, { id: this.lastId, text, keyboard, upload, to })
    return this.lastId
  }

  #known(messageId: number): FakeMessage {
    const message = this.messages.get(messageId)
    if (!message) throw new TelegramFailure('target_gone', 'message to edit not found')
    return message
  }
}

async function contentOf({ content }: Upload): Promise<string> {
  if (content instanceof Uint8Array) return new TextDecoder().decode(content)
  let text = ''
  for await (const chunk of content) text += new TextDecoder().decode(chunk)
  return text
}
