/** An exported agent that is sent back. */
import type { Message } from 'grammy/types'

/** Whether a message brings an exported agent: by its name, as /export gives it, or because its caption says so. */
export function bringsAgent({ document, caption, chat }: Message): boolean {
  if (!document || chat.type !== 'private') return false
  return /^\/import\b/i.test(caption ?? '') || /\.agent\.tar\.gz$/i.test(document.file_name ?? '')
}
