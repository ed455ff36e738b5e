import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { AGENT_KEY, startWorkerInNode, type WorkerInNode } from '../test/worker-in-node.ts'
import { agents } from './database/schema.ts'

const LIMIT = 5

let worker: WorkerInNode
let counted: Map<string, number>

beforeAll(async () => {
  worker = await startWorkerInNode()
})
afterAll(() => worker.close())
beforeEach(() => {
  counted = new Map()
})

const STRANGER_RATE = {
  limit: async ({ key }: { key: string }) => {
    counted.set(key, (counted.get(key) ?? 0) + 1)
    return { success: (counted.get(key) ?? 0) <= LIMIT }
  },
}

function call(path: string, { key, address = '192.0.2.1' }: { key?: string; address?: string } = {}) {
  const headers = { 'cf-connecting-ip': address, ...(key ? { authorization: `Bearer ${key}` } : {}) }
  return worker.request(path, { headers }, { STRANGER_RATE })
}

const statuses = async (calls: readonly Promise<Response>[]) => (await Promise.all(calls)).map(({ status }) => status)

describe('an address that shows nothing we know', () => {
  test('may ask for health so often and not more', async () => {
    for (let n = 0; n < LIMIT; n++) expect((await call('/health')).status).toBe(200)
    const refused = await call('/health')
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60'])
    expect((await call('/health', { address: '192.0.2.2' })).status).toBe(200)
  })

  test('may try so many keys and not more', async () => {
    for (let n = 0; n < LIMIT; n++)
      expect((await call('/v1/models', { key: `bk-${'x'.repeat(30)}${n}` })).status).toBe(401)
    const refused = await call('/v1/models', { key: `bk-${'y'.repeat(30)}` })
    expect([refused.status, await refused.json()]).toMatchObject([429, { error: { code: 'too_many_unknown_keys' } }])
  })

  test('does not take the place of an agent that shares it', async () => {
    expect((await call('/v1/models', { key: AGENT_KEY })).status).toBe(200)
    await statuses(Array.from({ length: LIMIT * 2 }, (_, n) => call('/v1/models', { key: `bk-${'z'.repeat(30)}${n}` })))
    expect(await statuses(Array.from({ length: LIMIT * 2 }, () => call('/v1/models', { key: AGENT_KEY })))).toEqual(
      Array.from({ length: LIMIT * 2 }, () => 200),
    )
  })

  test('is refused at once when its key was taken back', async () => {
    expect((await call('/v1/models', { key: AGENT_KEY })).status).toBe(200)
    await worker.database.update(agents).set({ status: 'deleting' })
    expect((await call('/v1/models', { key: AGENT_KEY })).status).toBe(401)
  })
})
