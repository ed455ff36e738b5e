import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { findLastFailure } from './agents.ts'
import type { Database } from './database.ts'
import { forgetEndedRows } from './ended-rows.ts'
import { DAY_MS } from './limits.ts'
import { registerHost } from './machines-pool.ts'
import { findKnownInstances } from './machines-sweep.ts'
import { agents, deployments, machines } from './schema.ts'
import { startTestDatabase, type TestDatabase } from './testing/test-database.ts'

const NOW = Date.parse('2026-11-24T00:05:00Z')
const OLD = NOW - 91 * DAY_MS
const RECENT = NOW - 89 * DAY_MS

let opened: TestDatabase
let database: Database
beforeAll(async () => {
  opened = await startTestDatabase()
  database = opened.database
})
afterAll(() => opened?.close())
beforeEach(() => database.batch([database.delete(agents), database.delete(machines), database.delete(deployments)]))

type Machine = typeof machines.$inferInsert
type Deployment = typeof deployments.$inferInsert

const machine = (id: string, facts: Partial<Machine> = {}): Machine => ({
  ...{ id, name: `baal-${id}`, itemHash: `hash-${id}`, kind: 'aleph', state: 'gone', goneAt: OLD },
  ...{ createdAt: OLD, updatedAt: OLD },
  ...facts,
})
const deployment = (id: string, agentId: string, facts: Partial<Deployment> = {}): Deployment => ({
  ...{ id, agentId, kind: 'create', status: 'done', createdAt: OLD, updatedAt: OLD },
  ...facts,
})
const giveAgent = (id: string, status: 'running' | 'failed' | 'deleted') =>
  database.insert(agents).values({
    ...{ id, status, ownerId: 1, name: id, prompt: '', model: 'glm', secretSealed: '', inferenceKeySealed: '' },
    ...{ inferenceKeyHash: id, createdAt: OLD, updatedAt: OLD },
  })
async function left(): Promise<string[]> {
  for (let time = 0; time < 2; time++) await forgetEndedRows(database, NOW)
  const rows = [...(await database.select().from(machines)), ...(await database.select().from(deployments))]
  return rows.map(({ id }) => id).toSorted()
}

test('a machine that is gone is forgotten after 90 days, any other never', async () => {
  const states = [
    'recorded',
    'created',
    'placed',
    'preparing',
    'warm',
    'claimed',
    'in_use',
    'failed',
    'destroying',
  ] as const
  await database
    .insert(machines)
    .values([
      machine('old'),
      machine('recent', { goneAt: RECENT }),
      machine('undated', { goneAt: null }),
      ...states.map((state) => machine(state, { state, goneAt: null })),
    ])
  expect(await left()).toEqual(['recent', 'undated', ...states].toSorted())
})

test('an instance without its row is what it was with it: known by nobody, so that the sweep forgets it', async () => {
  await database.insert(machines).values([machine('old'), machine('live', { state: 'destroying', goneAt: null })])
  const instances = ['old', 'live'].map((id) => ({ itemHash: `hash-${id}`, name: `baal-${id}` }))
  const before = await findKnownInstances(database, instances)
  expect(await left()).toEqual(['live'])
  expect(await findKnownInstances(database, instances)).toEqual(before)
  expect([...before.byHash]).toEqual(['hash-live'])
})

test('a host of the operator’s own is remembered: added again, it is wiped first', async () => {
  await database.insert(machines).values(machine('host', { kind: 'ssh', name: '192.0.2.7:22', itemHash: null }))
  expect(await left()).toEqual(['host'])
  const address = { sshHost: '192.0.2.7', sshPort: 22, sshUser: 'root', url: 'https://agents.example' }
  await registerHost(database, { ...address, id: 'again', name: '192.0.2.7:22', now: NOW })
  expect((await database.select().from(machines)).map(({ state }) => state)).toEqual(['destroying'])
})

test('deployments that ended are forgotten after 90 days, but for the last one of an agent that there is', async () => {
  await giveAgent('rosa', 'failed')
  await giveAgent('max', 'running')
  await giveAgent('otto', 'deleted')
  await database.insert(deployments).values([
    deployment('rosa1', 'rosa', { createdAt: OLD - 2 }),
    // Of the same moment: the last is the same as for who asks for the last failure.
    deployment('rosa2', 'rosa'),
    deployment('rosa3', 'rosa', { status: 'failed', errorCode: 'no_capacity' }),
    deployment('max1', 'max', { status: 'failed', errorCode: 'timeout' }),
    deployment('max2', 'max', { createdAt: RECENT, updatedAt: RECENT }),
    deployment('otto1', 'otto', { kind: 'destroy' }),
    deployment('otto2', 'otto', { kind: 'destroy', updatedAt: RECENT }),
    deployment('nobody', 'erased'),
    deployment('running', 'otto', { status: 'running' }),
  ])
  const failures = () => Promise.all(['rosa', 'max'].map((id) => findLastFailure(database, id)))
  const before = await failures()
  expect(await left()).toEqual(['max2', 'otto2', 'rosa3', 'running'])
  expect(await failures()).toEqual(before)
  expect(before).toEqual([{ code: 'no_capacity', message: null }, undefined])
})
