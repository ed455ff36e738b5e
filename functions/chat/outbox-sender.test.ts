import { describe, expect, test } from 'vitest'
import { deliveryWords } from './delivery-words.ts'
import { KEPT_AFTER_END_MS } from './outbox.ts'
import type { Outgoing } from './outgoing.ts'
import { edit, startOutbox, text } from './testing/outbox.fake.ts'
import { plainText } from './text/formatted-text.ts'

describe('OutboxSender', () => {
  test('sends rows in order and keeps their ids', async () => {
    const chat = startOutbox()
    chat.say('one', { ref: 'first' })
    chat.say('two')
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['one', 'two'])
    expect(chat.outbox.resolve({ ref: 'first' })).toBe(101)
  })

  test('adds a row once, however often its cause is handled', async () => {
    const chat = startOutbox()
    chat.outbox.add('same', text('once'), 0)
    chat.outbox.add('same', text('once'), 0)
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['once'])
  })

  test('adds an edit once, however often its cause is handled', async () => {
    const chat = startOutbox()
    chat.say('10%', { ref: 'bar' })
    chat.outbox.add('same', edit('bar', '20%'), 0)
    chat.outbox.add('same', edit('bar', '20%'), 0)
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['20%'])
  })

  test('edits by name, and leaves out edits that a newer one replaces', async () => {
    const chat = startOutbox()
    chat.say('10%', { ref: 'bar' })
    chat.outbox.add('e1', edit('bar', '20%'), 0)
    chat.outbox.add('e2', edit('bar', '90%'), 0)
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['90%'])
    expect(chat.telegram.calls).toEqual(['sendMessage', 'editMessageText'])
  })

  test('sends anew what cannot be edited any more, under the same name', async () => {
    const chat = startOutbox()
    chat.say('old', { ref: 'bar' })
    await chat.drain()
    chat.telegram.messages.clear()
    chat.outbox.add('e', edit('bar', 'new'), 0)
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['new'])
    expect(chat.outbox.resolve({ ref: 'bar' })).toBe(102)
  })

  test('sends an edit as a message when what it names never was sent', async () => {
    const chat = startOutbox()
    chat.outbox.add('e', edit('nowhere', 'hello'), 0)
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['hello'])
  })

  test('takes "not modified" for success', async () => {
    const chat = startOutbox()
    chat.say('same', { ref: 'bar' })
    chat.outbox.add('e', edit('bar', 'same'), 0)
    await chat.drain()
    expect(chat.states()).toEqual(['sent', 'sent'])
  })
})

test('a preview that Telegram does not take is left out, without a line about it: the answer is still to come', async () => {
  const chat = startOutbox()
  chat.failTimes('sendMessage', 3, { kind: 'refused' })
  chat.outbox.add('p', { kind: 'send', ref: 'turn', disposable: true, text: plainText('Half an ans') }, 0)
  await chat.drain()
  expect(chat.telegram.texts()).toEqual([])
  chat.outbox.add('final', edit('turn', 'The answer'), 0)
  await chat.drain()
  expect(chat.telegram.texts()).toEqual(['The answer'])
})

test('a topic that may not be named keeps its name, without a second try', async () => {
  const chat = startOutbox()
  chat.failTimes('editForumTopic', 9, { kind: 'refused' })
  chat.outbox.add('n', { kind: 'name_topic', name: 'Plan a trip' }, 0)
  await chat.drain()
  expect(chat.telegram.calls).toEqual(['editForumTopic'])
})

test('an edit that a newer one replaced is forgotten like one that was sent', async () => {
  const chat = startOutbox()
  chat.say('10%', { ref: 'bar' })
  chat.outbox.add('e1', edit('bar', '20%'), chat.clock.now())
  chat.outbox.add('e2', edit('bar', '90%'), chat.clock.now())
  await chat.drain()
  chat.outbox.prune(chat.clock.now() + KEPT_AFTER_END_MS + 1)
  expect([1, 2, 3].map((seq) => chat.outbox.find(seq)?.action)).toEqual([undefined, undefined, undefined])
})

test('names of messages are forgotten with the messages', async () => {
  const chat = startOutbox()
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
  const chat = startOutbox()
  chat.failOnce('editForumTopic', { kind: 'unknown', after: true })
  chat.outbox.add('n', { kind: 'name_topic', name: 'Plan a trip' }, 0)
  await chat.drain()
  expect(chat.telegram.topicNames).toEqual(['Plan a trip', 'Plan a trip'])
  expect(chat.states()).toEqual(['sent'])
})

test('a menu of commands is set, and losing that call repeats it', async () => {
  const chat = startOutbox()
  chat.failOnce('setMyCommands', { kind: 'unknown', after: true })
  chat.outbox.add('m', { kind: 'offer_commands', commands: [{ command: 'pool', description: 'Pool' }] }, 0)
  await chat.drain()
  expect(chat.telegram.menus).toEqual([['pool'], ['pool']])
  expect(chat.states()).toEqual(['sent'])
})

describe('a rich message', () => {
  const blocks = [{ type: 'paragraph', text: 'one and two' }] as const
  const parts = (chat: ReturnType<typeof startOutbox>) => {
    chat.outbox.add('f0', { kind: 'send', ref: 'turn', text: plainText('one'), rich: { blocks } }, 0)
    chat.outbox.add('f1', { kind: 'send', text: plainText('two'), insteadOfRich: 'turn' }, 0)
    chat.outbox.add('f2', { kind: 'document', name: 'a.md', content: 'x', insteadOfRich: 'turn' }, 0)
    chat.say('next')
  }

  test('holds what else would follow it as text', async () => {
    const chat = startOutbox()
    parts(chat)
    await chat.drain()
    expect(chat.telegram.calls).toEqual(['sendRichMessage', 'sendMessage'])
    expect(chat.states()).toEqual(['sent', 'dropped', 'dropped', 'sent'])
  })

  test('that Telegram refuses is sent as text, with all that follows, in order', async () => {
    const chat = startOutbox()
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
    const chat = startOutbox()
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
    const chat = startOutbox()
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
    const chat = startOutbox()
    chat.failOnce('sendMessage', { kind: 'unknown', after: true })
    chat.say('final')
    chat.say('next')
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['final', 'next'])
  })

  test('is sent again once it is sure that it did not arrive', async () => {
    const chat = startOutbox()
    chat.failOnce('sendMessage', { kind: 'unknown' })
    chat.say('final')
    chat.say('next')
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['final', 'next'])
  })

  test('is looked for only after Telegram had time to do what it was told', async () => {
    const chat = startOutbox()
    chat.failOnce('sendMessage', { kind: 'unknown' })
    chat.say('final')
    await chat.sender.step()
    expect(await chat.sender.step()).toBe(chat.clock.now() + 2_000)
  })

  test('is found behind messages that others wrote meanwhile', async () => {
    const chat = startOutbox()
    chat.failOnce('sendMessage', { kind: 'unknown', after: true })
    chat.telegram.lastId += 8
    chat.say('final')
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['final'])
    expect(chat.states()).toEqual(['sent'])
  })

  test('is offered again when too much happened elsewhere to be sure', async () => {
    const chat = startOutbox()
    chat.failOnce('sendMessage', { kind: 'unknown' })
    chat.telegram.lastId += 500
    chat.say('final')
    chat.say('next')
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['I could not make sure that this reached you: “final”', 'next'])
    expect(chat.states()).toEqual(['unsure', 'sent'])
  })

  test('that carried a file is sent again once it is sure that it did not arrive', async () => {
    const chat = startOutbox()
    chat.files.set('a.txt', 'x')
    chat.failOnce('sendDocument', { kind: 'unknown' })
    chat.outbox.add('f', file('a.txt'), 0)
    await chat.drain()
    expect([...chat.telegram.messages.values()].map(({ upload }) => upload?.name)).toEqual(['a.txt'])
  })

  test('is looked for again when Telegram does not answer the question either', async () => {
    const chat = startOutbox()
    chat.failOnce('sendMessage', { kind: 'unknown', after: true })
    chat.failOnce('editMessageText', { kind: 'unknown' })
    chat.say('final')
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['final'])
    expect(chat.states()).toEqual(['sent'])
  })

  test('is looked for after a crash in the middle of the call', async () => {
    const chat = startOutbox()
    chat.say('final')
    const row = chat.outbox.next()
    chat.outbox.markSending(row?.seq ?? 0)
    await chat.telegram.sendText({ chatId: 42 }, plainText('final'), {})
    chat.outbox.recover(chat.clock.now() + 2_000)
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['final'])
  })

  test('never touches another message of ours', async () => {
    const chat = startOutbox()
    chat.say('before')
    await chat.drain()
    chat.failOnce('sendMessage', { kind: 'unknown' })
    chat.say('final')
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['before', 'final'])
  })

  test('is offered again where nobody can look: other objects send into the same chat', async () => {
    const chat = startOutbox({ mayProbe: false })
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
    const chat = startOutbox({ mayProbe: false })
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
    const chat = startOutbox()
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
    const chat = startOutbox()
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
    const chat = startOutbox()
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
    const chat = startOutbox({ mayProbe: false })
    chat.failOnce('sendMessage', { kind: 'unknown', after: true })
    chat.outbox.add('p', { kind: 'send', ref: 'turn', disposable: true, text: plainText('beginn') }, 0)
    chat.outbox.add('f', edit('turn', 'the answer'), 0)
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['beginn', 'the answer'])
    expect(chat.states()).toEqual(['dropped', 'sent'])
  })

  test('that opens the reply box is offered again: its arrival shows in no edit', async () => {
    const chat = startOutbox()
    chat.failOnce('sendMessage', { kind: 'unknown', after: true })
    chat.outbox.add('q', { ...text('Which name?'), askReply: { placeholder: 'Name' } } as Outgoing, 0)
    await chat.drain()
    expect(chat.telegram.calls.filter((method) => method === 'editMessageText')).toEqual([])
    expect(chat.states()).toEqual(['unsure'])
  })

  test('that edits, is simply repeated', async () => {
    const chat = startOutbox({ mayProbe: false })
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
    const chat = startOutbox()
    chat.failOnce('sendMessage', { kind: 'retry_after', retryAfterMs: 600_000 })
    chat.say('final')
    await chat.sender.step()
    expect(await chat.sender.step()).toBe(chat.clock.now() + 600_250)
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['final'])
    expect(chat.telegram.calls).toEqual(['sendMessage', 'sendMessage'])
  })

  test('a penalty that begins while a row waits for its turn lets the run end all the same', async () => {
    const chat = startOutbox()
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
    const chat = startOutbox()
    chat.failOnce('sendMessage', { kind: 'blocked' })
    chat.say('one')
    chat.say('two')
    await chat.drain()
    expect(chat.states()).toEqual(['dropped', 'dropped'])
    expect(chat.closed).toEqual(['blocked'])
  })

  test('a missing topic: the message goes to the chat itself', async () => {
    const chat = startOutbox()
    chat.failOnce('sendMessage', { kind: 'thread_gone' })
    chat.say('hello')
    await chat.drain()
    expect([...chat.telegram.messages.values()].map(({ to }) => to)).toEqual([{ chatId: 42 }])
  })

  test('a refused formatting: the words go without it', async () => {
    const chat = startOutbox()
    chat.failOnce('sendMessage', { kind: 'refused' })
    chat.say('**bold**')
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['**bold**'])
  })

  test('closed: what is added later is dropped without a call, until somebody is heard', async () => {
    const chat = startOutbox()
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
    const chat = startOutbox()
    chat.failTimes('sendMessage', 2, { kind: 'refused' })
    chat.outbox.add('k', { ...text('words'), keyboard: [[{ text: 'x', callback_data: 'x' }]] } as Outgoing, 0)
    await chat.drain()
    expect([...chat.telegram.messages.values()]).toMatchObject([{ text: 'words', keyboard: undefined }])
  })

  test('refused however it is said: a line stands in its place, and the next ones go on', async () => {
    const chat = startOutbox()
    chat.failTimes('sendMessage', 3, { kind: 'refused' })
    chat.say('impossible')
    chat.say('next')
    await chat.drain()
    expect(chat.telegram.texts()).toEqual([deliveryWords('en').notAccepted, 'next'])
  })

  test('refusing everything: the row ends, and the next ones go on', async () => {
    const chat = startOutbox()
    chat.failTimes('sendMessage', 4, { kind: 'refused' })
    chat.say('impossible')
    chat.say('next')
    await chat.drain()
    expect(chat.states()).toEqual(['failed', 'sent'])
  })

  test('an answer that edits its preview outlives an outage of hours', async () => {
    const chat = startOutbox()
    chat.say('preview', { ref: 'turn' })
    chat.outbox.add('final', edit('turn', 'the answer'), 0)
    chat.failTimes('editMessageText', 100, { kind: 'unknown' })
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['the answer'])
    expect(chat.clock.now()).toBeGreaterThan(3_600_000)
  })

  test('a reaction that a group does not allow is said in words instead, without a second try', async () => {
    const chat = startOutbox()
    chat.failTimes('setMessageReaction', 9, { kind: 'refused' })
    chat.outbox.add('r', { kind: 'react', messageId: 5, emoji: '👀' }, 0)
    await chat.drain()
    expect(chat.telegram.calls).toEqual(['setMessageReaction', 'sendMessage'])
    expect(chat.telegram.texts()).toEqual(['👀 Passed on.'])
  })

  test('a reaction waits for messages, never the other way round', async () => {
    const chat = startOutbox()
    chat.outbox.add('r', { kind: 'react', messageId: 5, emoji: '👀' }, 0)
    chat.say('final')
    await chat.drain()
    expect(chat.telegram.calls).toEqual(['sendMessage', 'setMessageReaction'])
  })

  test('a message never passes for sent because something else is gone', async () => {
    const chat = startOutbox()
    chat.failOnce('sendMessage', { kind: 'target_gone' })
    chat.say('hello')
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['hello'])
  })

  test('a document that the group does not take is said to be missing', async () => {
    const chat = startOutbox()
    chat.failTimes('sendDocument', 9, { kind: 'refused' })
    chat.outbox.add('d', { kind: 'document', name: 'answer.md', content: 'x' }, 0)
    await chat.drain()
    expect(chat.telegram.texts()).toEqual([deliveryWords('en').fileRefused('answer.md')])
  })

  test('a migrated group: it goes on under the new id', async () => {
    const chat = startOutbox()
    chat.failOnce('sendMessage', { kind: 'migrated', migratedTo: -1009 })
    chat.say('hello')
    await chat.drain()
    expect(chat.migrated).toEqual([-1009])
    expect(chat.telegram.texts()).toEqual(['hello'])
  })
})

describe('files of the agent', () => {
  test('are streamed as photo or document', async () => {
    const chat = startOutbox()
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
    const chat = startOutbox()
    chat.files.set('pic.png', 'no picture')
    chat.failOnce('sendPhoto', { kind: 'refused' })
    chat.outbox.add('f', file('pic.png'), 0)
    await chat.drain()
    expect([...chat.telegram.messages.values()][0]?.upload?.as).toBe('document')
  })

  test('that are gone are reported, and what follows is sent', async () => {
    const chat = startOutbox()
    chat.outbox.add('f', file('gone.txt'), 0)
    chat.say('next')
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['next', 'I wanted to send gone.txt, but the file is not there any more.'])
  })

  test('are tried again while the machine does not answer, then reported', async () => {
    const chat = startOutbox()
    chat.unreachable = 99
    chat.files.set('a.txt', 'x')
    chat.outbox.add('f', file('a.txt'), 0)
    await chat.drain()
    expect(chat.telegram.texts()).toEqual(['I could not fetch a.txt from my computer. Ask me to send it again.'])
  })

  test('arrive after all when the machine comes back in time', async () => {
    const chat = startOutbox()
    chat.unreachable = 2
    chat.files.set('a.txt', 'x')
    chat.outbox.add('f', file('a.txt'), 0)
    await chat.drain()
    expect([...chat.telegram.messages.values()][0]?.upload?.name).toBe('a.txt')
  })

  test('arrive after all when the way to the machine was not found at first', async () => {
    const chat = startOutbox()
    chat.lost = 2
    chat.files.set('a.txt', 'x')
    chat.outbox.add('f', file('a.txt'), 0)
    await chat.drain()
    expect([...chat.telegram.messages.values()].map(({ upload }) => upload?.name)).toEqual(['a.txt'])
  })

  test('are reported when the way to the machine is never found', async () => {
    const chat = startOutbox()
    chat.lost = 99
    chat.outbox.add('f', file('a.txt'), 0)
    await chat.drain()
    expect(chat.telegram.texts()).toEqual([deliveryWords('en').fileUnreachable('a.txt')])
  })

  test('that are too large are reported before anything is sent', async () => {
    const chat = startOutbox()
    chat.tooLarge = true
    chat.files.set('big.iso', 'x')
    chat.outbox.add('f', file('big.iso'), 0)
    await chat.drain()
    expect(chat.telegram.texts()[0]).toContain('larger than 50 MB')
    expect(chat.telegram.calls).toEqual(['sendMessage'])
  })

  test('that break off on the machine’s side are fetched again, without a word', async () => {
    const chat = startOutbox()
    chat.files.set('a.txt', 'x')
    chat.breakingOff = 1
    chat.outbox.add('f', file('a.txt'), 0)
    await chat.drain()
    expect([...chat.telegram.messages.values()].map(({ upload }) => upload?.name)).toEqual(['a.txt'])
    expect(chat.telegram.calls).toEqual(['sendDocument'])
  })

  test('are opened only when their turn has come', async () => {
    const chat = startOutbox()
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
    const chat = startOutbox()
    chat.files.set('a.txt', 'x')
    chat.failOnce('sendDocument', { kind: 'unknown', after: true })
    chat.outbox.add('f', file('a.txt'), 0)
    await chat.drain()
    expect(chat.telegram.messages.size).toBe(1)
  })
})

function file(path: string): Outgoing {
  return { kind: 'agent_file', agentId: 'a', from: { path }, name: path }
}
