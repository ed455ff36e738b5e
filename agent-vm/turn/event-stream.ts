/**
 * A turn as server-sent events from a given id on: first what the journal has, then what happens. A reader may come at any
 * time, leave and come back, after a restart of the server too.
 */
import type { Journal } from './journal.ts'
import { FIRST_EVENT_ID, type LoggedEvent } from './turn-log.ts'
import type { LiveTurn } from './turns.ts'

const encoder = new TextEncoder()
const TURN_EVENT_ID = FIRST_EVENT_ID - 1

export interface EventSource {
  readonly turnId: string
  readonly live: LiveTurn | undefined
  readonly journal: Pick<Journal, 'events'>
}

/** @param afterId the last id the reader has; 0 for all */
export function openEventStream({ turnId, live, journal }: EventSource, afterId: number): ReadableStream<Uint8Array> {
  const reader = new AbortController()
  let cursor = afterId
  let isCaughtUp = live?.log.isComplete ?? false
  const send = (controller: ReadableStreamDefaultController<Uint8Array>, events: readonly LoggedEvent[]) => {
    cursor = events.at(-1)?.id ?? cursor
    controller.enqueue(encoder.encode(events.map(({ id, data }) => `id: ${id}\ndata: ${data}\n\n`).join('')))
  }
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        if (afterId >= TURN_EVENT_ID) return
        send(controller, [{ id: TURN_EVENT_ID, data: JSON.stringify({ type: 'turn', turn_id: turnId }) }])
      },
      async pull(controller) {
        if (!isCaughtUp) {
          isCaughtUp = true
          const stored = journal.events(turnId, cursor)
          if (stored.length > 0) return send(controller, stored)
        }
        for (;;) {
          const events = live?.log.after(cursor) ?? []
          if (events.length > 0) return send(controller, events)
          if (!live || live.log.ended || reader.signal.aborted) return controller.close()
          await live.log.changed(reader.signal)
        }
      },
      cancel: () => reader.abort(),
    },
    { highWaterMark: 1 },
  )
}
