/** Server-sent events out of a byte stream (WHATWG HTML, "Interpreting an event stream"): `id` and `data` only. */
export interface ServerSentEvent {
  /** Empty until the stream has named one. */
  readonly id: string
  readonly data: string
}

/** One event may carry a whole answer; a stream that never ends a line must not fill the memory. */
export const MAX_EVENT_CHARS = 8_000_000

export class EventStreamBroken extends Error {
  readonly code = 'event_stream_broken'
}

/**
 * Yields the events that each network read completed, together: who saves them pays once per read, not once per event.
 * @throws {EventStreamBroken} when a single event grows past `MAX_EVENT_CHARS`
 */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<readonly ServerSentEvent[]> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  const parser = new EventParser()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      const events = parser.push(decoder.decode(value, { stream: true }))
      if (events.length > 0) yield events
    }
  } finally {
    // Tells the agent that nobody reads any more; the turn goes on there.
    await reader.cancel().catch(() => undefined)
  }
}

/** Every character is looked at once, however the network cuts: an agent that sends them one by one costs no more. */
class EventParser {
  /** Of the line that has not ended yet. */
  #open: string[] = []
  #openChars = 0
  #id = ''
  /** Of the event that has not ended yet. */
  #data: string[] = []
  #dataChars = 0
  /** The last character was `\r`: a `\n` right after it belongs to the same line end. */
  #afterReturn = false

  push(chunk: string): ServerSentEvent[] {
    const events: ServerSentEvent[] = []
    if (chunk === '') return events
    let start = this.#afterReturn && chunk.startsWith('\n') ? 1 : 0
    this.#afterReturn = chunk.endsWith('\r')
    for (let end = lineEnd(chunk, start); end >= 0; end = lineEnd(chunk, start)) {
      this.#line(this.#open.join('') + chunk.slice(start, end), events)
      this.#open = []
      this.#openChars = 0
      start = end + (chunk.startsWith('\r\n', end) ? 2 : 1)
    }
    if (start < chunk.length) this.#open.push(chunk.slice(start))
    this.#openChars += chunk.length - start
    if (this.#openChars + this.#dataChars > MAX_EVENT_CHARS) throw new EventStreamBroken('an event does not end')
    return events
  }

  #line(line: string, events: ServerSentEvent[]): void {
    if (line === '') {
      if (this.#data.length > 0) events.push({ id: this.#id, data: this.#data.join('\n') })
      this.#data = []
      this.#dataChars = 0
      return
    }
    const colon = line.indexOf(':')
    if (colon === 0) return // a comment
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line.startsWith(' ', colon + 1) ? colon + 2 : colon + 1)
    if (field === 'id') this.#id = value
    else if (field === 'data') {
      this.#data.push(value)
      // An empty line takes room too.
      this.#dataChars += value.length + 1
    }
  }
}

function lineEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 10 || code === 13) return at
  }
  return -1
}
