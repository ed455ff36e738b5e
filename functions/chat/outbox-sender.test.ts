import { describe, expect, test } from 'vitest'
import { AgentRefused, AgentUnreachable } from './agent-client.ts'
import { ChatBudget } from './chat-budget.ts'
import { deliveryWords } from './delivery-words.ts'
import { FALLBACK, KEPT_AFTER_END_MS, Outbox } from './outbox.ts'
import { OutboxSender } from './outbox-sender.ts'
import type { Outgoing } from './outgoing.ts'
import { fakeChatDatabase } from './testing/chat-database.fake.ts'
import { FakeClock } from './testing/clock.fake.ts'
import { FakeTelegram, type Fault } from './testing/telegram-client.fake.ts'
import { plainText } from './text/formatted-text.ts'

describe('OutboxSender', () => {
  test('sends rows in order and keeps their ids', async () => {
    const chat = start()
    chat.say('one', { ref: 'first' })
    chat.say('two')
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['one', 'two'])
    expect(chat.outbox.resolve({ ref: 'first' })).toBe(101)
  })

  test('adds a row once, however often its cause is handled', async () => {
    const chat = start()
    chat.outbox.add('same', text('once'), 0)
    chat.outbox.add('same', text('once'), 0)
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['once'])
  })

  test('adds an edit once, however often its cause is handled', async () => {
    const chat = start()
    chat.say('10%', { ref: 'bar' })
    chat.outbox.add('same', edit('bar', '20%'), 0)
    chat.outbox.add('same', edit('bar', '20%'), 0)
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['20%'])
  })

  test('edits by name, and leaves out edits that a newer one replaces', async () => {
    const chat = start()
    chat.say('10%', { ref: 'bar' })
    chat.outbox.add('e1', edit('bar', '20%'), 0)
    chat.outbox.add('e2', edit('bar', '90%'), 0)
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['90%'])
    expect(chat.telegram.calls).toEqual(['sendMessage', 'editMessageText'])
  })

  test('sends anew what cannot be edited any more, under the same name', async () => {
    const chat = start()
    chat.say('old', { ref: 'bar' })
    await chat.drain()
    chat.telegram.messages.clear()
    chat.outbox.add('e', edit('bar', 'new'), 0)
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['new'])
    expect(chat.outbox.resolve({ ref: 'bar' })).toBe(102)
  })

  test('sends an edit as a message when what it names never was sent', async () => {
    const chat = start()
    chat.outbox.add('e', edit('nowhere', 'hello'), 0)
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['hello'])
  })

  test('takes "not modified" for success', async () => {
    const chat = start()
    chat.say('same', { ref: 'bar' })
    chat.outbox.add('e', edit('bar', 'same'), 0)
    await chat.drain()
    expect(chat.states()).toEqual(['sent', 'sent'])
  })
})

describe('an edit that an earlier one may overtake', () => {
  const finalSent = async () => {
    const chat = start()
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
    const chat = start()
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
    const chat = start()
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
    const chat = start()
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

test('a preview that Telegram does not take is left out, without a line about it: the answer is still to come', async () => {
  const chat = start()
  chat.failTimes('sendMessage', 3, { kind: 'refused' })
  chat.outbox.add('p', { kind: 'send', ref: 'turn', disposable: true, text: plainText('Half an ans') }, 0)
  await chat.drain()
  expect(chat.telegram.texts()).toEqual([])
  chat.outbox.add('final', edit('turn', 'The answer'), 0)
  await chat.drain()
  expect(chat.telegram.texts()).toEqual(['The answer'])
})

test('a topic that may not be named keeps its name, without a second try', async () => {
  const chat = start()
  chat.failTimes('editForumTopic', 9, { kind: 'refused' })
  chat.outbox.add('n', { kind: 'name_topic', name: 'Plan a trip' }, 0)
  await chat.drain()
  expect(chat.telegram.calls).toEqual(['editForumTopic'])
})

test('an edit that a newer one replaced is forgotten like one that was sent', async () => {
  const chat = start()
  chat.say('10%', { ref: 'bar' })
  chat.outbox.add('e1', edit('bar', '20%'), chat.clock.now())
  chat.outbox.add('e2', edit('bar', '90%'), chat.clock.now())
  await chat.drain()
  chat.outbox.prune(chat.clock.now() + KEPT_AFTER_END_MS + 1)
  expect([1, 2, 3].map((seq) => chat.outbox.find(seq)?.action)).toEqual([undefined, undefined, undefined])
})

test('names of messages are forgotten with the messages', async () => {
  const chat = start()
  chat.say('question', { ref: 'wizard:1' })
  await chat.drain()
  await chat.clock.advance(KEPT_AFTER_END_MS + 1)
  chat.say('question', { ref: 'wizard:2' })
  await chat.drain()
  chat.outbox.prune(chat.clock.now())
  expect(chat.outbox.resolve({ ref: 'wizard:1' })).toBeUndefined()
  expect(chat.outbox.resolve({ ref: 'wizard:2' })).toBe(102)
  expect(chat.outbox.lastSeen()).toBe(102)
})

test('a topic gets its name, and losing that call repeats it', async () => {
  const chat = start()
  chat.failOnce('editForumTopic', { kind: 'unknown', after: true })
  chat.outbox.add('n', { kind: 'name_topic', name: 'Plan a trip' }, 0)
  await chat.drain()
  expect(chat.telegram.topicNames).toEqual(['Plan a trip', 'Plan a trip'])
  expect(chat.states()).toEqual(['sent'])
})

test('a menu of commands is set, and losing that call repeats it', async () => {
  const chat = start()
  chat.failOnce('setMyCommands', { kind: 'unknown', after: true })
  chat.outbox.add('m', { kind: 'offer_commands', commands: [{ command: 'pool', description: 'Pool' }] }, 0)
  await chat.drain()
  expect(chat.telegram.menus).toEqual([['pool'], ['pool']])
  expect(chat.states()).toEqual(['sent'])
})

describe('a rich message', () => {
  const blocks = [{ type: 'paragraph', text: 'one and two' }] as const
  const parts = (chat: ReturnType<typeof start>) => {
    chat.outbox.add('f0', { kind: 'send', ref: 'turn', text: plainText('one'), rich: { blocks } }, 0)
    chat.outbox.add('f1', { kind: 'send', text: plainText('two'), insteadOfRich: 'turn' }, 0)
    chat.outbox.add('f2', { kind: 'document', name: 'a.md', content: 'x', insteadOfRich: 'turn' }, 0)
    chat.say('next')
  }

  test('holds what else would follow it as text', async () => {
    const chat = start()
    parts(chat)
    await chat.drain()
    expect(chat.telegram.calls).toEqual(['sendRichMessage', 'sendMessage'])
    expect(chat.states()).toEqual(['sent', 'dropped', 'dropped', 'sent'])
  })

  test('that Telegram refuses is sent as text, with all that follows, in order', async () => {
    const chat = start()
    chat.telegram.fail = (method) => (method === 'sendRichMessage' ? { kind: 'refused' } : undefined)
    parts(chat)
    await chat.drain()
    expect(chat.telegram.calls).toEqual([
      'sendRichMessage',
      'sendMessage',
      'sendMessage',
      'sendDocument',
      'sendMessage',
    ])
    expect(chat.telegram.texts()).toEqual(['one', 'two', '', 'next'])
  })

  test('whose answer was lost is found, and nothing of it is sent again', async () => {
    const chat = start()
    chat.say('before')
    let lost = false
    chat.telegram.fail = (method) => {
      if (method !== 'sendRichMessage' || lost) return undefined
      lost = true
      return { kind: 'unknown', after: true }
    }
    parts(chat)
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['before', 'one', 'next'])
    expect(chat.telegram.messages.get(102)?.rich).toEqual({ blocks })
  })

  test('takes the place of a preview by an edit', async () => {
    const chat = start()
    chat.say('preview', { ref: 'turn' })
    chat.outbox.add('f', { kind: 'edit', target: { ref: 'turn' }, text: plainText('one'), rich: { blocks } }, 0)
    chat.outbox.add('f1', { kind: 'send', text: plainText('two'), insteadOfRich: 'turn' }, 0)
    await chat.drain()
    expect(chat.telegram.messages.get(101)?.rich).toEqual({ blocks })
    expect(chat.telegram.texts()).toEqual(['one'])
  })
})

describe('a send whose answer was lost', () => {
  test('is found, and not sent again', async () => {
    const chat = start()
    chat.failOnce('sendMessage', { kind: 'unknown', after: true })
    chat.say('final')
    chat.say('next')
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['final', 'next'])
  })

  test('is sent again once it is sure that it did not arrive', async () => {
    const chat = start()
    chat.failOnce('sendMessage', { kind: 'unknown' })
    chat.say('final')
    chat.say('next')
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['final', 'next'])
  })

  test('is looked for only after Telegram had time to do what it was told', async () => {
    const chat = start()
    chat.failOnce('sendMessage', { kind: 'unknown' })
    chat.say('final')
    await chat.sender.step()
    expect(await chat.sender.step()).toBe(chat.clock.now() + 2_000)
  })

  test('is found behind messages that others wrote meanwhile', async () => {
    const chat = start()
    chat.failOnce('sendMessage', { kind: 'unknown', after: true })
    chat.telegram.lastId += 8
    chat.say('final')
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['final'])
    expect(chat.states()).toEqual(['sent'])
  })

  test('is offered again when too much happened elsewhere to be sure', async () => {
    const chat = start()
    chat.failOnce('sendMessage', { kind: 'unknown' })
    chat.telegram.lastId += 500
    chat.say('final')
    chat.say('next')
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['I could not make sure that this reached you: “final”', 'next'])
    expect(chat.states()).toEqual(['unsure', 'sent'])
  })

  test('that carried a file is sent again once it is sure that it did not arrive', async () => {
    const chat = start()
    chat.files.set('a.txt', 'x')
    chat.failOnce('sendDocument', { kind: 'unknown' })
    chat.outbox.add('f', file('a.txt'), 0)
    await chat.drain()
    expect([...chat.telegram.messages.values()].map(({ upload }) => upload?.name)).toEqual(['a.txt'])
  })

  test('is looked for again when Telegram does not answer the question either', async () => {
    const chat = start()
    chat.failOnce('sendMessage', { kind: 'unknown', after: true })
    chat.failOnce('editMessageText', { kind: 'unknown' })
    chat.say('final')
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['final'])
    expect(chat.states()).toEqual(['sent'])
  })

  test('is looked for after a crash in the middle of the call', async () => {
    const chat = start()
    chat.say('final')
    const row = chat.outbox.next()
    chat.outbox.markSending(row?.seq ?? 0)
    await chat.telegram.sendText({ chatId: 42 }, plainText('final'), {})
    chat.outbox.recover(chat.clock.now() + 2_000)
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['final'])
  })

  test('never touches another message of ours', async () => {
    const chat = start()
    chat.say('before')
    await chat.drain()
    chat.failOnce('sendMessage', { kind: 'unknown' })
    chat.say('final')
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['before', 'final'])
  })

  test('is offered again where nobody can look: other objects send into the same chat', async () => {
    const chat = start({ mayProbe: false })
    chat.failOnce('sendMessage', { kind: 'unknown', after: true })
    chat.say('final')
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['final', 'I could not make sure that this reached you: “final”'])
    const button = [...chat.telegram.messages.values()].at(-1)?.keyboard?.[0]?.[0]
    expect(button).toMatchObject({ callback_data: 'resend:1' })
    expect(chat.states()).toEqual(['unsure'])
    // The person looks, does not find it, and asks for it: the line becomes the message.
    expect(chat.outbox.wantAgain(1, chat.clock.now())).toBe(true)
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['final', 'final'])
    expect(chat.outbox.wantAgain(1, chat.clock.now())).toBe(false)
  })

  test('is sent again at the person’s wish after days too', async () => {
    const chat = start({ mayProbe: false })
    chat.failOnce('sendMessage', { kind: 'unknown' })
    chat.say('final')
    await chat.drain()
    await chat.clock.advance(2 * 86_400_000)
    expect(chat.outbox.wantAgain(1, chat.clock.now())).toBe(true)
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['final'])
    expect(chat.states()).toEqual(['sent'])
  })

  test('is looked for once more before it is sent again at the person’s wish', async () => {
    const chat = start()
    chat.failOnce('sendMessage', { kind: 'unknown', after: true })
    chat.failOnce('editMessageText', { kind: 'unknown' })
    chat.say('final')
    await chat.sender.step()
    await chat.clock.advance(2_000)
    // Telegram does not answer the question; the person is faster than the next try.
    await chat.sender.step()
    chat.outbox.markLine(1, 200)
    expect(chat.outbox.wantAgain(1, chat.clock.now())).toBe(true)
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['final'])
    expect(chat.states()).toEqual(['sent'])
  })

  test('is looked for later when the run ends before there was time', async () => {
    const chat = start()
    chat.failOnce('sendMessage', { kind: 'unknown' })
    chat.say('final')
    await chat.sender.step()
    await chat.clock.advance(2_000)
    const over = new AbortController()
    const waiting = chat.sender.step(over.signal)
    over.abort()
    await waiting
    expect(chat.states()).toEqual(['unknown'])
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['final'])
  })

  test('never takes the line about another message for itself', async () => {
    const chat = start()
    chat.failOnce('sendMessage', { kind: 'unknown' })
    chat.outbox.add('q', { ...text('Which name?'), askReply: { placeholder: 'Name' } } as Outgoing, 0)
    await chat.drain()
    const line = chat.telegram.texts()
    chat.failOnce('sendMessage', { kind: 'unknown' })
    chat.say('final')
    await chat.drain()
    expect(chat.telegram.texts()).toEqual([...line, 'final'])
    expect(chat.states()).toEqual(['unsure', 'sent'])
  })

  test('is left as it is when it was but a preview', async () => {
    const chat = start({ mayProbe: false })
    chat.failOnce('sendMessage', { kind: 'unknown', after: true })
    chat.outbox.add('p', { kind: 'send', ref: 'turn', disposable: true, text: plainText('beginn') }, 0)
    chat.outbox.add('f', edit('turn', 'the answer'), 0)
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['beginn', 'the answer'])
    expect(chat.states()).toEqual(['dropped', 'sent'])
  })

  test('that opens the reply box is offered again: its arrival shows in no edit', async () => {
    const chat = start()
    chat.failOnce('sendMessage', { kind: 'unknown', after: true })
    chat.outbox.add('q', { ...text('Which name?'), askReply: { placeholder: 'Name' } } as Outgoing, 0)
    await chat.drain()
    expect(chat.telegram.calls.filter((method) => method === 'editMessageText')).toEqual([])
    expect(chat.states()).toEqual(['unsure'])
  })

  test('that edits, is simply repeated', async () => {
    const chat = start({ mayProbe: false })
    chat.say('a', { ref: 'bar' })
    chat.outbox.add('e', edit('bar', 'b'), 0)
    chat.failOnce('editMessageText', { kind: 'unknown', after: true })
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['b'])
    expect(chat.states()).toEqual(['sent', 'sent'])
  })
})

describe('what Telegram answers', () => {
  test('a penalty holds everything back, and nothing is lost', async () => {
    const chat = start()
    chat.failOnce('sendMessage', { kind: 'retry_after', retryAfterMs: 600_000 })
    chat.say('final')
    await chat.sender.step()
    expect(await chat.sender.step()).toBe(chat.clock.now() + 600_250)
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['final'])
    expect(chat.telegram.calls).toEqual(['sendMessage', 'sendMessage'])
  })

  test('a penalty that begins while a row waits for its turn lets the run end all the same', async () => {
    const chat = start()
    for (let n = 0; n < 5; n++) chat.say(`${n}`)
    for (let n = 0; n < 4; n++) await chat.sender.step()
    const over = new AbortController()
    const waiting = chat.sender.step(over.signal)
    chat.budget.silence(chat.clock.now() + 3_600_000)
    over.abort()
    await waiting
    expect(chat.states()).toEqual(['sent', 'sent', 'sent', 'sent', 'pending'])
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['0', '1', '2', '3', '4'])
  })

  test('blocked: everything is dropped and the turn is stopped', async () => {
    const chat = start()
    chat.failOnce('sendMessage', { kind: 'blocked' })
    chat.say('one')
    chat.say('two')
    await chat.drain()
    expect(chat.states()).toEqual(['dropped', 'dropped'])
    expect(chat.closed).toEqual(['blocked'])
  })

  test('a missing topic: the message goes to the chat itself', async () => {
    const chat = start()
    chat.failOnce('sendMessage', { kind: 'thread_gone' })
    chat.say('hello')
    await chat.drain()
    expect([...chat.telegram.messages.values()].map(({ to }) => to)).toEqual([{ chatId: 42 }])
  })

  test('a refused formatting: the words go without it', async () => {
    const chat = start()
    chat.failOnce('sendMessage', { kind: 'refused' })
    chat.say('**bold**')
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['**bold**'])
  })

  test('closed: what is added later is dropped without a call, until somebody is heard', async () => {
    const chat = start()
    chat.failOnce('sendMessage', { kind: 'blocked' })
    chat.say('one')
    await chat.drain()
    chat.say('two')
    await chat.drain()
    expect(chat.states()).toEqual(['dropped', 'dropped'])
    expect(chat.telegram.calls.length).toBe(1)
    chat.isClosed = false
    chat.say('three')
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['three'])
  })

  test('refused without formatting too: the words go without their buttons', async () => {
    const chat = start()
    chat.failTimes('sendMessage', 2, { kind: 'refused' })
    chat.outbox.add('k', { ...text('words'), keyboard: [[{ text: 'x', callback_data: 'x' }]] } as Outgoing, 0)
    await chat.drain()
    expect([...chat.telegram.messages.values()]).toMatchObject([{ text: 'words', keyboard: undefined }])
  })

  test('refused however it is said: a line stands in its place, and the next ones go on', async () => {
    const chat = start()
    chat.failTimes('sendMessage', 3, { kind: 'refused' })
    chat.say('impossible')
    chat.say('next')
    await chat.drain()
    expect(chat.telegram.texts()).toEqual([deliveryWords('en').notAccepted, 'next'])
  })

  test('refusing everything: the row ends, and the next ones go on', async () => {
    const chat = start()
    chat.failTimes('sendMessage', 4, { kind: 'refused' })
    chat.say('impossible')
    chat.say('next')
    await chat.drain()
    expect(chat.states()).toEqual(['failed', 'sent'])
  })

  test('an answer that edits its preview outlives an outage of hours', async () => {
    const chat = start()
    chat.say('preview', { ref: 'turn' })
    chat.outbox.add('final', edit('turn', 'the answer'), 0)
    chat.failTimes('editMessageText', 100, { kind: 'unknown' })
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['the answer'])
    expect(chat.clock.now()).toBeGreaterThan(3_600_000)
  })

  test('a reaction that a group does not allow is said in words instead, without a second try', async () => {
    const chat = start()
    chat.failTimes('setMessageReaction', 9, { kind: 'refused' })
    chat.outbox.add('r', { kind: 'react', messageId: 5, emoji: '👀' }, 0)
    await chat.drain()
    expect(chat.telegram.calls).toEqual(['setMessageReaction', 'sendMessage'])
    expect(chat.telegram.texts()).toEqual(['👀 Passed on.'])
  })

  test('a reaction waits for messages, never the other way round', async () => {
    const chat = start()
    chat.outbox.add('r', { kind: 'react', messageId: 5, emoji: '👀' }, 0)
    chat.say('final')
    await chat.drain()
    expect(chat.telegram.calls).toEqual(['sendMessage', 'setMessageReaction'])
  })

  test('a message never passes for sent because something else is gone', async () => {
    const chat = start()
    chat.failOnce('sendMessage', { kind: 'target_gone' })
    chat.say('hello')
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['hello'])
  })

  test('a document that the group does not take is said to be missing', async () => {
    const chat = start()
    chat.failTimes('sendDocument', 9, { kind: 'refused' })
    chat.outbox.add('d', { kind: 'document', name: 'answer.md', content: 'x' }, 0)
    await chat.drain()
    expect(chat.telegram.texts()).toEqual([deliveryWords('en').fileRefused('answer.md')])
  })

  test('a migrated group: it goes on under the new id', async () => {
    const chat = start()
    chat.failOnce('sendMessage', { kind: 'migrated', migratedTo: -1009 })
    chat.say('hello')
    await chat.drain()
    expect(chat.migrated).toEqual([-1009])
    expect(chat.telegram.texts()).toEqual(['hello'])
  })
})

describe('files of the agent', () => {
  test('are streamed as photo or document', async () => {
    const chat = start()
    chat.files.set('pic.png', 'PNG')
    chat.files.set('notes.txt', 'hello')
    chat.outbox.add('f1', file('pic.png'), 0)
    chat.outbox.add('f2', file('notes.txt'), 0)
    await chat.drain()
    expect([...chat.telegram.messages.values()].map(({ upload }) => upload)).toEqual([
      { as: 'photo', name: 'pic.png', content: 'PNG' },
      { as: 'document', name: 'notes.txt', content: 'hello' },
    ])
  })

  test('go as documents when Telegram does not take them for photos', async () => {
    const chat = start()
    chat.files.set('pic.png', 'no picture')
    chat.failOnce('sendPhoto', { kind: 'refused' })
    chat.outbox.add('f', file('pic.png'), 0)
    await chat.drain()
    expect([...chat.telegram.messages.values()][0]?.upload?.as).toBe('document')
  })

  test('that are gone are reported, and what follows is sent', async () => {
    const chat = start()
    chat.outbox.add('f', file('gone.txt'), 0)
    chat.say('next')
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['next', 'I wanted to send gone.txt, but the file is not there any more.'])
  })

  test('are tried again while the machine does not answer, then reported', async () => {
    const chat = start()
    chat.unreachable = 99
    chat.files.set('a.txt', 'x')
    chat.outbox.add('f', file('a.txt'), 0)
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['I could not fetch a.txt from my computer. Ask me to send it again.'])
  })

  test('arrive after all when the machine comes back in time', async () => {
    const chat = start()
    chat.unreachable = 2
    chat.files.set('a.txt', 'x')
    chat.outbox.add('f', file('a.txt'), 0)
    await chat.drain()
    expect([...chat.telegram.messages.values()][0]?.upload?.name).toBe('a.txt')
  })

  test('arrive after all when the way to the machine was not found at first', async () => {
    const chat = start()
    chat.lost = 2
    chat.files.set('a.txt', 'x')
    chat.outbox.add('f', file('a.txt'), 0)
    await chat.drain()
    expect([...chat.telegram.messages.values()].map(({ upload }) => upload?.name)).toEqual(['a.txt'])
  })

  test('are reported when the way to the machine is never found', async () => {
    const chat = start()
    chat.lost = 99
    chat.outbox.add('f', file('a.txt'), 0)
    await chat.drain()
    expect(chat.telegram.texts()).toEqual([deliveryWords('en').fileUnreachable('a.txt')])
  })

  test('that are too large are reported before anything is sent', async () => {
    const chat = start()
    chat.tooLarge = true
    chat.files.set('big.iso', 'x')
    chat.outbox.add('f', file('big.iso'), 0)
    await chat.drain()
    expect(chat.telegram.texts()[0]).toContain('larger than 50 MB')
    expect(chat.telegram.calls).toEqual(['sendMessage'])
  })

  test('that break off on the machine’s side are fetched again, without a word', async () => {
    const chat = start()
    chat.files.set('a.txt', 'x')
    chat.breakingOff = 1
    chat.outbox.add('f', file('a.txt'), 0)
    await chat.drain()
    expect([...chat.telegram.messages.values()].map(({ upload }) => upload?.name)).toEqual(['a.txt'])
    expect(chat.telegram.calls).toEqual(['sendDocument'])
  })

  test('are opened only when their turn has come', async () => {
    const chat = start()
    chat.files.set('a.txt', 'x')
    for (let n = 0; n < 6; n++) chat.say(`${n}`)
    chat.outbox.add('f', file('a.txt'), 0)
    let sentAt = -1
    chat.telegram.fail = (method) => {
      if (method === 'sendDocument') sentAt = chat.clock.now()
      return undefined
    }
    await chat.drain()
    expect(chat.openedAt).toBe(sentAt)
  })

  test('whose upload was cut are looked for before they are sent again', async () => {
    const chat = start()
    chat.files.set('a.txt', 'x')
    chat.failOnce('sendDocument', { kind: 'unknown', after: true })
    chat.outbox.add('f', file('a.txt'), 0)
    await chat.drain()
    expect(chat.telegram.messages.size).toBe(1)
  })
})

function start({ mayProbe = true }: { mayProbe?: boolean } = {}) {
  const clock = new FakeClock()
  const outbox = new Outbox(fakeChatDatabase())
  outbox.noteSeen(100)
  const telegram = new FakeTelegram()
  const budget = new ChatBudget(
    { kind: 'private' },
    { now: clock.now, sleep: clock.sleep, saveSilence: () => undefined },
  )
  const chat = {
    clock,
    outbox,
    telegram,
    budget,
    closed: [] as string[],
    isClosed: false,
    migrated: [] as number[],
    files: new Map<string, string>(),
    unreachable: 0,
    /** So often nobody can say where the agent is. */
    lost: 0,
    breakingOff: 0,
    openedAt: 0,
    tooLarge: false,
    say(words: string, options: { ref?: string } = {}) {
      rows += 1
      outbox.add(`row-${rows}`, text(words, options), clock.now())
    },
    failOnce(method: string, fault: Fault) {
      const before = telegram.fail
      let isDone = false
      telegram.fail = (called) => {
        if (called !== method || isDone) return before(called)
        isDone = true
        return fault
      }
    },
    failTimes(method: string, times: number, fault: Fault) {
      for (let n = 0; n < times; n++) chat.failOnce(method, fault)
    },
    states: () => {
      const states = []
      for (let seq = 1; ; seq++) {
        const row = outbox.find(seq)
        if (!row) return states
        states.push(row.state)
      }
    },
    async sendOne() {
      const running = chat.sender.step()
      let next: 'more' | number | undefined
      void running.then((result) => {
        next = result
      })
      while (next === undefined) await clock.advance(200)
      return next
    },
    /** Runs the sender until nothing is left, moving the clock along. */
    async drain() {
      for (let steps = 0; steps < 500; steps++) {
        const next = await chat.sendOne()
        if (next === 'more') continue
        if (!Number.isFinite(next)) return
        await clock.advance(next - clock.now())
      }
      throw new Error('the outbox does not come to an end')
    },
    sender: undefined as unknown as OutboxSender,
  }
  let rows = 0
  chat.sender = new OutboxSender({
    outbox,
    budget,
    telegram,
    destination: () => ({ chatId: 42, threadId: 5 }),
    mayProbe: () => mayProbe,
    words: () => deliveryWords('en'),
    agent: async () => {
      if (chat.lost-- > 0) throw new Error('the database does not answer')
      return {
        getFile: async (path) => {
          if (chat.unreachable-- > 0) throw new AgentUnreachable('down')
          chat.openedAt = clock.now()
          if (chat.breakingOff-- > 0) return { body: brokenStream(), bytes: 10 }
          const content = chat.files.get(path)
          if (content === undefined) throw new AgentRefused(404, '/files/…', undefined)
          const bytes = new TextEncoder().encode(content)
          return { body: new Blob([bytes]).stream(), bytes: chat.tooLarge ? 60 * 1024 * 1024 : bytes.byteLength }
        },
        exportAll: () => Promise.reject(new AgentUnreachable('down')),
      }
    },
    onMessage: () => undefined,
    onClosed: (reason) => {
      chat.closed.push(reason)
      chat.isClosed = true
    },
    isClosed: () => chat.isClosed,
    onThreadGone: () => undefined,
    onMigrated: (chatId) => chat.migrated.push(chatId),
    now: clock.now,
  })
  return chat
}

function text(words: string, { ref }: { ref?: string } = {}): Outgoing {
  return { kind: 'send', text: plainText(words), ...(ref ? { ref } : {}) }
}

function edit(ref: string, words: string): Outgoing {
  return { kind: 'edit', target: { ref }, text: plainText(words) }
}

function brokenStream(): ReadableStream<Uint8Array> {
  return new ReadableStream({ pull: (controller) => controller.error(new Error('connection reset')) })
}

function file(path: string): Outgoing {
  return { kind: 'agent_file', agentId: 'a', from: { path }, name: path }
}
