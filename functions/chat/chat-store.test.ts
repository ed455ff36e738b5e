import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { openStore } from './chat-store.ts'
import { fakeChatDatabase } from './testing/chat-database.fake.ts'

describe('openStore', () => {
  test('shows what was put at once, and keeps it only when it is committed', () => {
    const database = fakeChatDatabase()
    const first = openStore(database)
    first.put('step', { name: 'Rex' })
    expect(first.get('step', z.object({ name: z.string() }))).toEqual({ name: 'Rex' })
    expect(openStore(database).get('step', z.unknown())).toBeUndefined()
    first.flush()
    expect(openStore(database).get('step', z.object({ name: z.string() }))).toEqual({ name: 'Rex' })
  })

  test('forgets what was deleted, at once and for good', () => {
    const database = fakeChatDatabase()
    const store = openStore(database)
    store.put('a', 1)
    store.flush()
    store.delete('a')
    expect(store.get('a', z.number())).toBeUndefined()
    store.flush()
    expect(openStore(database).get('a', z.number())).toBeUndefined()
  })

  test('leaves alone what another lane changed since it was read', () => {
    const database = fakeChatDatabase()
    const keep = (key: string, value: unknown) => {
      const store = openStore(database)
      store.put(key, value)
      store.flush()
    }
    keep('agent', 'A')
    // Words for A are handled, which is no more; meanwhile the person chooses B.
    const words = openStore(database)
    expect(words.get('agent', z.string())).toBe('A')
    words.delete('agent')
    words.put('left', true)
    keep('agent', 'B')
    words.flush()
    expect(openStore(database).get('agent', z.string())).toBe('B')
    expect(openStore(database).get('left', z.boolean())).toBe(true)
  })

  test('writes what it read itself a moment ago, however often', () => {
    const database = fakeChatDatabase()
    const store = openStore(database)
    for (const count of [1, 2, 3]) {
      store.put('count', (store.get('count', z.int()) ?? 0) + 1)
      if (count > 1) store.flush()
    }
    expect(openStore(database).get('count', z.int())).toBe(3)
  })

  test('takes a value that no longer fits for absent', () => {
    const store = openStore(fakeChatDatabase())
    store.put('a', { old: true })
    expect(store.get('a', z.object({ step: z.string() }))).toBeUndefined()
  })
})
