import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { migrateDatabase } from '../local/migrate.ts'
import { type Sqld, startSqld } from '../local/sqld.ts'
import type { Bindings } from './bindings.ts'
import { openDatabase } from './database/database.ts'
import { DAY_MS, takeMessage } from './database/limits.ts'
import { pokeChats } from './poke-chats.ts'

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
