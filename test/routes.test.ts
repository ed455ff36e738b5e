/** `docs/routes.md` against the programs: each route is in the table, and asks for what the table says. */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApp, type ServerPorts } from '../agent-vm/server.ts'
import { startTestAgent } from '../agent-vm/testing/agent-under-test.ts'
import { RunnerUnderTest } from '../deploy-runner/testing/runner-under-test.ts'
import { app as worker } from '../functions/app.ts'
import { openDatabase } from '../functions/database/database.ts'
import { agents } from '../functions/database/schema.ts'
import { hashInferenceKey } from '../functions/inference/agent-key.ts'
import { migrateDatabase } from '../local/migrate.ts'
import { ROOT } from '../local/settings.ts'
import { type Sqld, startSqld } from '../local/sqld.ts'

interface Row {
  readonly program: string
  readonly method: string
  readonly path: string
  readonly authentication: string
  readonly bodyLimit: string
}

const ROWS: readonly Row[] = readFileSync(join(ROOT, 'docs/routes.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| (worker|agent|runner) /.test(line))
  .map((line) => {
    const [, program = '', method = '', path = '', authentication = '', bodyLimit = ''] = line
      .split('|')
      .map((cell) => cell.trim())
    return { program, method, path, authentication, bodyLimit }
  })

const SECRET = 'a-secret-of-enough-length'
const KEY = `bk-${'k'.repeat(40)}`
const UNITS: Readonly<Record<string, number>> = { KB: 1024, MB: 1024 ** 2 }

let dataDir: string
let sqld: Sqld
let runner: RunnerUnderTest

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'baal-routes-'))
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
  runner = await RunnerUnderTest.start()
})
afterAll(async () => {
  await runner.stop()
  await sqld.close()
  await rm(dataDir, { recursive: true, force: true })
})

/** Routes alone are looked at, and none gets past its guards: nothing behind them is needed. */
const agent = createApp({ secret: SECRET, log: () => undefined } as unknown as ServerPorts)

const environment = () => ({
  PUBLIC_URL: 'http://127.0.0.1:1',
  TELEGRAM_BOT_TOKEN: `7:${'a'.repeat(35)}`,
  TELEGRAM_WEBHOOK_SECRET: SECRET,
  LIBERTAI_API_KEY: 'key',
  ALEPH_SSH_PUBKEY: 'ssh-ed25519 AAAA',
  LIBSQL_URL: sqld.url,
  DEPLOY_RUNNER_URL: 'http://127.0.0.1:1',
  BOT_ENCRYPTION_KEY: Buffer.alloc(32).toString('base64url'),
  WORKER_SIGNING_KEY: '{}',
  ADMIN_TOKEN: SECRET,
})

type App = { request(path: string, init: RequestInit, env?: object): Response | Promise<Response> }
const apps = (): Readonly<Record<string, App>> => ({ worker, agent, runner: runner.app })

async function call(
  { program, method, path }: Row,
  headers: Record<string, string> = {},
  body?: string,
): Promise<Response> {
  const asked = path.replace(':bot', '7').replace(/:\w+/g, 'rosa').replace('*', 'a.txt')
  const init = { method, headers, ...(body === undefined ? {} : { body }) }
  return apps()[program]?.request(asked, init, environment()) ?? expect.fail(`no program ${program}`)
}

const WRONG: Readonly<Record<string, readonly Record<string, string>[]>> = {
  'webhook secret': [{ 'x-telegram-bot-api-secret-token': `${SECRET}x` }, { authorization: `Bearer ${SECRET}` }],
  'scoped key': [{ authorization: `Bearer ${KEY}x` }, { authorization: KEY }, { 'x-api-key': KEY }],
  'agent secret': [{ authorization: `Bearer ${SECRET}x` }, { authorization: SECRET }, { authorization: 'Bearer ' }],
  'signed call': [{ authorization: 'Bearer a.b.c' }, { authorization: `Bearer ${SECRET}` }],
  'admin token': [{ authorization: `Bearer ${SECRET}x` }, { authorization: SECRET }],
}
const RIGHT: Readonly<Record<string, Record<string, string>>> = {
  'webhook secret': { 'x-telegram-bot-api-secret-token': SECRET },
  'scoped key': { authorization: `Bearer ${KEY}` },
  'agent secret': { authorization: `Bearer ${SECRET}` },
}

test('the table and the programs have the same routes', () => {
  const listed = (program: string) =>
    ROWS.filter((row) => row.program === program).map(({ method, path }) => `${method} ${path}`)
  const served = (routes: readonly { method: string; path: string }[]) =>
    // What is for all methods is a guard in front of routes.
    routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`)
  for (const [program, { routes }] of Object.entries({ worker, agent, runner: runner.app })) {
    expect([...new Set(served(routes))].sort(), program).toEqual(listed(program).sort())
  }
})

describe.each(ROWS)('$program $method $path', (row) => {
  test('is open or shut as the table says, and says nothing of what it is made of', async () => {
    const attempts = [{}, ...(WRONG[row.authentication] ?? [])]
    if (row.authentication !== 'none') expect(attempts.length).toBeGreaterThan(1)
    // The agent of this test has nothing behind its guards to be healthy.
    else if (row.program === 'agent') return
    for (const headers of attempts) {
      const response = await call(row, headers, row.method === 'GET' ? undefined : '{}')
      expect([response.status, JSON.stringify(headers)]).toEqual([
        row.authentication === 'none' ? 200 : 401,
        JSON.stringify(headers),
      ])
      expect(response.headers.get('x-content-type-options')).toBe('nosniff')
      expect(response.headers.get('cache-control')).toContain('no-store')
      expect(response.headers.get('server') ?? response.headers.get('x-powered-by')).toBe(null)
    }
  })

  const limit = /^(\d+) (KB|MB)$/.exec(row.bodyLimit)
  test.runIf(limit)('takes no larger body', async () => {
    const bytes = Number(limit?.[1]) * (UNITS[limit?.[2] ?? ''] ?? 0)
    const body = ' '.repeat(bytes + 1)
    const response =
      row.authentication === 'signed call'
        ? await runner.post(row.path, body)
        : await call(row, RIGHT[row.authentication], body)
    expect(response.status).toBe(row.authentication === 'signed call' ? 401 : 413)
  })
})

test('an agent server on the network names no framework, and tells a stranger nothing about its routes', async () => {
  const running = await startTestAgent()
  try {
    for (const path of ['/health', '/config', '/nothing-there']) {
      const { status, headers } = await fetch(`${running.url}${path}`)
      expect(status).toBe(path === '/health' ? 200 : 401)
      expect([headers.get('server'), headers.get('x-powered-by')]).toEqual([null, null])
      expect(headers.get('x-content-type-options')).toBe('nosniff')
    }
  } finally {
    await running.close()
  }
})
