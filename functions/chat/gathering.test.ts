import { describe, expect, test } from 'vitest'
import { gather, gatherAnswer, mergeUpdates } from './gathering.ts'
import { inboxItem, privateMessage } from './testing/messages.fake.ts'

const long = 'x'.repeat(4_096)
const forwarded = { forward_origin: { type: 'hidden_user', sender_user_name: 'Bob', date: 1 } } as const

describe('gather', () => {
  test('takes an ordinary message at once, alone', () => {
    const items = [inboxItem(1, privateMessage({ text: 'a' })), inboxItem(2, privateMessage({ text: 'b' }))]
    expect(gather(items)).toMatchObject({ items: [{ updateId: 1 }], readyAt: 0 })
  })

  test('waits for the rest of a long paste, and no longer than that', () => {
    const paste = inboxItem(1, privateMessage({ text: long }), 1_000)
    expect(gather([paste])?.readyAt).toBe(2_500)
    const rest = inboxItem(2, privateMessage({ text: 'end' }), 1_300)
    expect(gather([paste, rest])).toMatchObject({ items: [paste, rest], readyAt: 1_300 })
  })

  test('does not take a later message for the rest of a paste', () => {
    const items = [
      inboxItem(1, privateMessage({ text: long }), 0),
      inboxItem(2, privateMessage({ text: 'new' }), 1_501),
    ]
    expect(gather(items)).toMatchObject({ items: [{ updateId: 1 }], readyAt: 0 })
  })

  test('keeps an album together, and no other album', () => {
    const part = (id: number, group: string, at: number) => inboxItem(id, privateMessage({ media_group_id: group }), at)
    const items = [part(1, 'a', 0), part(2, 'a', 100), part(3, 'a', 550), part(4, 'b', 600)]
    expect(gather(items)?.items.map(({ updateId }) => updateId)).toEqual([1, 2, 3])
    expect(gather(items.slice(0, 2))?.readyAt).toBe(600)
  })

  test('keeps forwards together', () => {
    const items = [1, 2, 3].map((id) => inboxItem(id, privateMessage({ text: 'f', ...forwarded }), id * 200))
    expect(gather(items)).toMatchObject({ items, readyAt: 1_600 })
  })

  test('never puts the words of two people together', () => {
    const other = privateMessage({ text: 'rest', from: { id: 43, is_bot: false, first_name: 'Bob' } })
    const items = [inboxItem(1, privateMessage({ text: long }), 0), inboxItem(2, other, 10)]
    expect(gather(items)?.items.length).toBe(1)
  })

  test('comes to an end in a stream of forwards', () => {
    const items = Array.from({ length: 50 }, (_, id) => inboxItem(id, privateMessage({ text: 'f', ...forwarded }), id))
    expect(gather(items)).toMatchObject({ readyAt: 0 })
    expect(gather(items)?.items.length).toBe(30)
  })

  test('finds nothing in nothing', () => {
    expect(gather([])).toBeUndefined()
  })
})

describe('gatherAnswer', () => {
  const paste = inboxItem(1, privateMessage({ text: long }), 1_000)

  test('waits for the rest of a long paste, which is one answer', () => {
    expect(gatherAnswer([paste])).toEqual({ items: [paste], readyAt: 2_500 })
    const rest = inboxItem(2, privateMessage({ text: 'end' }), 1_300)
    expect(gatherAnswer([paste, rest])).toMatchObject({ items: [paste, rest], readyAt: 1_300 })
  })

  test('waits no longer once a command or a button has come, and takes neither for a part of it', () => {
    for (const next of [inboxItem(2, privateMessage({ text: '/cancel' }), 1_100), inboxItem(2, undefined, 1_100)]) {
      expect(gatherAnswer([paste, next])).toEqual({ items: [paste], readyAt: 0 })
    }
  })

  test('takes everything else at once, alone', () => {
    const album = inboxItem(1, privateMessage({ media_group_id: 'a' }), 1_000)
    const command = inboxItem(1, privateMessage({ text: `/soul personality ${long}` }), 1_000)
    for (const first of [album, command, inboxItem(1, undefined), inboxItem(1, privateMessage({ text: 'Rex' }))]) {
      expect(gatherAnswer([first, paste])).toEqual({ items: [first], readyAt: 0 })
    }
    expect(gatherAnswer([])).toBeUndefined()
  })
})

describe('mergeUpdates', () => {
  test('puts a paste together again', () => {
    const items = [
      inboxItem(1, privateMessage({ text: long })),
      inboxItem(2, privateMessage({ text: 'end', message_id: 2 })),
    ]
    const merged = mergeUpdates(items)
    expect(merged?.update.message?.text).toBe(`${long}end`)
    expect(merged?.sources.length).toBe(1)
  })

  test('keeps the links of every part of a paste where they are', () => {
    const link = { type: 'text_link', offset: 1, length: 2, url: 'https://example.org' } as const
    const items = [
      inboxItem(1, privateMessage({ text: long })),
      inboxItem(2, privateMessage({ text: 'end', message_id: 2, entities: [link] })),
    ]
    expect(mergeUpdates(items)?.update.message?.entities).toEqual([{ ...link, offset: long.length + 1 }])
  })

  test('lets the part of an album speak that has the caption', () => {
    const photo = (id: number, caption?: string) =>
      inboxItem(id, privateMessage({ message_id: id, media_group_id: 'a', ...(caption ? { caption } : {}) }))
    const merged = mergeUpdates([photo(1), photo(2, 'look'), photo(3)])
    expect(merged?.update.message?.caption).toBe('look')
    expect(merged?.update.update_id).toBe(1)
    expect(merged?.sources.map(({ message_id }) => message_id)).toEqual([2, 1, 3])
  })

  test('lets the part of an album speak that mentions somebody, where others have captions too', () => {
    const photo = (id: number, caption: string, length: number) => {
      const caption_entities = length > 0 ? [{ type: 'mention' as const, offset: 0, length }] : []
      return inboxItem(id, privateMessage({ message_id: id, media_group_id: 'a', caption, caption_entities }))
    }
    const merged = mergeUpdates([photo(1, 'the garden', 0), photo(2, '@baal_bot what is that?', 9)])
    expect(merged?.update.message?.caption).toBe('@baal_bot what is that?')
    expect(merged?.sources.map(({ message_id }) => message_id)).toEqual([2, 1])
  })

  test('leaves updates without a message as they are', () => {
    const item = inboxItem(1, undefined)
    expect(mergeUpdates([item])).toEqual({ update: item.update, sources: [] })
  })
})
