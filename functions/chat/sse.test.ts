import { describe, expect, test } from 'vitest'
import { EventStreamBroken, MAX_EVENT_CHARS, readEvents } from './sse.ts'

describe('readEvents', () => {
  test('reads ids and data', async () => {
    expect(await read('id: 1\ndata: a\n\nid: 2\ndata: b\n\n')).toEqual([
      { id: '1', data: 'a' },
      { id: '2', data: 'b' },
    ])
  })

  test('reads the same wherever the network cuts', async () => {
    const text = 'id: 1\r\ndata: grüß 🧩\r\ndata: twice\r\n\r\n: a comment\n\nid: 2\ndata: b\n\n'
    const whole = await read(text)
    const bytes = new TextEncoder().encode(text)
    for (let cut = 1; cut < bytes.length; cut++) {
      expect(await readChunks([bytes.slice(0, cut), bytes.slice(cut)])).toEqual(whole)
    }
    expect(whole).toEqual([
      { id: '1', data: 'grüß 🧩\ntwice' },
      { id: '2', data: 'b' },
    ])
  })

  test('leaves out an event that the stream did not finish', async () => {
    expect(await read('id: 1\ndata: a\n\nid: 2\ndata: half')).toEqual([{ id: '1', data: 'a' }])
  })

  test('gives the events of one read together', async () => {
    const batches = []
    for await (const batch of readEvents(streamOf([new TextEncoder().encode('data: a\n\ndata: b\n\n')])))
      batches.push(batch.length)
    expect(batches).toEqual([2])
  })

  test('gives up on an event that does not end', async () => {
    const chunk = new TextEncoder().encode('x'.repeat(1_000_000))
    const chunks = Array.from({ length: MAX_EVENT_CHARS / 1_000_000 + 1 }, () => chunk)
    await expect(readChunks(chunks)).rejects.toThrow(EventStreamBroken)
  })

  test('tells the sender when nobody reads any more', async () => {
    let cancelled = false
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new TextEncoder().encode('data: a\n\n')),
      cancel: () => {
        cancelled = true
      },
    })
    for await (const _ of readEvents(stream)) break
    expect(cancelled).toBe(true)
  })
})

function read(text: string) {
  return readChunks([new TextEncoder().encode(text)])
}

async function readChunks(chunks: Uint8Array[]) {
  const events = []
  for await (const batch of readEvents(streamOf(chunks))) events.push(...batch)
  return events
}

function streamOf(chunks: Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })
}
