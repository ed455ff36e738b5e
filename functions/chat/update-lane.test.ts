import type { Message, Update } from 'grammy/types'
import { describe, expect, test } from 'vitest'
import type { ClassifyUpdate } from './handling.ts'
import { Inbox } from './inbox.ts'
import { fakeChatDatabase } from './testing/chat-database.fake.ts'
import { laneOf } from './update-lane.ts'

/** As in a group: what mentions us is meant. */
const classifyUpdate: ClassifyUpdate = ({ message }) => (message?.text?.startsWith('@bot') ? 'turn' : 'ignore')

const LONG = `@bot ${'word '.repeat(818)}x`

describe('a long paste in a group, cut by Telegram', () => {
  test('goes to the agent as a whole, although only its beginning mentions us', async () => {
    const chat = start()
    expect(await chat.comes(1, 42, LONG)).toBe('turn')
    chat.time += 300
    expect(await chat.comes(2, 42, 'and the rest of it'.repeat(240))).toBe('turn')
    chat.time += 300
    expect(await chat.comes(3, 42, 'and the end.')).toBe('turn')
    // That was the end: what is said next is said to the others.
    expect(await chat.comes(4, 42, 'Did you see that?')).toBeUndefined()
  })

  test('takes no words of somebody else along, nor what is said later, nor anything once it is asked', async () => {
    const chat = start()
    await chat.comes(1, 42, LONG)
    expect(await chat.comes(2, 43, 'What a wall of text')).toBeUndefined()
    expect(await chat.comes(6, 42, '/roll@another_bot')).toBeUndefined()
    chat.time += 10_000
    expect(await chat.comes(3, 42, 'Sorry')).toBeUndefined()
    await chat.comes(4, 42, LONG)
    chat.inbox.markDone([1, 4])
    expect(await chat.comes(5, 42, 'Sorry again')).toBeUndefined()
  })

  test('is none where the first message is short', async () => {
    const chat = start()
    await chat.comes(1, 42, '@bot hello')
    expect(await chat.comes(2, 42, 'hello to the others too')).toBeUndefined()
  })
})

function start() {
  const inbox = new Inbox(fakeChatDatabase())
  const chat = {
    inbox,
    time: 1_000_000,
    async comes(update_id: number, personId: number, text: string) {
      const from = { id: personId, is_bot: false, first_name: 'Ann' }
      const message = { message_id: update_id, date: 1, chat: { id: -55, type: 'supergroup', title: 'G' }, from, text }
      const update = { update_id, message: message as unknown as Message } as Update
      const lane = await laneOf(update, {
        inbox,
        classifyUpdate,
        classifyPorts: async () => ({}) as Parameters<ClassifyUpdate>[1],
        now: () => chat.time,
      })
      if (lane) inbox.add(update, lane, chat.time)
      return lane
    },
  }
  return chat
}
