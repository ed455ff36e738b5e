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

class EventParser {
  #rest = ''
  #id = ''
  #data: string[] = []
  #chars = 0

  push(chunk: string): ServerSentEvent[] {
    const events: ServerSentEvent[] = []
    const text = this.#rest + chunk
    let start = 0
    for (let end = lineEnd(text, start); end >= 0; end = lineEnd(text, start)) {
      this.#line(text.slice(start, end), events)
      start = end + (text.startsWith('\r\n', end) ? 2 : 1)
    }
    this.#rest = text.slice(start)
    if (this.#rest.length + this.#chars > MAX_EVENT_CHARS) throw new EventStreamBroken('an event does not end')
    return events
  }

  #line(line: string, events: ServerSentEvent[]): void {
    if (line === '') {
      if (this.#data.length > 0) events.push({ id: this.#id, data: this.#data.join('\n') })
      this.#data = []
      this.#chars = 0
      return
    }
    const colon = line.indexOf(':')
    if (colon === 0) return // a comment
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line.startsWith(' ', colon + 1) ? colon + 2 : colon + 1)
    if (field === 'id') this.#id = value
    else if (field === 'data') {
      this.#data.push(value)
      this.#chars += value.length
    }
  }
}

/** A `\r` at the very end may be half of `\r\n`: wait for what follows. */
function lineEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 10) return at
    if (code === 13) return at + 1 < text.length ? at : -1
  }
  return -1
}
