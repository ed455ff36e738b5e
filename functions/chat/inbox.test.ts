import { describe, expect, test } from 'vitest'
import { Inbox, KEPT_AFTER_DONE_MS } from './inbox.ts'
import { fakeChatDatabase } from './testing/chat-database.fake.ts'
import { privateMessage } from './testing/messages.fake.ts'

const update = (update_id: number, fields: object = {}) => ({ update_id, message: privateMessage(fields) }) as never

describe('Inbox', () => {
  test('takes an update once, and knows it after it was handled', () => {
    const inbox = new Inbox(fakeChatDatabase())
    expect(inbox.add(update(1), 'turn', 0)).toBe(true)
    expect(inbox.add(update(1), 'turn', 0)).toBe(false)
    inbox.markDone([1])
    expect(inbox.add(update(1), 'turn', 0)).toBe(false)
    expect(inbox.openCount()).toBe(0)
  })

  test('gives each lane in the order of update ids, whatever came first', () => {
    const inbox = new Inbox(fakeChatDatabase())
    for (const id of [5, 3, 4]) inbox.add(update(id), 'turn', 0)
    inbox.add(update(1), 'control', 0)
    expect(inbox.open('turn').map(({ updateId }) => updateId)).toEqual([3, 4, 5])
    expect(inbox.open('control').map(({ updateId }) => updateId)).toEqual([1])
  })

  test('forgets handled updates after two days, and open ones never', () => {
    const inbox = new Inbox(fakeChatDatabase())
    inbox.add(update(1), 'turn', 0)
    inbox.add(update(2), 'turn', 0)
    inbox.markDone([1])
    inbox.prune(KEPT_AFTER_DONE_MS + 1)
    expect(inbox.has(1)).toBe(false)
    expect(inbox.has(2)).toBe(true)
  })

  test('drops the words that wait, and no commands', () => {
    const inbox = new Inbox(fakeChatDatabase())
    inbox.add(update(1), 'turn', 0)
    inbox.add(update(2), 'control', 0)
    expect(inbox.dropWaitingTurns()).toBe(1)
    expect(inbox.openCount()).toBe(1)
  })

  test('knows later parts of an album that was taken in lately', () => {
    const inbox = new Inbox(fakeChatDatabase())
    inbox.add(update(1, { media_group_id: 'a' }), 'turn', 1_000)
    expect(inbox.knowsAlbum('a', 500)).toBe(true)
    expect(inbox.knowsAlbum('a', 1_500)).toBe(false)
    expect(inbox.knowsAlbum('b', 0)).toBe(false)
  })

  test('takes up the parts of an album that came before the one that asks, and none of another album', () => {
    const inbox = new Inbox(fakeChatDatabase())
    inbox.add(update(2, { media_group_id: 'a' }), 'aside', 20_000)
    inbox.add(update(3, { media_group_id: 'b' }), 'aside', 20_100)
    expect(inbox.openCount()).toBe(0)
    inbox.add(update(4, { media_group_id: 'a' }), 'turn', 21_000)
    expect(inbox.open('turn').map(({ updateId, receivedAt }) => [updateId, receivedAt])).toEqual([
      [2, 21_000],
      [4, 21_000],
    ])
  })

  test('forgets after seconds what nobody asked about', () => {
    const inbox = new Inbox(fakeChatDatabase())
    inbox.add(update(1, { media_group_id: 'a' }), 'aside', 0)
    inbox.forgetAside(5_000)
    expect(inbox.has(1)).toBe(true)
    inbox.forgetAside(20_000)
    expect(inbox.has(1)).toBe(false)
  })
})
