/** A file of the agent's on its way to Telegram: streamed through, never held as a whole. */
import { type AgentClient, AgentUnreachable } from './agent-client.ts'
import type { Outgoing } from './outgoing.ts'
import type { Upload } from './telegram-client.ts'

/** What a bot may upload (Bot API, "Sending files"). */
export const MAX_UPLOAD_BYTES = 50 * 1024 * 1024
export const MAX_PHOTO_BYTES = 10 * 1024 * 1024

export type AgentFile = Extract<Outgoing, { kind: 'agent_file' }>

export class FileTooLarge extends Error {
  readonly code = 'file_too_large'
}

/**
 * @param asDocument true when Telegram refused it as a photo
 * @throws {FileTooLarge} before anything is sent, when the size is known; else the upload breaks off there
 * @throws {AgentRefused} 404 missing, 403 not to be shown
 * @throws {AgentUnreachable}
 */
export async function openOutgoingFile(
  agent: Pick<AgentClient, 'getFile' | 'exportAll'>,
  { from, name }: AgentFile,
  { asDocument }: { asDocument: boolean },
): Promise<Pick<Upload, 'as' | 'name' | 'content'>> {
  const { body, bytes } = await (from === 'export' ? agent.exportAll() : agent.getFile(from.path))
  if (bytes !== undefined && bytes > MAX_UPLOAD_BYTES) {
    await body.cancel()
    throw new FileTooLarge(`${bytes} bytes`)
  }
  const isPhoto = !asDocument && isPhotoName(name) && bytes !== undefined && bytes <= MAX_PHOTO_BYTES
  return { as: isPhoto ? 'photo' : 'document', name, content: bounded(body) }
}

export function isPhotoName(name: string): boolean {
  return /\.(jpe?g|png|webp)$/i.test(name)
}

export function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).slice(0, 200) || 'file'
}

async function* bounded(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader()
  let total = 0
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        // An upload that is broken off is none: Telegram waits for its end.
        throw new AgentUnreachable('the file broke off', { cause })
      })
      if (done) return
      total += value.byteLength
      if (total > MAX_UPLOAD_BYTES) throw new FileTooLarge(`more than ${MAX_UPLOAD_BYTES} bytes`)
      yield value
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}
