/** A file of the agent's on its way to Telegram: streamed through, never held as a whole. */
import { type AgentClient, AgentUnreachable } from './agent-client.ts'
import type { Outgoing } from './outgoing.ts'
import type { Upload } from './telegram-client.ts'

/** What a bot may upload (Bot API, "Sending files"). */
export const MAX_UPLOAD_BYTES = 50 * 1024 * 1024
export const MAX_PHOTO_BYTES = 10 * 1024 * 1024

const STALL_MS = 20_000

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
  { asDocument, stallMs = STALL_MS }: { asDocument: boolean; stallMs?: number },
): Promise<Pick<Upload, 'as' | 'name' | 'content'>> {
  const { body, bytes } = await (from === 'export' ? agent.exportAll() : agent.getFile(from.path))
  if (bytes !== undefined && bytes > MAX_UPLOAD_BYTES) {
    await body.cancel()
    throw new FileTooLarge(`${bytes} bytes`)
  }
  const isPhoto = !asDocument && isPhotoName(name) && bytes !== undefined && bytes <= MAX_PHOTO_BYTES
  return { as: isPhoto ? 'photo' : 'document', name, content: bounded(body, { bytes, stallMs }) }
}

export function isPhotoName(name: string): boolean {
  return /\.(jpe?g|png|webp)$/i.test(name)
}

export function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).slice(0, 200) || 'file'
}

/** Ends only with the whole file: half of one would pass for all of it. */
async function* bounded(
  body: ReadableStream<Uint8Array>,
  { bytes, stallMs }: { bytes: number | undefined; stallMs: number },
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader()
  let total = 0
  try {
    for (;;) {
      // An upload that is broken off is none: Telegram waits for its end.
      const { done, value } = await readInTime(reader, stallMs).catch((cause: unknown) => {
        throw new AgentUnreachable('the file broke off', { cause })
      })
      if (done) {
        if (bytes !== undefined && total < bytes) throw new AgentUnreachable('the file broke off')
        return
      }
      total += value.byteLength
      if (total > MAX_UPLOAD_BYTES) throw new FileTooLarge(`more than ${MAX_UPLOAD_BYTES} bytes`)
      yield value
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

/** A machine that stops in the middle of a file must not hold up everything that is said after it. */
async function readInTime(reader: ReadableStreamDefaultReader<Uint8Array>, stallMs: number) {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error('nothing more came')), stallMs)
  try {
    return await Promise.race([reader.read(), late])
  } finally {
    clearTimeout(timer)
  }
}
