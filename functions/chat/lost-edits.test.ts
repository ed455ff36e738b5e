import { describe, expect, test } from 'vitest'
import { FALLBACK } from './outbox.ts'
import type { Outgoing } from './outgoing.ts'
import { edit, startOutbox } from './testing/outbox.fake.ts'
import { plainText } from './text/formatted-text.ts'

describe('an edit that an earlier one may overtake', () => {
  const finalSent = async () => {
    const chat = startOutbox()
    chat.say('preview', { ref: 'turn' })
    await chat.drain()
    chat.outbox.add('final', { ...edit('turn', 'The answer'), confirm: true } as Outgoing, chat.clock.now())
    expect(await chat.sendOne()).toBe('more')
    expect(chat.telegram.texts()).toEqual(['The answer'])
    return chat
  }

  test('is said once more, when the other can no longer be under way', async () => {
    const chat = await finalSent()
    const message = chat.telegram.messages.get(101)
    if (message) message.text = 'preview, and more'
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['The answer'])
    expect(chat.telegram.calls).toEqual(['sendMessage', 'editMessageText', 'editMessageText'])
  })

  test('stays as it is where it was not overtaken, and that is the end of it', async () => {
    const chat = await finalSent()
    await chat.drain()
    expect(chat.telegram.calls).toHaveLength(3)
    expect(chat.states()).toEqual(['sent', 'sent', 'sent'])
  })

  test('is known by the outbox itself, where both went through it', async () => {
    const chat = startOutbox()
    chat.say('10%', { ref: 'bar' })
    await chat.drain()
    chat.failOnce('editMessageText', { kind: 'unknown' })
    chat.outbox.add('e1', edit('bar', '90%'), chat.clock.now())
    await chat.sendOne()
    chat.outbox.add('e2', edit('bar', 'Ready'), chat.clock.now())
    while (chat.outbox.findByKey('e2')?.state !== 'sent')
      await chat.clock.advance(Number(await chat.sendOne()) ? 1_000 : 0)
    // Only now does the first one come.
    const message = chat.telegram.messages.get(101)
    if (message) message.text = '90%'
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['Ready'])
  })

  test('is said once where the one before was refused, or was the same', async () => {
    const chat = startOutbox()
    chat.say('10%', { ref: 'bar' })
    await chat.drain()
    chat.failOnce('editMessageText', { kind: 'retry_after', retryAfterMs: 1_000 })
    chat.outbox.add('e1', edit('bar', '90%'), chat.clock.now())
    await chat.drain()
    chat.failOnce('editMessageText', { kind: 'unknown', after: true })
    chat.outbox.add('e2', edit('bar', 'Ready'), chat.clock.now())
    await chat.drain()
    expect(chat.telegram.calls.filter((call) => call === 'editMessageText')).toHaveLength(4)
  })

  test('is said once more in the form that Telegram took', async () => {
    const chat = startOutbox()
    chat.say('preview', { ref: 'turn' })
    await chat.drain()
    chat.failOnce('editMessageText', { kind: 'refused' })
    const bold = { text: 'The answer', entities: [{ type: 'bold' as const, offset: 0, length: 3 }] }
    chat.outbox.add('final', { kind: 'edit', target: { ref: 'turn' }, text: bold, confirm: true }, chat.clock.now())
    await chat.drain()
    expect(chat.outbox.findByKey('final#confirm')).toMatchObject({ state: 'sent', fallbacks: FALLBACK.plainText })
  })

  test('does not bring back a message that somebody took away', async () => {
    const chat = await finalSent()
    chat.telegram.messages.clear()
    await chat.drain()
    expect(chat.telegram.texts()).toEqual([])
  })

  test('does not come over what is shown there by now', async () => {
    for (const target of [{ ref: 'turn' }, { messageId: 101 }]) {
      const chat = await finalSent()
      chat.outbox.add('newer', { kind: 'edit', target, text: plainText('Something else') }, chat.clock.now())
      await chat.drain()
      expect(chat.telegram.texts()).toEqual(['Something else'])
    }
  })

  test('holds up nothing that is said meanwhile', async () => {
    const chat = await finalSent()
    chat.say('next')
    expect(await chat.sendOne()).toBe('more')
    expect(chat.telegram.texts()).toEqual(['The answer', 'next'])
    await chat.drain()
    expect(chat.telegram.calls).toHaveLength(4)
  })
})
