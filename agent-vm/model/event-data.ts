/** The data of server-sent events, out of text that comes in pieces of any size. Event names and comments mean nothing here. */
export class EventData {
  #rest = ''
  #lines: string[] = []
  /** Of the lines, each with its end: empty ones take room too. */
  #lineChars = 0

  /** @returns the data of every event that is complete by now */
  add(text: string): string[] {
    const found: string[] = []
    // A carriage return at the very end may be half of a line end.
    const all = this.#rest + text
    const end = all.endsWith('\r') ? all.length - 1 : all.length
    let start = 0
    for (const match of all.slice(0, end).matchAll(/\r\n|\n|\r/g)) {
      this.#addLine(all.slice(start, match.index), found)
      start = match.index + match[0].length
    }
    this.#rest = all.slice(start)
    return found
  }

  /** How much waits for its end. */
  get waitingChars(): number {
    return this.#lineChars + this.#rest.length
  }

  /** The stream is over: what waits is the last event, though the blank line after it never came. */
  end(): string[] {
    const found: string[] = []
    for (const line of [this.#rest.replace(/\r$/, ''), '']) this.#addLine(line, found)
    this.#rest = ''
    return found
  }

  #addLine(line: string, found: string[]): void {
    if (line.startsWith('data:')) {
      this.#lines.push(line.slice(line.startsWith('data: ') ? 6 : 5))
      this.#lineChars += line.length + 1
    }
    if (line !== '' || this.#lines.length === 0) return
    found.push(this.#lines.join('\n'))
    this.#lines = []
    this.#lineChars = 0
  }
}
