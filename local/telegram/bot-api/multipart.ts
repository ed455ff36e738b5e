/** multipart/form-data as a stream: each part's body is handed on as it comes, never held whole. */
export interface Part {
  readonly name: string
  /** Present for files. */
  readonly filename?: string
  readonly contentType?: string
  /** To be read to its end before the next part is asked for. */
  readonly body: AsyncIterable<Buffer>
}

export class MalformedMultipart extends Error {
  readonly code = 'malformed_multipart'
}

const MAX_HEADER_BYTES = 16 * 1024
const LINE_END = Buffer.from('\r\n')
const HEADERS_END = Buffer.from('\r\n\r\n')

export async function* readMultipart(source: AsyncIterable<Uint8Array>, boundary: string): AsyncGenerator<Part> {
  const reader = new DelimitedReader(source)
  const delimiter = Buffer.from(`\r\n--${boundary}`)
  await drain(reader.until(delimiter))
  for (;;) {
    const next = await reader.take(2)
    if (next.toString('latin1') === '--') return
    if (!next.equals(LINE_END)) throw new MalformedMultipart('no line end after a boundary')
    const headers = parseHeaders(await collect(reader.until(HEADERS_END), MAX_HEADER_BYTES))
    const body = reader.until(delimiter)
    yield { ...headers, body }
    await drain(body)
  }
}

function parseHeaders(text: string): { name: string; filename?: string; contentType?: string } {
  const headers = new Map(
    text.split('\r\n').map((line): [string, string] => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()]
    }),
  )
  const disposition = headers.get('content-disposition') ?? ''
  const name = parameter(disposition, 'name')
  if (name === undefined) throw new MalformedMultipart('a part without a name')
  const filename = parameter(disposition, 'filename')
  const contentType = headers.get('content-type')
  return { name, ...(filename === undefined ? {} : { filename }), ...(contentType ? { contentType } : {}) }
}

function parameter(disposition: string, name: string): string | undefined {
  const match = new RegExp(`;\\s*${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^;]*))`, 'i').exec(disposition)
  const value = match?.[1] ?? match?.[2]?.trim()
  // Browsers write a quote as %22, others as \".
  return value?.replace(/\\(.)/g, '$1').replace(/%22/g, '"')
}

/** Reads a byte stream up to delimiters. Starts as if after a line end, since the first boundary has none before it. */
class DelimitedReader {
  readonly #source: AsyncIterator<Uint8Array>
  #buffer: Buffer = LINE_END

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  async *until(delimiter: Buffer): AsyncGenerator<Buffer> {
    for (;;) {
      const at = this.#buffer.indexOf(delimiter)
      if (at >= 0) {
        const last = this.#buffer.subarray(0, at)
        this.#buffer = this.#buffer.subarray(at + delimiter.length)
        if (last.length > 0) yield last
        return
      }
      const safe = this.#buffer.length - delimiter.length + 1
      if (safe > 0) {
        const chunk = this.#buffer.subarray(0, safe)
        this.#buffer = this.#buffer.subarray(safe)
        yield chunk
      }
      await this.#fill()
    }
  }

  async take(count: number): Promise<Buffer> {
    while (this.#buffer.length < count) await this.#fill()
    const taken = this.#buffer.subarray(0, count)
    this.#buffer = this.#buffer.subarray(count)
    return taken
  }

  async #fill(): Promise<void> {
    const { value, done } = await this.#source.next()
    if (done) throw new MalformedMultipart('the body ends inside a part')
    this.#buffer = this.#buffer.length === 0 ? Buffer.from(value) : Buffer.concat([this.#buffer, value])
  }
}

async function collect(chunks: AsyncIterable<Buffer>, maxBytes: number): Promise<string> {
  const all: Buffer[] = []
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.length
    if (size > maxBytes) throw new MalformedMultipart('headers too long')
    all.push(chunk)
  }
  return Buffer.concat(all).toString()
}

async function drain(chunks: AsyncIterable<Buffer>): Promise<void> {
  for await (const _ of chunks);
}
