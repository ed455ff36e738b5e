import type { Message } from 'grammy/types'
import { describe, expect, test } from 'vitest'
import { contextOf } from './describe-message.ts'
import { privateMessage } from './testing/messages.fake.ts'
import { findMalformed } from './well-formed-update.ts'

const of = (fields: object) => contextOf(privateMessage(fields as Partial<Message>))
const bob = { id: 5, is_bot: false, first_name: 'Bob', last_name: 'Ray' }

describe('contextOf', () => {
  test('knows a forward from where it does not know yet', () => {
    const forward_origin = { type: 'cloud', date: 1, cloud: { name: 'Nine' } }
    expect(of({ text: 'hello', forward_origin })).toEqual(['[forwarded from somewhere]'])
    const message = privateMessage({ text: 'hello', forward_origin } as never)
    expect(findMalformed({ update_id: 1, message })).toBeUndefined()
    const broken = privateMessage({ text: 'hello', forward_origin: { type: 'user' } } as never)
    expect(findMalformed({ update_id: 1, message: broken })).toBeDefined()
  })

  test('adds nothing to plain words', () => {
    expect(of({ text: 'hello' })).toEqual([])
  })

  test('quotes what is answered, the chosen part of it if there is one', () => {
    const replied = privateMessage({ text: 'the whole text', from: bob } as Partial<Message>)
    expect(of({ reply_to_message: replied })).toEqual(['[in reply to the message of Bob Ray: “the whole text”]'])
    expect(of({ reply_to_message: replied, quote: { text: 'whole', position: 4 } })).toEqual([
      '[in reply to the message of Bob Ray: “whole”]',
    ])
  })

  test('tells the agent that its own message is answered, and what that carried', () => {
    const replied = privateMessage({
      caption: 'here',
      from: { ...bob, is_bot: true },
      document: { file_id: 'f', file_unique_id: 'u', file_name: 'plan.pdf' },
    } as Partial<Message>)
    expect(of({ reply_to_message: replied })).toEqual(['[in reply to your message with a document (plan.pdf): “here”]'])
  })

  test('quotes what is answered in another chat, and tells whose it was', () => {
    const external_reply = {
      origin: { type: 'user', sender_user: bob, date: 1 },
      location: { latitude: 1, longitude: 2 },
    }
    expect(of({ external_reply, quote: { text: 'there', position: 0 } })).toEqual([
      '[in reply to a message of Bob Ray in another chat with location: 1, 2: “there”]',
    ])
  })

  test('quotes a rich message of ours by its words', () => {
    const replied = privateMessage({
      from: { ...bob, is_bot: true },
      rich_message: { blocks: [{ type: 'paragraph', text: 'a table' }] },
    } as unknown as Partial<Message>)
    expect(of({ reply_to_message: replied })).toEqual(['[in reply to your message: “a table”]'])
  })

  test('does not take the opening of a topic for an answer', () => {
    const opening = { ...privateMessage(), forum_topic_created: { name: 'x', icon_color: 1 } }
    expect(of({ is_topic_message: true, reply_to_message: opening })).toEqual([])
  })

  test.each([
    [{ type: 'user', sender_user: bob, date: 1 }, 'Bob Ray'],
    [{ type: 'hidden_user', sender_user_name: 'Someone', date: 1 }, 'Someone'],
    [{ type: 'channel', chat: { id: -1, type: 'channel', title: 'News' }, message_id: 1, date: 1 }, 'News'],
    [{ type: 'chat', sender_chat: { id: -1, type: 'supergroup', title: 'Club' }, date: 1 }, 'Club'],
  ])('says where a forward comes from', (forward_origin, name) => {
    expect(of({ forward_origin })).toEqual([`[forwarded from ${name}]`])
  })

  test('tells places, contacts, polls, dice and stickers', () => {
    expect(of({ location: { latitude: 1.5, longitude: -2 } })).toEqual(['[location: 1.5, -2]'])
    expect(of({ contact: { first_name: 'Bob', phone_number: '+1' } })).toEqual(['[contact: Bob, +1]'])
    expect(of({ poll: { question: 'Tea?', options: [{ text: 'yes' }, { text: 'no' }] } })).toEqual([
      '[poll: Tea? – yes / no]',
    ])
    expect(of({ dice: { emoji: '🎲', value: 4 } })).toEqual(['[dice 🎲: 4]'])
    expect(of({ sticker: { emoji: '🐙', file_id: 'f', file_unique_id: 'u' } })).toEqual(['[sticker 🐙]'])
  })

  test('tells checklists, and what bots are not shown', () => {
    const tasks = [
      { id: 1, text: 'bread', completion_date: 1 },
      { id: 2, text: 'milk' },
    ]
    expect(of({ checklist: { title: 'Shop', tasks } })).toEqual(['[checklist: Shop – ☑ bread / ☐ milk]'])
    expect(of({ story: { chat: { id: 1, type: 'private', first_name: 'A' }, id: 1 } })).toEqual([
      '[a story, which Telegram does not show to bots]',
    ])
  })

  test('shortens a quote that is a book', () => {
    const [line] = of({ reply_to_message: privateMessage({ text: '🐙'.repeat(50_000) }) })
    expect(line?.length).toBeLessThan(2_100)
    expect(line?.isWellFormed()).toBe(true)
  })
})
