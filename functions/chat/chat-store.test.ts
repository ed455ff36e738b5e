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

  test('takes a value that no longer fits for absent', () => {
    const store = openStore(fakeChatDatabase())
    store.put('a', { old: true })
    expect(store.get('a', z.object({ step: z.string() }))).toBeUndefined()
  })
})
