import { describe, expect, test } from 'vitest'
import { readMultipart } from './multipart.ts'

const BODY = [
  '--XX',
  'Content-Disposition: form-data; name="a"',
  '',
  'one\r\n--X not a boundary\r\n--XY',
  '--XX',
  'content-disposition: form-data; name="f"; filename="a b.txt"',
  'Content-Type: text/plain',
  '',
  '',
  '--XX--',
  'epilogue',
].join('\r\n')

async function read(body: string, chunkSize: number) {
  async function* chunks() {
    const bytes = Buffer.from(body)
    for (let at = 0; at < bytes.length; at += chunkSize) yield bytes.subarray(at, at + chunkSize)
  }
  const parts: object[] = []
  for await (const { body: content, ...part } of readMultipart(chunks(), 'XX')) {
    let text = ''
    for await (const chunk of content) text += chunk.toString()
    parts.push({ ...part, text })
  }
  return parts
}

describe('a multipart body', () => {
  test.each([1, 2, 3, 7, 1000])('is read the same in pieces of %i bytes', async (size) => {
    expect(await read(BODY, size)).toEqual([
      { name: 'a', text: 'one\r\n--X not a boundary\r\n--XY' },
      { name: 'f', filename: 'a b.txt', contentType: 'text/plain', text: '' },
    ])
  })

  test('that ends too early is an error, not a short file', async () => {
    await expect(read(BODY.slice(0, -20), 5)).rejects.toThrow('ends inside a part')
  })

  test('without names or with endless headers is an error', async () => {
    await expect(read('--XX\r\nContent-Type: text/plain\r\n\r\nx\r\n--XX--', 9)).rejects.toThrow('without a name')
    await expect(read(`--XX\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 999)).rejects.toThrow('headers too long')
  })

  test('may have parts whose content nobody reads', async () => {
    const names: string[] = []
    async function* chunks() {
      yield Buffer.from(BODY)
    }
    for await (const { name } of readMultipart(chunks(), 'XX')) names.push(name)
    expect(names).toEqual(['a', 'f'])
  })
})
