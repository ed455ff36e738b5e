import { describe, expect, test } from 'vitest'
import { agentChatId, chatNameOf, parseChatName } from './chat-name.ts'

const BOT = 7_000_000_001
const group = { id: -100123, type: 'supergroup' }
const person = { id: 42, type: 'private' }

describe('chatNameOf', () => {
  test.each([
    ['a private message', { message: { chat: person } }, '7000000001:42'],
    ['a group message', { message: { chat: group } }, '7000000001:-100123'],
    [
      'a message in a topic',
      { message: { chat: group, message_thread_id: 5, is_topic_message: true } },
      '7000000001:-100123:5',
    ],
    ['a reply in a group without topics', { message: { chat: group, message_thread_id: 5 } }, '7000000001:-100123'],
    ['an edited message', { edited_message: { chat: person } }, '7000000001:42'],
    ['a button', { callback_query: { from: { id: 9 }, message: { chat: person } } }, '7000000001:42'],
    ['a button without its message', { callback_query: { from: { id: 9 } } }, '7000000001:9'],
    [
      'a stopped draft in a topic',
      { stopped_message_generation: { chat: person, message_thread_id: 3 } },
      '7000000001:42:3',
    ],
    ['being added', { my_chat_member: { chat: group } }, '7000000001:-100123'],
  ])('finds the chat of %s', (_, update, name) => {
    expect(chatNameOf({ update_id: 1, ...update }, BOT)).toBe(name)
  })

  test.each([
    ['an unknown kind', { shipping_query: { id: '1' } }],
    ['a channel post', { channel_post: { chat: { id: -1, type: 'channel' } } }],
    ['a message in a channel', { message: { chat: { id: -1, type: 'channel' } } }],
    ['a message that is no object', { message: 'hello' }],
    ['a chat without an id', { message: { chat: { type: 'private' } } }],
    ['a chat id that is text', { message: { chat: { id: '42', type: 'private' } } }],
  ])('finds none for %s', (_, update) => {
    expect(chatNameOf({ update_id: 1, ...update }, BOT)).toBeUndefined()
  })

  test.each([undefined, null, 1, 'text', []])('finds none for %s', (update) => {
    expect(chatNameOf(update, BOT)).toBeUndefined()
  })
})

describe('parseChatName', () => {
  test('takes names apart', () => {
    expect(parseChatName('7:-100:5')).toEqual({ name: '7:-100:5', botId: 7, chatId: -100, threadId: 5, kind: 'group' })
    expect(parseChatName('7:42')).toEqual({ name: '7:42', botId: 7, chatId: 42, kind: 'private' })
  })

  test('refuses what it did not make', () => {
    for (const name of ['', '7', '7:x', '7:1:2:3', 'a:1']) expect(() => parseChatName(name)).toThrow(TypeError)
  })
})

test('the agent knows the chat without the bot', () => {
  expect(agentChatId('7:42')).toBe('42')
  expect(agentChatId('7:-100:5')).toBe('-100:5')
})
