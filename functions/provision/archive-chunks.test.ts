import { expect, test } from 'vitest'
import { Fuzzer, streamOf } from '../../test/fuzz/fuzzer.ts'
import { chunksOf } from './archive-chunks.ts'

test('a stream is cut into equal pieces and a rest, wherever the network has cut it, and loses nothing', async () => {
  const fuzzer = new Fuzzer(4)
  for (let length = 0; length < 200; length++) {
    const bytes = Uint8Array.from({ length }, (_, index) => index)
    const chunks = await Array.fromAsync(chunksOf(streamOf(fuzzer.cut(bytes)), 10))
    expect(chunks.flatMap((chunk) => [...chunk])).toEqual([...bytes])
    expect(chunks.length).toBe(Math.ceil(length / 10))
    expect(chunks.slice(0, -1).every((chunk) => chunk.length === 10)).toBe(true)
  }
})
