/** Whatever comes in under the name of an update: the handlers answer or ignore it, and never fail on it. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { chatNameOf } from './chat-name.ts'
import { chatOf, type FakeChat, groupOf } from './chat-window.fake.ts'
import { type FakeWorld, giveAgent, startFakeWorld } from './handling.fake.ts'
import { createRandom } from './text/corpus.fake.ts'
import { readNews } from './update-news.ts'
import { findMalformed } from './well-formed-update.ts'

const JUNK: readonly unknown[] = [
  null,
  0,
  -1,
  1e300,
  '',
  'x',
  '\ud800',
  [],
  [null],
  {},
  true,
  '🐙'.repeat(4_096),
  { id: 'x' },
  Number.MAX_SAFE_INTEGER,
]

let world: FakeWorld
beforeAll(async () => {
  world = await startFakeWorld()
})
afterAll(() => world.close())

/** One field, somewhere in it, is something else or gone. */
function spoil(value: unknown, random: (below: number) => number): unknown {
  if (typeof value !== 'object' || value === null || random(5) === 0) return JUNK[random(JUNK.length)]
  const entries = Object.entries(value)
  const at = random(Math.max(1, entries.length))
  const changed = entries.flatMap(([key, field], index): [string, unknown][] => {
    if (index !== at) return [[key, field]]
    return random(4) === 0 ? [] : [[key, spoil(field, random)]]
  })
  return Array.isArray(value) ? changed.map(([, field]) => field) : Object.fromEntries(changed)
}

function kindsOf(chat: FakeChat): object[] {
  const message = chat.message('@baal_bot /help hello')
  const file = { file_id: 'f', file_unique_id: 'u', file_size: 5, width: 1, height: 1, duration: 1 }
  const entities = [{ type: 'text_link', offset: 0, length: 3, url: 'https://example.org' }]
  const quoted = { ...message, message_id: 3, photo: [file] }
  return [
    { message: { ...message, entities, reply_to_message: quoted, quote: { text: 'q', position: 0, entities } } },
    { message: { ...message, text: undefined, caption: 'look', photo: [file, file], media_group_id: 'a' } },
    {
      message: {
        ...message,
        text: undefined,
        sticker: { ...file, emoji: '🐙' },
        contact: { first_name: 'A', phone_number: '1' },
      },
    },
    { message: { ...chat.message('/list@baal_bot'), message_thread_id: 7, is_topic_message: true } },
    { edited_message: { ...message, edit_date: message.date } },
    chat.pressed('c:list'),
    chat.pressed('steps:u-1-2'),
    { stopped_message_generation: { chat: message.chat, draft_id: 5 } },
    { my_chat_member: { chat: message.chat, from: message.from, new_chat_member: {}, old_chat_member: {} } },
  ]
}

test('a thousand spoiled updates are answered or ignored', async () => {
  const random = createRandom(4)
  const chats = [chatOf(world, { id: 70_001 }), groupOf(world, -70_002)]
  const agentId = await giveAgent(world, 70_001)
  await chats[0]?.receives(chats[0].pressed(`a:chat:${agentId}`))
  const failures: string[] = []
  let handled = 0
  for (let round = 0; round < 1_000; round++) {
    const chat = chats[round % 2]
    if (!chat) continue
    const kinds = kindsOf(chat)
    const update = { ...(spoil(kinds[random(kinds.length)], random) as object), update_id: 1_000_000 + round }
    try {
      // As the webhook and the chat object look at it before any handler does.
      chatNameOf(update, 7)
      if (findMalformed(update)) continue
      handled++
      readNews(update)
      await chat.receives(update as never)
    } catch (error) {
      failures.push(`${String(error)} of ${JSON.stringify(update).slice(0, 300)}`)
    }
  }
  expect(failures.slice(0, 5)).toEqual([])
  expect(handled).toBeGreaterThan(200)
  const [chat] = chats
  expect((await chat?.says('still there?'))?.turn).toBeDefined()
})

test('what Telegram sends is well formed, also of kinds nobody knows yet', () => {
  for (const chat of [chatOf(world, { id: 70_003 }), groupOf(world, -70_003)]) {
    const member = { old_chat_member: { status: 'left' }, new_chat_member: { status: 'member' } }
    for (const kind of kindsOf(chat)) {
      const whole =
        'my_chat_member' in kind ? { my_chat_member: { ...(kind.my_chat_member as object), ...member } } : kind
      expect(findMalformed({ update_id: 5, ...whole })).toBeUndefined()
    }
  }
  expect(findMalformed({ update_id: 5, widget_query: { id: 7 } })).toBeUndefined()
})
