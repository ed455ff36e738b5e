import type { Message } from 'grammy/types'
import { describe, expect, test } from 'vitest'
import { privateMessage } from './testing/messages.fake.ts'
import { FakeTelegram } from './testing/telegram-client.fake.ts'
import { prepareTurn } from './turn-preparation.ts'

const document = (file_id: string, fields: object = {}) => ({
  document: { file_id, file_unique_id: file_id, file_name: `${file_id}.txt`, ...fields },
})

describe('prepareTurn', () => {
  test('passes plain words on as they are', async () => {
    const { prepare } = start()
    expect(await prepare('hello', [privateMessage({ text: 'hello' })])).toMatchObject({
      message: 'hello',
      attachments: [],
    })
    expect(await prepare('introduce yourself', [])).toMatchObject({ message: 'introduce yourself' })
  })

  test('puts what was gathered into one message, each part with its context and files', async () => {
    const { prepare, stored } = start()
    const first = privateMessage({ message_id: 1, caption: 'look', ...document('a') } as Partial<Message>)
    const second = privateMessage({ message_id: 2, caption: 'and here', ...document('b') } as Partial<Message>)
    const prepared = await prepare('look', [first, second])
    expect(prepared.message).toBe('look\n\nand here')
    expect(prepared.attachments.map(({ path }) => path)).toEqual(['uploads/1-a.txt', 'uploads/2-b.txt'])
    expect([...stored.keys()]).toEqual(['uploads/1-a.txt', 'uploads/2-b.txt'])
  })

  test('keeps the files of a visitor in the visitor’s folder', async () => {
    const { prepare } = start()
    const message = privateMessage({ message_id: 1, ...document('a') } as Partial<Message>)
    const prepared = await prepare('', [message], 'visitor')
    expect(prepared.attachments[0]?.path).toBe('visitors/42/uploads/1-a.txt')
  })

  test('fetches what is answered, unless it came from the agent itself', async () => {
    const { prepare } = start()
    const theirs = privateMessage({ message_id: 1, ...document('a') } as Partial<Message>)
    const ours = { ...theirs, from: { id: 7, is_bot: true, first_name: 'Baal' } }
    const answer = (reply_to_message: Message) =>
      privateMessage({ message_id: 2, text: 'this?', reply_to_message } as Partial<Message>)
    expect((await prepare('this?', [answer(theirs)])).attachments.length).toBe(1)
    expect((await prepare('this?', [answer(ours as Message)])).attachments.length).toBe(0)
  })

  test('tells the agent and the person of files that are too large', async () => {
    const { prepare } = start()
    const message = privateMessage(document('a', { file_size: 30_000_000 }) as Partial<Message>)
    const prepared = await prepare('', [message])
    expect(prepared.message).toContain('larger than 20 MB')
    expect(prepared.problems).toEqual([{ name: 'a.txt', reason: 'too_large' }])
  })
})

function start() {
  const telegram = new FakeTelegram()
  for (const id of ['a', 'b']) telegram.downloads.set(id, `content of ${id}`)
  const stored = new Map<string, string>()
  const agent = {
    putFile: async (path: string, body: ReadableStream<Uint8Array>) => {
      stored.set(path, await new Response(body).text())
    },
  }
  const prepare = (message: string, sources: Message[], role: 'owner' | 'visitor' = 'owner') =>
    prepareTurn({ agentId: 'a', user: { id: 42, name: 'Ann', role }, message, sources }, [], { telegram, agent })
  return { prepare, stored }
}
