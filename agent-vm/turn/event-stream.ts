/**
 * A turn as server-sent events from a given id on: first what the journal has, then what happens. A reader may come at any
 * time, leave and come back, after a restart of the server too.
 */
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import type { Journal } from './journal.ts'
import { FIRST_EVENT_ID, type LoggedEvent } from './turn-log.ts'
import type { LiveTurn } from './turns.ts'

const TURN_EVENT_ID = FIRST_EVENT_ID - 1

export interface EventSource {
  readonly turnId: string
  readonly live: LiveTurn | undefined
  readonly journal: Pick<Journal, 'events'>
}

/**
 * Writes until the turn has ended or the reader has gone; never more than the reader takes.
 * @param afterId the last id the reader has; 0 for all
 */
export async function writeEvents(
  { turnId, live, journal }: EventSource,
  afterId: number,
  to: Writable,
): Promise<void> {
  const reader = new AbortController()
  to.once('close', () => reader.abort())
  let cursor = afterId
  const send = async (events: readonly LoggedEvent[]) => {
    cursor = events.at(-1)?.id ?? cursor
    const isTaken = to.write(events.map(({ id, data }) => `id: ${id}\ndata: ${data}\n\n`).join(''))
    if (!isTaken && !to.destroyed) await once(to, 'drain', { signal: reader.signal }).catch(() => undefined)
  }
  if (afterId < TURN_EVENT_ID)
    await send([{ id: TURN_EVENT_ID, data: JSON.stringify({ type: 'turn', turn_id: turnId }) }])
  if (!live?.log.isComplete) {
    const stored = journal.events(turnId, cursor)
    if (stored.length > 0) await send(stored)
  }
  while (!to.destroyed) {
    const events = live?.log.after(cursor) ?? []
    if (events.length > 0) await send(events)
    else if (!live || live.log.ended) return void to.end()
    else await live.log.changed(reader.signal)
  }
}
