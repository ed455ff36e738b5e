import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { migrateDatabase } from '../local/migrate.ts'
import { type Sqld, startSqld } from '../local/sqld.ts'
import type { Bindings } from './bindings.ts'
import { openDatabase } from './database/database.ts'
import { DAY_MS, takeMessage } from './database/limits.ts'
import { messageCounts } from './database/schema.ts'
import { MAX_CHATS, POKE_EVERY_MS, pokeChats } from './poke-chats.ts'

const NOW = Date.UTC(2026, 10, 23, 0, 5)
let sqld: Sqld
let dataDir: string

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'baal-poke-'))
  sqld = await startSqld({ dataDir })
  await migrateDatabase(sqld.url)
})
afterAll(async () => {
  await sqld.close()
  await rm(dataDir, { recursive: true, force: true })
})

test('chats spoken in since yesterday are touched once, and one that fails does not keep the others from it', async () => {
  const database = openDatabase({ url: sqld.url })
  const spoken: readonly [string, number, number][] = [
    ['1:10', 1, NOW],
    ['1:10', 2, NOW - DAY_MS],
    ['1:-20:3', 3, NOW - 10 * 60_000],
    ['1:30', 4, NOW - 3 * DAY_MS],
  ]
  for (const [chatName, updateId, now] of spoken) {
    await takeMessage(database, { userId: updateId, now, limits: [{ scope: 'user' }], source: { chatName, updateId } })
  }
  const poked: string[] = []
  vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  const CHAT = {
    getByName: (name: string) => ({
      poke: async () => {
        poked.push(name)
        throw new Error('storage is gone')
      },
    }),
  } as unknown as Bindings['CHAT']
  await pokeChats({ database, env: { CHAT } }, NOW)
  expect(poked.sort()).toEqual(['1:-20:3', '1:10'])
})

test('more chats than one run may touch are all touched within a few runs', async () => {
  const database = openDatabase({ url: sqld.url })
  const day = new Date(NOW).toISOString().slice(0, 10)
  const chats = Array.from({ length: 2 * MAX_CHATS }, (_, n) => `2:${n}`)
  await database
    .insert(messageCounts)
    .values(chats.map((chat, n) => ({ userId: n, scope: `last:${chat}`, day, count: 1 })))
  const poked = new Set<string>()
  const CHAT = { getByName: (name: string) => ({ poke: async () => poked.add(name) }) } as unknown as Bindings['CHAT']
  for (let run = 0; run < 3; run++) await pokeChats({ database, env: { CHAT } }, NOW + run * POKE_EVERY_MS)
  expect(chats.filter((chat) => !poked.has(chat))).toEqual([])
})
