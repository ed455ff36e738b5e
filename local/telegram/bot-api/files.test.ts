import { createHash, randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { InputFile } from 'grammy'
import type { Message } from 'grammy/types'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ALICE } from '../start-telegram.ts'
import { refusal, startWithAlice, type TestBot, TOKEN } from '../test-bot.ts'

/** 2 by 1 pixels. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAYAAAD0In+KAAAAEUlEQVR4nGP4z8DwHwyBNBAAADv3BfkXbMOXAAAAAElFTkSuQmCC',
  'base64',
)

let bot: TestBot
beforeEach(async () => {
  bot = await startWithAlice()
})
afterEach(() => bot.close())

const download = async (fileId: string) => {
  const { file_path } = await bot.api.getFile(fileId)
  return Buffer.from(await (await fetch(`${bot.url}/file/bot${TOKEN}/${file_path}`)).arrayBuffer())
}

describe('files from the bot', () => {
  test.each([
    ['bytes', (data: Buffer) => new InputFile(data, 'a.bin')],
    ['a stream', (data: Buffer) => new InputFile(new Blob([new Uint8Array(data)]).stream(), 'a.bin')],
  ])('arrive whole when sent as %s', async (_, make) => {
    const data = randomBytes(3_000_001)
    const { document } = await bot.api.sendDocument(ALICE, make(data), { caption: '*x*', parse_mode: 'MarkdownV2' })
    expect(document).toMatchObject({ file_name: 'a.bin', file_size: data.length })
    const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
    expect(digest(await download(document.file_id))).toBe(digest(data))
    expect(bot.sim.botMessages(ALICE)[0]?.caption_entities).toEqual([{ type: 'bold', offset: 0, length: 1 }])
  })

  test('may come as a part named like the parameter', async () => {
    const form = new FormData()
    form.set('chat_id', String(ALICE))
    form.set('document', new File(['hello'], 'quo"te.txt', { type: 'text/plain' }))
    const answer = await fetch(`${bot.url}/bot${TOKEN}/sendDocument`, { method: 'POST', body: form })
    expect(await answer.json()).toMatchObject({
      result: { document: { file_name: 'quo"te.txt', mime_type: 'text/plain' } },
    })
  })

  test('may be sent again by their id, as what they are', async () => {
    const { document } = await bot.api.sendDocument(ALICE, new InputFile(Buffer.from('x'), 'a.txt'))
    expect((await bot.api.sendDocument(ALICE, document.file_id)).document.file_id).toBe(document.file_id)
    expect(await refusal(bot.api.sendPhoto(ALICE, document.file_id))).toBe(
      "Bad Request: can't use file of type Document as Photo",
    )
    expect(await refusal(bot.api.sendDocument(ALICE, 'nonsense'))).toBe(
      'Bad Request: wrong file identifier/HTTP URL specified',
    )
    expect(await refusal(bot.api.getFile('nonsense'))).toBe('Bad Request: invalid file_id')
  })

  test('are refused when empty, when too large or with a long caption', async () => {
    expect(await refusal(bot.api.sendDocument(ALICE, new InputFile(Buffer.alloc(0), 'a')))).toBe(
      'Bad Request: file must be non-empty',
    )
    const long = { caption: 'x'.repeat(1025) }
    expect(await refusal(bot.api.sendDocument(ALICE, new InputFile(Buffer.from('x'), 'a'), long))).toBe(
      'Bad Request: message caption is too long',
    )
    const huge = new Uint8Array(50 * 1024 * 1024 + 1)
    const form = new FormData()
    form.set('chat_id', String(ALICE))
    form.set('document', new File([huge], 'huge'))
    const answer = await fetch(`${bot.url}/bot${TOKEN}/sendDocument`, { method: 'POST', body: form }).then(
      (response) => response.status,
      () => 413, // the connection may end before all of it was sent
    )
    expect(answer).toBe(413)
    expect(bot.sim.botMessages(ALICE)).toEqual([])
  })

  test('leave nothing behind when refused', async () => {
    await refusal(bot.api.sendDocument(42, new InputFile(Buffer.from('x'), 'a')))
    expect(await readdir(join(bot.sim.world.files.folder, 'uploads'))).toEqual([])
  })

  test('photos must be pictures and have their size', async () => {
    const { photo } = await bot.api.sendPhoto(ALICE, new InputFile(PNG, 'a.png'))
    expect(photo.at(-1)).toMatchObject({ width: 2, height: 1 })
    expect(await refusal(bot.api.sendPhoto(ALICE, new InputFile(Buffer.from('text'), 'a.png')))).toBe(
      'Bad Request: IMAGE_PROCESS_FAILED',
    )
    expect(await refusal(bot.api.sendPhoto(ALICE, new InputFile(Buffer.alloc(10 * 1024 * 1024 + 1, 1), 'a.png')))).toBe(
      'Bad Request: file is too big',
    )
  })

  test('go as an album of two to ten of a kind', async () => {
    const photo = () => ({ type: 'photo' as const, media: new InputFile(PNG, 'a.png') })
    const [first, second]: Message[] = await bot.api.sendMediaGroup(ALICE, [{ ...photo(), caption: 'both' }, photo()])
    expect(first?.media_group_id).toBe(second?.media_group_id)
    expect(await refusal(bot.api.sendMediaGroup(ALICE, [photo()]))).toMatch(/too few/)
    const text = { type: 'document' as const, media: new InputFile(Buffer.from('x'), 'a.txt') }
    expect(await refusal(bot.api.sendMediaGroup(ALICE, [photo(), text] as never))).toBe(
      "Bad Request: can't use the media of the specified type in the album",
    )
  })

  test('are not fetched from other machines', async () => {
    expect(await refusal(bot.api.sendDocument(ALICE, 'https://example.org/a.pdf'))).toBe(
      'Bad Request: failed to get HTTP URL content',
    )
  })
})

describe('files from people', () => {
  test('come with their sizes and can be downloaded up to 20 MB', async () => {
    const { document } = await bot.sim.sendFile({ from: ALICE }, Buffer.from('hello'), {
      kind: 'document',
      name: 'a.md',
    })
    expect(document).toMatchObject({ file_name: 'a.md', mime_type: 'text/markdown', file_size: 5 })
    expect((await download(document?.file_id ?? '')).toString()).toBe('hello')
    const big = await bot.sim.sendFile({ from: ALICE }, Buffer.alloc(20 * 1024 * 1024 + 1), {
      kind: 'document',
      name: 'b',
    })
    expect(await refusal(bot.api.getFile(big.document?.file_id ?? ''))).toBe('Bad Request: file is too big')
  })

  test('need the token to be downloaded', async () => {
    const { document } = await bot.sim.sendFile({ from: ALICE }, Buffer.from('hello'), { kind: 'document' })
    const { file_path } = await bot.api.getFile(document?.file_id ?? '')
    expect((await fetch(`${bot.url}/file/bot1:wrong/${file_path}`)).status).toBe(401)
    expect((await fetch(`${bot.url}/file/bot${TOKEN}/../telegram.db`)).status).toBe(404)
  })
})
