/** A response's body as bytes, unpacked and never more than it may be: a small file can unpack to terabytes. */
import type { Readable } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { ToolFailure } from '../confined/tool-failure.ts'

/** After unpacking. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024

/** @returns what fits, and whether it was cut there. @throws {ToolFailure} for packings that were not asked for */
export async function readBoundedBody(
  body: Readable,
  contentEncoding: string,
  maxBytes = MAX_BODY_BYTES,
): Promise<{ bytes: Buffer; isCut: boolean }> {
  const unpacked = unpack(body, contentEncoding)
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of unpacked) {
      const rest = maxBytes - length
      if (chunk.length > rest) {
        chunks.push(chunk.subarray(0, rest))
        return { bytes: Buffer.concat(chunks), isCut: true }
      }
      chunks.push(chunk)
      length += chunk.length
    }
    return { bytes: Buffer.concat(chunks), isCut: false }
  } finally {
    unpacked.destroy()
    body.destroy()
  }
}

function unpack(body: Readable, contentEncoding: string): Readable {
  const encodings = contentEncoding
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity')
  const [encoding] = encodings
  if (encoding === undefined) return body
  // Packed twice is packed to hide something.
  const unpacker = encodings.length === 1 ? UNPACKERS[encoding]?.() : undefined
  if (!unpacker) throw new ToolFailure(`The answer is packed as ${contentEncoding.slice(0, 60)}, which is not read.`)
  body.on('error', (error) => unpacker.destroy(error))
  return body.pipe(unpacker)
}

const UNPACKERS: Readonly<
  Record<string, () => ReturnType<typeof createGunzip> | ReturnType<typeof createBrotliDecompress>>
> = {
  gzip: () => createGunzip(),
  'x-gzip': () => createGunzip(),
  deflate: () => createInflate(),
  br: () => createBrotliDecompress(),
}
