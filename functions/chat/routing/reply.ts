/** The handling of one update while it is being decided: what handlers call instead of Telegram. */

import { type Phrase, plain } from '../catalogue/format.ts'
import type { Handling, TurnInput } from '../handling.ts'
import type { Keyboard, MessageTarget, Outgoing } from '../outgoing.ts'
import type { RichMessage } from '../rich/rich-message.ts'

/** Telegram cuts toasts off here. */
const MAX_TOAST_CHARS = 200

export interface MessageOptions {
  readonly keyboard?: Keyboard
  readonly ref?: string
  /** Shown in place of the text where Telegram takes it. */
  readonly rich?: RichMessage
  readonly askReply?: { readonly placeholder: string }
  readonly silent?: boolean
}

export class Reply {
  readonly #pressedMessageId: number | undefined
  readonly #replyTo: number | undefined
  readonly #outgoing: Outgoing[] = []
  #answer: Handling['answer']
  #turn: TurnInput | undefined

  /**
   * @param origin.pressedMessageId the message whose button was pressed: `show` rewrites it
   * @param origin.replyTo the message to answer to, where several people talk at once
   */
  constructor(origin: { readonly pressedMessageId?: number | undefined; readonly replyTo?: number | undefined } = {}) {
    this.#pressedMessageId = origin.pressedMessageId
    this.#replyTo = origin.replyTo
  }

  send(text: Phrase, { keyboard, ref, rich, askReply, silent }: MessageOptions = {}): void {
    this.#outgoing.push({
      kind: 'send',
      text: plain(text),
      ...(ref ? { ref } : {}),
      ...(rich ? { rich } : {}),
      ...(keyboard ? { keyboard } : {}),
      ...(askReply ? { askReply } : {}),
      ...(silent ? { silent } : {}),
      ...(this.#replyTo === undefined ? {} : { replyTo: this.#replyTo }),
    })
  }

  edit(target: MessageTarget, text: Phrase, { keyboard, silent }: MessageOptions = {}): void {
    this.#outgoing.push({
      kind: 'edit',
      target,
      text: plain(text),
      ...(keyboard ? { keyboard } : {}),
      ...(silent ? { silent } : {}),
    })
  }

  /** A screen: in place of the one whose button was pressed, or as a new message after a command. */
  show(text: Phrase, keyboard?: Keyboard): void {
    if (this.#pressedMessageId === undefined) this.send(text, keyboard ? { keyboard } : {})
    else this.edit({ messageId: this.#pressedMessageId }, text, keyboard ? { keyboard } : {})
  }

  /** Where a screen that was shown can be edited later. */
  get pressed(): MessageTarget | undefined {
    return this.#pressedMessageId === undefined ? undefined : { messageId: this.#pressedMessageId }
  }

  delete(target: MessageTarget): void {
    this.#outgoing.push({ kind: 'delete', target })
  }

  add(outgoing: Outgoing): void {
    this.#outgoing.push(outgoing)
  }

  /** The words over the chat that answer a pressed button. The last one counts. */
  toast(text: string, alert = false): void {
    const shown = text.length > MAX_TOAST_CHARS ? `${text.slice(0, MAX_TOAST_CHARS - 1)}…` : text
    this.#answer = alert ? { text: shown, alert } : { text: shown }
  }

  /** A refusal: over the chat after a button, as a message after a command. */
  refuse(text: Phrase): void {
    if (this.#pressedMessageId === undefined) this.send(text)
    else this.toast(plain(text).text, true)
  }

  turn(input: TurnInput): void {
    this.#turn = input
  }

  finish(): Handling {
    return {
      outgoing: this.#outgoing,
      ...(this.#answer ? { answer: this.#answer } : {}),
      ...(this.#turn ? { turn: this.#turn } : {}),
    }
  }
}
