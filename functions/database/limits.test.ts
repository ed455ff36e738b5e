import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FakeWorld, startFakeWorld } from '../chat/handling.fake.ts'
import { DAY_MS, forgetOldCounts, messagesToday, millisecondsLeftToday, takeMessage } from './limits.ts'
import { messageCounts } from './schema.ts'

let world: FakeWorld
let person = 100
beforeAll(async () => {
  world = await startFakeWorld()
})
afterAll(() => world.close())

const now = Date.UTC(2026, 10, 23, 12)
const take = (userId: number, updateId: number, max: number, more: { chatName?: string; now?: number } = {}) =>
  takeMessage(world.database, {
    userId,
    now: more.now ?? now,
    limits: [{ scope: 'user', max }],
    source: { chatName: more.chatName ?? 'chat', updateId },
  })

describe('messages a day', () => {
  test('pass exactly one of a hundred simultaneous ones when one is left', async () => {
    const userId = ++person
    for (let update = 1; update <= 9; update++) await take(userId, update, 10)
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, (_, index) => take(userId, 1000 + index, 10, { chatName: `chat-${index}` })),
    )
    expect(outcomes.filter(({ kind }) => kind === 'taken')).toHaveLength(1)
    expect(await messagesToday(world.database, { userId, scope: 'user', now })).toBe(10)
  })

  test('count the same update once, even when it took the last one', async () => {
    const userId = ++person
    expect(await take(userId, 1, 1)).toEqual({ kind: 'taken' })
    expect(await take(userId, 1, 1)).toEqual({ kind: 'taken' })
    expect(await take(userId, 2, 1)).toEqual({ kind: 'used_up', scope: 'user' })
    expect(await messagesToday(world.database, { userId, scope: 'user', now })).toBe(1)
  })

  test('begin anew at 00:00 UTC', async () => {
    const userId = ++person
    const lastMoment = Date.UTC(2026, 10, 23, 23, 59, 59, 999)
    await take(userId, 1, 1, { now: lastMoment })
    expect((await take(userId, 2, 1, { now: lastMoment })).kind).toBe('used_up')
    expect((await take(userId, 3, 1, { now: lastMoment + 1 })).kind).toBe('taken')
    expect(millisecondsLeftToday(lastMoment)).toBe(1)
  })

  test('draw on both counters or on none', async () => {
    const userId = ++person
    const draw = (updateId: number) =>
      takeMessage(world.database, {
        userId,
        now,
        limits: [
          { scope: 'user', max: 10 },
          { scope: 'agent:a', max: 2 },
        ],
        source: { chatName: 'chat', updateId },
      })
    for (const update of [1, 2]) expect((await draw(update)).kind).toBe('taken')
    expect(await draw(3)).toEqual({ kind: 'used_up', scope: 'agent:a' })
    expect(await messagesToday(world.database, { userId, scope: 'user', now })).toBe(2)
  })

  test('are counted without a bound for who has none', async () => {
    const userId = ++person
    const source = { chatName: 'chat', updateId: 5 }
    await takeMessage(world.database, { userId, now, limits: [{ scope: 'user' }], source })
    expect(await messagesToday(world.database, { userId, scope: 'user', now })).toBe(1)
  })

  test('leave no marks behind from before yesterday, which poking chats still goes by, and no counts after 90 days', async () => {
    const userId = ++person
    const kept = async (days: number) => {
      for (let time = 0; time < 2; time++) await forgetOldCounts(world.database, now + days * DAY_MS)
      const rows = await world.database.select().from(messageCounts).where(eq(messageCounts.userId, userId))
      return rows.map(({ scope }) => scope).toSorted()
    }
    await take(userId, 1, 5)
    expect(await kept(0)).toEqual(['last:chat', 'user'])
    expect(await kept(1)).toEqual(['last:chat', 'user'])
    expect(await kept(2)).toEqual(['user'])
    expect((await take(userId, 1, 1)).kind).toBe('used_up')
    expect(await kept(90)).toEqual(['user'])
    expect(await kept(91)).toEqual([])
  })
})
