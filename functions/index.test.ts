/** The whole Worker, as it is deployed, in workerd. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestHarness } from 'wrangler'
import { migrateDatabase } from '../local/migrate.ts'
import { type Sqld, startSqld } from '../local/sqld.ts'

const CONFIG = fileURLToPath(new URL('../wrangler.toml', import.meta.url))
const SECRET = 'a-secret-of-enough-length'
const VARIABLES = {
  PUBLIC_URL: 'http://127.0.0.1:1',
  TELEGRAM_BOT_TOKEN: `7000000001:${'a'.repeat(35)}`,
  TELEGRAM_API_ROOT: 'http://127.0.0.1:1',
  TELEGRAM_WEBHOOK_SECRET: SECRET,
  LIBERTAI_API_KEY: 'a-provider-key-0123456789',
  LIBERTAI_BASE_URL: 'http://127.0.0.1:1/v1',
  DEPLOY_RUNNER_URL: 'http://127.0.0.1:1',
  BOT_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64url'),
  WORKER_SIGNING_KEY: 'a-signing-key-0123456789',
  ALEPH_SSH_PUBKEY: 'ssh-ed25519 AAAA',
}

let sqld: Sqld
let dataDir: string

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'baal-worker-'))
  sqld = await startSqld({ dataDir })
  await migrateDatabase(sqld.url)
})
afterAll(async () => {
  await sqld.close()
  await rm(dataDir, { recursive: true, force: true })
})

describe('the Worker', () => {
  let worker: ReturnType<typeof createTestHarness>

  beforeAll(async () => {
    worker = createTestHarness({ workers: [{ configPath: CONFIG, vars: { ...VARIABLES, LIBSQL_URL: sqld.url } }] })
    await worker.listen()
  })
  afterAll(() => worker.close())

  test('tells anyone how it is, without secrets or addresses', async () => {
    const response = await worker.fetch('/health')
    expect(response.status).toBe(200)
    const text = await response.text()
    expect(JSON.parse(text)).toEqual({
      status: 'degraded',
      version: expect.any(String),
      database: 'ok',
      runner: 'unreachable',
    })
    for (const value of Object.values(VARIABLES)) expect(text).not.toContain(value)
  })

  test.each([
    ['GET', '/', 404, 'not_found'],
    ['GET', '/telegram/7000000001', 405, 'method_not_allowed'],
    ['DELETE', '/health', 405, 'method_not_allowed'],
    ['POST', '/admin/metrics', 405, 'method_not_allowed'],
    ['PUT', '/v1/models/glm-4.7', 405, 'method_not_allowed'],
    ['POST', '/agents/a1/pending', 401, 'unauthorized'],
    ['POST', '/telegram/7000000001', 401, 'unauthorized'],
  ])('answers %s %s with %i and JSON', async (method, path, status, error) => {
    const response = await worker.fetch(path, { method })
    expect([response.status, await response.json()]).toEqual([status, { error }])
  })

  test('takes an update once and says so', async () => {
    const post = () =>
      worker.fetch('/telegram/7000000001', {
        method: 'POST',
        headers: { 'x-telegram-bot-api-secret-token': SECRET },
        body: JSON.stringify({ update_id: 9, something_new: {} }),
      })
    expect((await post()).status).toBe(200)
    expect((await post()).status).toBe(200)
  })
})

test('a Worker without its settings says so to nobody but the log, naming each and showing none', async () => {
  const { LIBERTAI_API_KEY, ...rest } = VARIABLES
  const vars = { ...rest, LIBSQL_URL: sqld.url, BOT_ENCRYPTION_KEY: 'too-short-to-be-a-key' }
  const worker = createTestHarness({ workers: [{ configPath: CONFIG, vars }] })
  await worker.listen()
  try {
    const response = await worker.fetch('/health')
    expect([response.status, await response.json()]).toEqual([500, { error: 'misconfigured' }])
    const logs = JSON.stringify(worker.getLogs())
    expect(logs).toContain('LIBERTAI_API_KEY: is not set')
    expect(logs).toContain('BOT_ENCRYPTION_KEY: must be 32 bytes')
    for (const value of [LIBERTAI_API_KEY, 'too-short-to-be-a-key', SECRET]) expect(logs).not.toContain(value)
  } finally {
    await worker.close()
  }
})
