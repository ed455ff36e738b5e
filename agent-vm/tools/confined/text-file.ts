/** Reading text: what is no text, is no regular file, or is too big to be edited is told apart before anything is done. */
import type { FileHandle } from 'node:fs/promises'
import { openForReading, type Place } from './place.ts'
import { ToolFailure } from './tool-failure.ts'

/** A file above it is not edited as one text; `bash` can. */
export const MAX_EDIT_BYTES = 5 * 1024 * 1024
const PROBE_BYTES = 8192

export interface TextFile {
  readonly handle: FileHandle
  readonly realPath: string
  readonly bytes: number
}

/** The caller closes the handle. @throws {ToolFailure} for folders, pipes, devices and binary files */
export async function openTextFile(place: Place, path: string): Promise<TextFile> {
  const { handle, realPath } = await openForReading(place, path)
  try {
    const stat = await handle.stat()
    if (stat.isDirectory()) throw new ToolFailure(`${path} is a folder. Use list_dir.`)
    if (!stat.isFile()) throw new ToolFailure(`${path} is not a regular file and cannot be read.`)
    await refuseBinary(handle, path, stat.size)
    return { handle, realPath, bytes: stat.size }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** The whole text of a file that is small enough to be edited. */
export async function readWholeText(place: Place, path: string): Promise<string> {
  const { handle, bytes } = await openTextFile(place, path)
  try {
    if (bytes > MAX_EDIT_BYTES) {
      throw new ToolFailure(`${path} has ${bytes} bytes; edit_file takes at most ${MAX_EDIT_BYTES}. Use bash (sed).`)
    }
    return await handle.readFile('utf8')
  } finally {
    await handle.close()
  }
}

async function refuseBinary(handle: FileHandle, path: string, bytes: number): Promise<void> {
  const probe = Buffer.alloc(Math.min(PROBE_BYTES, bytes))
  const { bytesRead } = await handle.read(probe, 0, probe.length, 0)
  if (!isBinary(probe.subarray(0, bytesRead))) return
  const magic = probe.subarray(0, 8).toString('hex')
  throw new ToolFailure(
    `${path} is a binary file (${bytes} bytes, begins with ${magic}), not text. Use bash to look at it, for example \`file\`, \`strings\`, \`pdftotext\`, \`unzip -l\`; send_file hands it over.`,
  )
}

export function isBinary(bytes: Buffer): boolean {
  if (bytes.includes(0)) return true
  if (bytes.length === 0) return false
  const text = bytes.toString('utf8')
  let odd = 0
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0
    if (code === 0xfffd || (code < 32 && code !== 9 && code !== 10 && code !== 12 && code !== 13 && code !== 27)) odd++
  }
  // Latin-1 prose has some bytes that are not UTF-8; noise has many.
  return odd > text.length * 0.3
}
