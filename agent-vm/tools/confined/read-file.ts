/** Lines of a text file with their numbers, read as a stream: a huge file costs no more memory than what is shown. */

import type { Operation } from './operation.ts'
import { openTextFile } from './text-file.ts'
import { ToolFailure } from './tool-failure.ts'

export interface ReadFileInput {
  readonly path: string
  readonly offset: number
  readonly limit: number
}

const MAX_SHOWN_CHARS = 40_000
const MAX_LINE_CHARS = 2000

export const readFile: Operation<ReadFileInput> = async ({ path, offset, limit }, { place, signal }) => {
  const { handle, bytes } = await openTextFile(place, path)
  const page = new Page(offset, limit)
  try {
    if (bytes > 0) {
      // Not `readLines`: a file may be one line of gigabytes.
      for await (const chunk of handle.createReadStream({ encoding: 'utf8', autoClose: false, start: 0 })) {
        signal.throwIfAborted()
        if (!page.take(String(chunk))) break
      }
    }
    page.end()
  } finally {
    await handle.close()
  }
  if (bytes === 0) return { ok: true, content: `[${path} is empty]`, summary: `read ${path} (empty)` }
  if (page.lines.length === 0) {
    throw new ToolFailure(`${path} has only ${page.seen} lines; offset ${offset} is past its end.`)
  }
  const last = offset + page.lines.length - 1
  const more = page.isCut ? `\n[more follows: go on with offset ${last + 1}]` : ''
  return {
    ok: true,
    content: page.lines.join('\n') + more,
    summary: `read ${path} (${page.isCut || offset > 1 ? `lines ${offset}-${last}` : `${last} lines`})`,
  }
}

class Page {
  readonly lines: string[] = []
  seen = 0
  isCut = false
  #rest = ''
  #skipped = 0
  #chars = 0
  readonly #offset: number
  readonly #limit: number

  constructor(offset: number, limit: number) {
    this.#offset = offset
    this.#limit = limit
  }

  /** @returns false when the page is full */
  take(chunk: string): boolean {
    const parts = chunk.split('\n')
    for (const [index, part] of parts.entries()) {
      this.#extend(part)
      if (index === parts.length - 1) return true
      if (!this.#finishLine()) return false
    }
    return true
  }

  end(): void {
    if (!this.isCut && (this.#rest !== '' || this.#skipped > 0)) this.#finishLine()
  }

  #extend(text: string): void {
    const room = MAX_LINE_CHARS - this.#rest.length
    this.#rest += text.slice(0, room)
    this.#skipped += Math.max(0, text.length - room)
  }

  #finishLine(): boolean {
    const number = this.seen + 1
    const isWanted = number >= this.#offset
    if (isWanted && (this.lines.length >= this.#limit || this.#chars > MAX_SHOWN_CHARS)) {
      this.isCut = true
      return false
    }
    this.seen = number
    if (isWanted) this.#keep(number)
    this.#rest = ''
    this.#skipped = 0
    return true
  }

  #keep(number: number): void {
    const cut = this.#skipped > 0 ? ` [… ${this.#skipped} more characters in this line]` : ''
    const line = `${String(number).padStart(5)}\t${this.#rest.replace(/\r$/, '')}${cut}`.toWellFormed()
    this.lines.push(line)
    this.#chars += line.length
  }
}
