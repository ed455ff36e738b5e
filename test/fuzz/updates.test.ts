/** Updates of every shape, through all that looks at one: each is handled, refused or given up, and the chat goes on. */

import type { Update } from 'grammy/types'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chatNameOf, parseChatName } from '../../functions/chat/chat-name.ts'
import { chatOf, type FakeChat } from '../../functions/chat/chat-window.fake.ts'
import { gather, mergeUpdates } from '../../functions/chat/gathering.ts'
import { type FakeWorld, giveAgent, startFakeWorld } from '../../functions/chat/handling.fake.ts'
import { isStopSignal } from '../../functions/chat/stop-signal.ts'
import { readNews } from '../../functions/chat/update-news.ts'
import { findMalformed } from '../../functions/chat/well-formed-update.ts'
import { Fuzzer } from './fuzzer.ts'

const PERSON = { id: 77, is_bot: false, first_name: 'Ann', language_code: 'en' }
const CHAT = { id: 77, type: 'private', first_name: 'Ann' }
const file = {
  file_id: 'f',
  file_unique_id: 'u',
  file_size: 5,
  width: 1,
  height: 1,
  mime_type: 'x/y',
  file_name: 'a.txt',
}
const message = { message_id: 5, date: 1, chat: CHAT, from: PERSON }
const SHAPES: readonly Record<string, unknown>[] = [
  { message: { ...message, text: 'hello', entities: [{ type: 'bold', offset: 0, length: 2 }] } },
  { message: { ...message, text: '/share@baal_bot x', entities: [{ type: 'bot_command', offset: 0, length: 15 }] } },
  { message: { ...message, text: '/create', entities: [{ type: 'bot_command', offset: 0, length: 7 }] } },
  { message: { ...message, text: '/start abc', entities: [{ type: 'bot_command', offset: 0, length: 6 }] } },
  {
    message: {
      ...message,
      caption: 'look',
      photo: [file, file],
      media_group_id: 'g',
      forward_origin: { type: 'user' },
    },
  },
  { message: { ...message, sticker: { ...file, is_animated: false, is_video: true }, reply_to_message: message } },
  { message: { ...message, migrate_to_chat_id: -100, message_thread_id: 4, is_topic_message: true } },
  { edited_message: { ...message, text: 'changed', edit_date: 2 } },
  { callback_query: { id: 'q', from: PERSON, chat_instance: 'c', message, data: 'a:card:0123456789abcdef' } },
  { callback_query: { id: 'q', from: PERSON, chat_instance: 'c', data: 'w1:x' } },
  {
    my_chat_member: {
      chat: CHAT,
      from: PERSON,
      date: 1,
      old_chat_member: { status: 'left' },
      new_chat_member: { status: 'kicked' },
    },
  },
  { stopped_message_generation: { chat: CHAT, draft_id: 3 } },
]

let world: FakeWorld
beforeAll(async () => {
  world = await startFakeWorld()
  await giveAgent(world, PERSON.id)
})
afterAll(() => world.close())

test('what delivery reads of an update on its own never throws', () => {
  const fuzzer = new Fuzzer(21)
  for (let round = 0; round < 5_000; round++) {
    const update = { update_id: round, ...Object(fuzzer.mangleJson(fuzzer.pick(SHAPES))) } as Update
    const name = chatNameOf(update, 7000)
    if (name === undefined) continue
    expect(parseChatName(name).botId).toBe(7000)
    readNews(update)
    isStopSignal(update)
    // Only what is well-formed goes on into the inbox.
    if (findMalformed(update) !== undefined) continue
    const items = [0, 1].map((updateId) => ({ updateId, update, receivedAt: 1, attempts: 0, nextAt: 0 }))
    const gathered = gather(items)
    if (gathered) mergeUpdates(gathered.items)
  }
})

describe('what Baal makes of an update', () => {
  test('ends, whatever it holds; the chat answers afterwards', async () => {
    const fuzzer = new Fuzzer(22)
    const chat = chatOf(world, { id: PERSON.id, name: 'Ann' })
    let failed = 0
    for (let round = 0; round < 250; round++) {
      const content = fuzzer.mangleJson(fuzzer.pick(SHAPES)) as object
      const update = { ...content, update_id: world.nextUpdateId() } as Update
      if (chatNameOf(update, 7000) === undefined) continue
      // An error is given up after five tries, with a line to the person: `intake.ts`.
      await chat.receives(update).catch((error: unknown) => {
        expect(error).toBeInstanceOf(Error)
        failed += 1
      })
    }
    expect(failed).toBeLessThan(125)
    await expectAnswer(chat)
  })

  test('is a word at most for the data of any button', async () => {
    const fuzzer = new Fuzzer(23)
    const chat = chatOf(world, { id: PERSON.id, name: 'Ann' })
    const parts = [
      'a',
      'w1',
      'l',
      'm',
      'model',
      'lang',
      'tz',
      'x',
      'c',
      'stop',
      'resend',
      'delete!',
      ':',
      ':',
      ':',
      '-1',
      '0',
      '9'.repeat(20),
      '0123456789abcdef',
      '\0',
      '🧩',
      '../',
      '%',
      '\n',
    ]
    for (let round = 0; round < 250; round++) {
      const data = Array.from({ length: 1 + fuzzer.int(8) }, () => fuzzer.pick(parts))
        .join('')
        .slice(0, 64)
      await chat.receives(chat.pressed(data))
    }
    await expectAnswer(chat)
  })
})

async function expectAnswer(chat: FakeChat): Promise<void> {
  await chat.says('/help')
  // The question of a menu that chance has opened stands again below.
  const lately = chat.messages.slice(-2).map(({ text }) => text)
  expect(lately.join('\n')).toContain('What I can do')
}
