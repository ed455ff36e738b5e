/**
 * What a command wrote: its beginning and its end for the model, all of it (within bounds) in a file of the workspace once it
 * is more than that.
 */
import { type FileHandle, lstat, mkdir, open, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import { stripVTControlCharacters } from 'node:util'
import { randomSuffix } from './random-suffix.ts'

const OUTPUT_FOLDER = '.tool-output'
/** Shown to the model: so much of the beginning, and as much of the end. */
const SHOWN_HALF_BYTES = 15 * 1024
/** Kept in the file. */
const MAX_KEPT_BYTES = 10 * 1024 * 1024
const MAX_FILES = 20
const MAX_FOLDER_BYTES = 50 * 1024 * 1024

export class CommandOutput {
  bytes = 0
  readonly #root: string
  readonly #head: Buffer[] = []
  #headBytes = 0
  #tail: Buffer[] = []
  #tailBytes = 0
  readonly #kept: Buffer[] = []
  #keptBytes = 0
  #isClosed = false

  constructor(root: string) {
    this.#root = root
  }

  add(chunk: Buffer): void {
    if (this.#isClosed) return
    this.bytes += chunk.length
    if (this.#keptBytes < MAX_KEPT_BYTES) {
      const part = chunk.subarray(0, MAX_KEPT_BYTES - this.#keptBytes)
      this.#kept.push(part)
      this.#keptBytes += part.length
    }
    const toHead = chunk.subarray(0, SHOWN_HALF_BYTES - this.#headBytes)
    if (toHead.length > 0) {
      this.#head.push(toHead)
      this.#headBytes += toHead.length
    }
    this.#addToTail(chunk.subarray(toHead.length))
  }

  /** What comes later belongs to a background job. */
  close(): void {
    this.#isClosed = true
  }

  /** @returns what the model reads */
  async finish(): Promise<string> {
    const tail = Buffer.concat(this.#tail)
    const left = this.bytes - this.#headBytes - Math.min(tail.length, SHOWN_HALF_BYTES)
    if (left <= 0) return clean(Buffer.concat([...this.#head, tail]))
    const where = await this.#save()
    const shownTail = tail.subarray(-SHOWN_HALF_BYTES)
    return `${clean(Buffer.concat(this.#head))}\n\n[… ${left} bytes left out; ${where} …]\n\n${clean(shownTail)}`
  }

  #addToTail(chunk: Buffer): void {
    if (chunk.length === 0) return
    this.#tail.push(chunk.subarray(-SHOWN_HALF_BYTES))
    this.#tailBytes += Math.min(chunk.length, SHOWN_HALF_BYTES)
    if (this.#tailBytes < 4 * SHOWN_HALF_BYTES) return
    const rest = Buffer.from(Buffer.concat(this.#tail).subarray(-SHOWN_HALF_BYTES))
    this.#tail = [rest]
    this.#tailBytes = rest.length
  }

  async #save(): Promise<string> {
    const name = `${new Date().toISOString().replace(/[:.]/g, '-')}-${randomSuffix()}.txt`
    try {
      const folder = join(this.#root, OUTPUT_FOLDER)
      await mkdir(folder, { recursive: true })
      await writeAll(join(folder, name), this.#kept)
      await prune(folder)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'error'
      return `the whole could not be kept (${code})`
    }
    const what = this.#keptBytes < this.bytes ? `the first ${this.#keptBytes} bytes are` : 'all of it is'
    return `${what} in ${OUTPUT_FOLDER}/${name}`
  }
}

async function writeAll(path: string, chunks: readonly Buffer[]): Promise<void> {
  let handle: FileHandle | undefined
  try {
    handle = await open(path, 'wx', 0o660)
    for (const chunk of chunks) await handle.writeFile(chunk)
  } catch (error) {
    await unlink(path).catch(() => undefined)
    throw error
  } finally {
    await handle?.close()
  }
}

/** The newest files stay, within a number and a size. Names begin with the time, so they sort by age. */
async function prune(folder: string): Promise<void> {
  const names = (await readdir(folder)).sort().reverse()
  let bytes = 0
  for (const [index, name] of names.entries()) {
    const path = join(folder, name)
    // Another command may have thrown it away by now, and commands put here what they like.
    bytes += await lstat(path).then(
      ({ size }) => size,
      () => 0,
    )
    if (index >= MAX_FILES || (bytes > MAX_FOLDER_BYTES && index > 0)) await unlink(path).catch(() => undefined)
  }
}

/** Text as a person would see it on the screen: no colours, and of a progress line only its last state. */
function clean(bytes: Buffer): string {
  const decoder = new StringDecoder('utf8')
  const text = stripVTControlCharacters(decoder.write(bytes) + decoder.end())
  return text.split('\n').map(lastState).join('\n').replace(/\0/g, '\u{fffd}').trimEnd()
}

/** By hand: an expression for it takes the square of a long line. */
function lastState(line: string): string {
  let end = line.length
  while (line[end - 1] === '\r') end--
  const shown = line.slice(0, end)
  return shown.slice(shown.lastIndexOf('\r') + 1)
}
