import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { migrateDatabase } from '../local/migrate.ts'
import { type Sqld, startSqld } from '../local/sqld.ts'
import { app } from './app.ts'
import { openDatabase } from './database/database.ts'
import { agents } from './database/schema.ts'
import { hashInferenceKey } from './inference/agent-key.ts'

const KEY = `bk-${'k'.repeat(40)}`
const LIMIT = 5

let dataDir: string
let sqld: Sqld
let counted: Map<string, number>

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'baal-strangers-'))
  sqld = await startSqld({ dataDir })
  await migrateDatabase(sqld.url)
  await openDatabase({ url: sqld.url })
    .insert(agents)
    .values({
      id: 'rosa',
      ownerId: 1,
      name: 'Rosa',
      prompt: '',
      model: 'glm-4.7',
      status: 'running',
      secretSealed: '',
      inferenceKeySealed: '',
      inferenceKeyHash: hashInferenceKey(KEY),
      createdAt: 0,
      updatedAt: 0,
    })
})
afterAll(async () => {
  await sqld.close()
  await rm(dataDir, { recursive: true, force: true })
})
beforeEach(() => {
  counted = new Map()
})

async function call(path: string, { key, address = '192.0.2.1' }: { key?: string; address?: string } = {}) {
  const headers = { 'cf-connecting-ip': address, ...(key ? { authorization: `Bearer ${key}` } : {}) }
  return app.request(
    path,
    { headers },
    {
      PUBLIC_URL: 'http://127.0.0.1:1',
      TELEGRAM_BOT_TOKEN: `7:${'a'.repeat(35)}`,
      TELEGRAM_WEBHOOK_SECRET: 'a-secret-of-enough-length',
      LIBERTAI_API_KEY: 'key',
      ALEPH_SSH_PUBKEY: 'ssh-ed25519 AAAA',
      LIBSQL_URL: sqld.url,
      DEPLOY_RUNNER_URL: 'http://127.0.0.1:1',
      BOT_ENCRYPTION_KEY: Buffer.alloc(32).toString('base64url'),
      WORKER_SIGNING_KEY: '{}',
      STRANGER_RATE: {
        limit: async ({ key: of }: { key: string }) => {
          counted.set(of, (counted.get(of) ?? 0) + 1)
          return { success: (counted.get(of) ?? 0) <= LIMIT }
        },
      },
    },
  )
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
    expect((await call('/v1/models', { key: KEY })).status).toBe(200)
    await statuses(Array.from({ length: LIMIT * 2 }, (_, n) => call('/v1/models', { key: `bk-${'z'.repeat(30)}${n}` })))
    expect(await statuses(Array.from({ length: LIMIT * 2 }, () => call('/v1/models', { key: KEY })))).toEqual(
      Array.from({ length: LIMIT * 2 }, () => 200),
    )
  })

  test('is refused at once when its key was taken back', async () => {
    expect((await call('/v1/models', { key: KEY })).status).toBe(200)
    await openDatabase({ url: sqld.url }).update(agents).set({ status: 'deleting' })
    expect((await call('/v1/models', { key: KEY })).status).toBe(401)
  })
})
