import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Database } from './database.ts'
import { usage } from './schema.ts'
import { startTestDatabase, type TestDatabase } from './testing/test-database.ts'
import { foldOldUsage } from './usage.ts'
import { sumUsage } from './usage-report.ts'

const NOW = Date.parse('2026-11-24T00:05:00Z')

let opened: TestDatabase
let database: Database
beforeAll(async () => {
  opened = await startTestDatabase()
  database = opened.database
})
afterAll(() => opened?.close())

const use = (agentId: string, day: string, model: string, requests: number) =>
  database
    .insert(usage)
    .values({ agentId, day, model, requests, promptTokens: 10 * requests, completionTokens: requests })
const rows = async () =>
  (await database.select().from(usage)).map(
    ({ agentId, day, model, requests }) => `${agentId} ${day} ${model} ${requests}`,
  )

test('days of more than 90 days ago become months, each agent and model for itself, and no sum changes', async () => {
  await use('rosa', '2026-07-30', 'glm', 1)
  await use('rosa', '2026-07-31', 'glm', 2)
  await use('rosa', '2026-07-31', 'qwen', 4)
  await use('rex', '2026-07-31', 'glm', 8)
  await use('rosa', '2026-08-25', 'glm', 16)
  await use('rosa', '2026-08-26', 'glm', 32)
  await use('rosa', '2026-11-24', 'glm', 64)
  const sums = () => sumUsage(database, ['rosa', 'rex'], '2026-01-01')
  const before = await sums()
  for (let run = 0; run < 3; run++) await foldOldUsage(database, NOW)
  expect(await sums()).toEqual(before)
  expect((await rows()).toSorted()).toEqual([
    'rex 2026-07 glm 8',
    'rosa 2026-07 glm 3',
    'rosa 2026-07 qwen 4',
    'rosa 2026-08 glm 16',
    'rosa 2026-08-26 glm 32',
    'rosa 2026-11-24 glm 64',
  ])

  await foldOldUsage(database, NOW + 86_400_000)
  expect(await rows()).toContain('rosa 2026-08 glm 48')
  expect(await sums()).toEqual(before)
})
