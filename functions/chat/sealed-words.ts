/**
 * A person's own key comes as the text of a message: with /login, or as the next message after it. Such a text is sealed before
 * its update is written anywhere, so that one that waits, or outlives a crash, holds nothing to be read.
 */
import type { Update } from 'grammy/types'
import { z } from 'zod'
import type { Seal } from '../seal.ts'
import type { ChatStore } from './handling.ts'
import { wizardAwaitingText } from './wizard/stored-wizard.ts'

const LOGIN = /^\s*\/login(@\w+)?\s/i
const Sealed = z.looseObject({ sealed_text: z.string() })

export interface WordsSeal {
  readonly seal: Seal
  /** Name of the chat: what is sealed here opens nowhere else. */
  readonly chat: string
}

/** @returns the update as it may be kept */
export async function sealWords(update: Update, store: ChatStore, { seal, chat }: WordsSeal): Promise<Update> {
  const { message } = update
  if (!message?.text || !bringsKey(update, store)) return update
  const sealed_text = await seal.seal(message.text, contextOf(update, chat))
  // What it answers may be a first attempt.
  const { text: _, reply_to_message: _replied, quote: _quote, ...rest } = message
  return { ...update, message: rest, sealed_text } as unknown as Update
}

/** @throws {SealBroken} when it was sealed with a key that is no more */
export async function openWords(update: Update, { seal, chat }: WordsSeal): Promise<Update> {
  const sealed = Sealed.safeParse(update).data
  if (!sealed || !update.message) return update
  const { sealed_text, ...rest } = update as Update & { sealed_text: string }
  const text = await seal.open(sealed_text, contextOf(update, chat))
  return { ...rest, typed_key: true, message: { ...update.message, text } } as Update
}

/** Whether its words were sealed when they came: a key, whatever became meanwhile of what waited for it. */
export function isTypedKey(update: Update): boolean {
  return 'typed_key' in update
}

function bringsKey({ message }: Update, store: ChatStore): boolean {
  if (LOGIN.test(message?.text ?? '')) return true
  const wizard = wizardAwaitingText(store, { userId: message?.from?.id ?? 0, now: (message?.date ?? 0) * 1000 })
  return wizard?.kind === 'edit' && wizard.data.field === 'key'
}

function contextOf({ update_id }: Update, chat: string) {
  return { what: 'typed-key', id: `${chat}:${update_id}` } as const
}
