/** A stream cut anew, into pieces that fit a row. */

/** All of them `chunkBytes` long but the last; nothing for an empty stream. */
export async function* chunksOf(stream: ReadableStream<Uint8Array>, chunkBytes: number): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array[] = []
  let size = 0
  for await (const part of stream) {
    rest.push(part)
    size += part.byteLength
    if (size < chunkBytes) continue
    const joined = join(rest, size)
    const whole = Math.floor(size / chunkBytes) * chunkBytes
    for (let from = 0; from < whole; from += chunkBytes) yield joined.slice(from, from + chunkBytes)
    rest = [joined.slice(whole)]
    size -= whole
  }
  if (size > 0) yield join(rest, size)
}

function join(parts: readonly Uint8Array[], size: number): Uint8Array {
  const joined = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.byteLength
  }
  return joined
}
