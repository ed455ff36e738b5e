/** Splits a byte stream into lines of bounded length. */
import type { Readable } from 'node:stream'

export class LineTooLong extends Error {
  readonly code = 'line_too_long'
}

/** @throws {LineTooLong} to `onBroken`; nothing is read after that */
export function readLines(
  stream: Readable,
  maxChars: number,
  onLine: (line: string) => void,
  onBroken: (error: Error) => void,
): void {
  let parts: string[] = []
  let length = 0
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    let start = 0
    for (let end = chunk.indexOf('\n'); end !== -1; end = chunk.indexOf('\n', start)) {
      parts.push(chunk.slice(start, end))
      const line = parts.join('')
      parts = []
      length = 0
      start = end + 1
      if (line !== '') onLine(line)
    }
    if (start === chunk.length) return
    parts.push(chunk.slice(start))
    length += chunk.length - start
    if (length <= maxChars) return
    stream.destroy()
    onBroken(new LineTooLong(`a line longer than ${maxChars} characters`))
  })
}
