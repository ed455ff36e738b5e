import type { Message } from 'grammy/types'
import { describe, expect, test } from 'vitest'
import { contextOf } from '../describe-message.ts'
import { privateMessage } from '../testing/messages.fake.ts'
import { contentOf } from './message-content.ts'

describe('contentOf', () => {
  test.each([
    ['a place', { location: { latitude: 1, longitude: 2 } }],
    ['a story', { story: { id: 1, chat: { id: 1, type: 'private' } } }],
    ['media that are to be paid for', { paid_media: { star_count: 1, paid_media: [] } }],
  ])('hears %s without words, which the agent is told of', (_, cargo) => {
    const message = privateMessage(cargo as Partial<Message>)
    expect(contextOf(message)).toHaveLength(1)
    expect(contentOf(message, { username: 'baal_bot' })).toBe('')
  })

  test('hears nothing in a service message', () => {
    expect(
      contentOf(privateMessage({ new_chat_title: 'x' } as Partial<Message>), { username: 'baal_bot' }),
    ).toBeUndefined()
  })
})
