import { describe, expect, test } from 'vitest'
import { Fuzzer } from '../../test/fuzz/fuzzer.ts'
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

  test('gives up on an event of empty lines without end', async () => {
    const chunk = new TextEncoder().encode('data\n'.repeat(200_000))
    await expect(readChunks(Array.from({ length: 50 }, () => chunk))).rejects.toThrow(EventStreamBroken)
  })

  test('reads a long line that comes in small pieces without looking at each again and again', async () => {
    const piece = new TextEncoder().encode('x'.repeat(32))
    const pieces = Array.from({ length: 200_000 }, () => piece)
    const [event] = await readChunks([new TextEncoder().encode('data:'), ...pieces, new TextEncoder().encode('\n\n')])
    expect(event?.data).toHaveLength(6_400_000)
  }, 20_000)

  test('reads any bytes, cut anywhere, the same as in one piece', async () => {
    const fuzzer = new Fuzzer(3)
    const parts = [
      'data',
      'id',
      ':',
      ' ',
      '\n',
      '\r',
      '\r\n',
      '\n\n',
      'data: {"type":"delta"}',
      '🧩',
      '\u0000',
      'event: x',
      ': y',
    ]
    for (let round = 0; round < 300; round++) {
      const text = Array.from({ length: 60 }, () => fuzzer.pick(parts)).join('')
      const bytes = fuzzer.mangleBytes(new TextEncoder().encode(text))
      expect(await readChunks(fuzzer.cut(bytes)), `round ${round}`).toEqual(await readChunks([bytes]))
    }
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

async function readChunks(chunks: readonly Uint8Array[]) {
  const events = []
  for await (const batch of readEvents(streamOf(chunks))) events.push(...batch)
  return events
}

function streamOf(chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })
}
