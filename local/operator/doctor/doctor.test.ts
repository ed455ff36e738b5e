import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isNotNull } from 'drizzle-orm'
import { Api } from 'grammy'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { botIdOf } from '../../../functions/bot-id.ts'
import { registerBot } from '../../../functions/chat/bot-profile.ts'
import { type Database, openDatabase } from '../../../functions/database/database.ts'
import { agents, machines, rollouts } from '../../../functions/database/schema.ts'
import { createSeal } from '../../../functions/seal.ts'
import { VERSION } from '../../../functions/version.ts'
import { type Aleph, startAleph } from '../../aleph/start-aleph.ts'
import { makeEncryptionKey, makeSigningKey, makeSshPair, publicHalfOf } from '../../made-keys.ts'
import { migrateDatabase } from '../../migrate.ts'
import { type Model, startModel } from '../../model/start-model.ts'
import { ROOT } from '../../settings.ts'
import { freePort, type Sqld, startSqld } from '../../sqld.ts'
import { ALICE, startTelegram, type Telegram } from '../../telegram/start-telegram.ts'
import { saveValues } from '../production-file.ts'
import type { Values } from '../production-values.ts'
import { startTestRunner, type TestRunner } from '../testing/runner.ts'
import { examine } from './doctor.ts'

const TOKEN = '7000000001:AAtestTESTtestTESTtestTESTdoctor'
const SECRET = 'the-webhook-secret-of-this-test'
const DAY = 342_000

let folder: string
let sqld: Sqld
let database: Database
let telegram: Telegram
let model: Model
let aleph: Aleph
let runner: TestRunner
/** Plays the Worker: its health and its webhook are all that is asked. */
let worker: Server
let agent: Server
let health: Record<string, string>
let agentVersion = 'abcdef012345'
let values: Values

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baal-doctor-'))
  const signing = makeSigningKey()
  const ssh = makeSshPair()
  health = { status: 'ok', version: VERSION, database: 'ok', runner: 'ok' }
  worker = await serve((request, response) => {
    const isStranger = request.method === 'POST' && request.headers['x-telegram-bot-api-secret-token'] !== SECRET
    response.writeHead(isStranger ? 401 : 200).end(JSON.stringify(health))
  })
  agent = await serve((_request, response) => {
    const well = { status: 'ok', agent_name: 'Rosa', model: 'm', uptime_s: 7_300, turns_running: 0 }
    response.end(JSON.stringify({ ...well, version: agentVersion }))
  })
  ;[sqld, telegram, model, aleph, runner] = await Promise.all([
    startSqld({ dataDir: folder }),
    startTelegram({ port: 0, token: TOKEN, limits: 'off' }),
    startModel({ port: 0, key: 'libertai-key' }),
    startAleph({ port: 0, dataDir: folder, credits: 100 * DAY }),
    startTestRunner(publicHalfOf(signing), ssh.private),
  ])
  values = {
    PUBLIC_URL: urlOf(worker),
    TELEGRAM_BOT_TOKEN: TOKEN,
    TELEGRAM_API_ROOT: telegram.url,
    TELEGRAM_WEBHOOK_SECRET: SECRET,
    LIBERTAI_API_KEY: 'libertai-key',
    LIBERTAI_BASE_URL: `${model.url}/v1`,
    ALEPH_PRIVATE_KEY: 'ab'.repeat(32),
    ALEPH_API_URLS: aleph.url,
    ALEPH_SSH_PUBKEY: ssh.public,
    LIBSQL_URL: sqld.url,
    DEPLOY_RUNNER_URL: runner.url,
    BOT_ENCRYPTION_KEY: makeEncryptionKey(),
    WORKER_SIGNING_KEY: signing,
  }
  await migrateDatabase(sqld.url)
  database = openDatabase({ url: sqld.url })
  await register()
  await addAgent('rosa', 'running', urlOf(agent))
})
afterAll(async () => {
  for (const server of [worker, agent]) {
    server?.closeAllConnections()
    server?.close()
  }
  await Promise.all([telegram?.close(), model?.close(), aleph?.close(), runner?.close()])
  await sqld?.close()
  await rm(folder, { recursive: true, force: true })
})

const register = (secret = SECRET) =>
  registerBot({
    api: new Api(TOKEN, { apiRoot: telegram.url }),
    publicUrl: values.PUBLIC_URL ?? '',
    botPath: `/telegram/${botIdOf(TOKEN)}`,
    secret,
  })

async function addAgent(id: string, status: 'running' | 'failed' | 'creating', url: string | null): Promise<void> {
  const secretSealed = await createSeal(values.BOT_ENCRYPTION_KEY ?? '').seal('secret', { what: 'agent-secret', id })
  const row = { ownerId: 1, name: 'Her secret name', prompt: '', model: 'm', secretSealed, inferenceKeySealed: '' }
  await database.insert(agents).values({ ...row, id, status, url, inferenceKeyHash: id, createdAt: 0, updatedAt: 0 })
}

/** What is not well, with what to do; of one part. */
async function troubles(part: string, changed: Values = {}): Promise<string[]> {
  const findings = await examine({ ...values, ...changed }, '.prod.vars')
  return findings
    .filter((finding) => finding.part === part && finding.status !== 'ok')
    .map(({ status, line, whatToDo }) => `${status}: ${line} → ${whatToDo}`)
}
const nowhere = async () => `http://127.0.0.1:${await freePort()}`

describe('npm run doctor', () => {
  test('finds nothing where all is well, and says so of every part', async () => {
    const findings = await examine(values, '.prod.vars')
    expect(findings.filter(({ status }) => status !== 'ok')).toEqual([])
    const parts = new Set(findings.map(({ part }) => part))
    expect([...parts]).toEqual([
      'node',
      'config',
      'database',
      'keys',
      'telegram',
      'worker',
      'model',
      'aleph',
      'runner',
      'machines',
      'agent',
    ])
  })

  test('shows neither secrets nor the words of people', async () => {
    const shown = JSON.stringify(await examine(values, '.prod.vars'))
    expect(shown).not.toContain('Her secret name')
    for (const name of [
      'TELEGRAM_BOT_TOKEN',
      'TELEGRAM_WEBHOOK_SECRET',
      'ALEPH_PRIVATE_KEY',
      'BOT_ENCRYPTION_KEY',
      'LIBERTAI_API_KEY',
    ]) {
      expect(shown).not.toContain(values[name])
    }
  })

  test('as a program: one line each, JSON on request, and an exit code for scripts', async () => {
    const file = join(folder, '.prod.vars')
    await saveValues(file, values)
    const well = await program(['--json', '--file', file])
    expect(well.code).toBe(0)
    expect(JSON.parse(well.stdout)).toContainEqual(expect.objectContaining({ part: 'telegram', status: 'ok' }))
    await saveValues(file, { ...values, LIBERTAI_API_KEY: 'another' })
    const ill = await program(['--file', file])
    expect(ill.code).toBe(1)
    expect(ill.stdout).toMatch(/^FAIL {2}model {5}the key is refused → .*$/m)
  })
})

describe('the doctor notices', () => {
  test('a Node that is too old', async () => {
    expect(await examine(values, '.prod.vars', 'v22.1.0')).toContainEqual(
      expect.objectContaining({ part: 'node', status: 'fail', whatToDo: expect.stringContaining('npm run doctor') }),
    )
  })

  test('values that are missing or malformed, and still looks at the database', async () => {
    const changed = { PUBLIC_URL: '', ALEPH_PRIVATE_KEY: 'zz', LIBSQL_URL: await nowhere() }
    expect(await troubles('config', changed)).toEqual([
      expect.stringContaining('PUBLIC_URL: is not set'),
      expect.stringContaining('ALEPH_PRIVATE_KEY: must be 64'),
    ])
    expect(await troubles('database', changed)).toEqual([expect.stringMatching(/fail: The database does not answer/)])
  })

  test('a number that is none, and a pool that can never be as large as it shall be', async () => {
    expect(await troubles('config', { FREE_TIER_DAILY_MESSAGES: 'many' })).toEqual([
      expect.stringContaining('FREE_TIER_DAILY_MESSAGES: must be a number'),
    ])
    expect(await troubles('config', { POOL_MIN_SIZE: '9', POOL_MAX_SIZE: '5' })).toEqual([
      expect.stringMatching(/warn: POOL_MIN_SIZE is 9, but POOL_MAX_SIZE keeps 5/),
    ])
  })

  test('keys that look well and are the wrong ones', async () => {
    const other = makeEncryptionKey()
    expect(await troubles('keys', { BOT_ENCRYPTION_KEY: other })).toEqual([
      expect.stringMatching(/fail: BOT_ENCRYPTION_KEY does not open 1 of 1 .*BOT_ENCRYPTION_KEY_FORMER/),
    ])
    const former = { BOT_ENCRYPTION_KEY: other, BOT_ENCRYPTION_KEY_FORMER: values.BOT_ENCRYPTION_KEY ?? '' }
    expect(await troubles('keys', former)).toEqual([])
    expect(await troubles('keys', { WORKER_SIGNING_KEY: 'nonsense' })).toEqual([
      expect.stringContaining('fail: WORKER_SIGNING_KEY is no Ed25519 key'),
    ])
    expect(await troubles('runner', { WORKER_SIGNING_KEY: 'nonsense' })).toEqual([])
    expect(await troubles('keys', { DEPLOY_RUNNER_URL: '' })).toEqual([
      expect.stringContaining('fail: SSH_PRIVATE_KEY is not set'),
    ])
  })

  test('a database without the newest tables', async () => {
    const empty = await startSqld({ dataDir: join(folder, 'empty') })
    expect(await troubles('database', { LIBSQL_URL: empty.url })).toEqual([
      expect.stringMatching(/lacks 0000_first.*npm run deploy/),
    ])
    await empty.close()
  })

  test('a refused bot token, and a Telegram that does not answer', async () => {
    expect(await troubles('telegram', { TELEGRAM_BOT_TOKEN: '7000000001:of-somebody-else-0123456789' })).toEqual([
      expect.stringContaining('@BotFather'),
    ])
    expect(await troubles('telegram', { TELEGRAM_API_ROOT: await nowhere() })).toEqual([
      expect.stringContaining('Telegram does not answer'),
    ])
  })

  test('a webhook that is missing, or goes elsewhere', async () => {
    const api = new Api(TOKEN, { apiRoot: telegram.url })
    await api.deleteWebhook()
    const changed = { PUBLIC_URL: 'https://baal.invalid' }
    expect(await troubles('telegram', changed)).toEqual([expect.stringContaining('there is no webhook')])
    await api.setWebhook('http://127.0.0.1:1/elsewhere')
    expect(await troubles('telegram')).toEqual([
      expect.stringMatching(/fail: updates go to .*elsewhere.*npm run deploy/),
    ])
    await register()
  })

  test('updates that wait, and that Telegram and the Worker know different secrets', async () => {
    await register('another-secret-than-the-workers')
    telegram.sim.start(ALICE)
    for (let message = 0; message < 101; message++) telegram.sim.sendText({ from: ALICE }, `message ${message}`)
    const api = new Api(TOKEN, { apiRoot: telegram.url })
    await expect.poll(async () => (await api.getWebhookInfo()).last_error_message, { timeout: 20_000 }).toContain('401')
    const found = await troubles('telegram')
    expect(found).toContainEqual(expect.stringMatching(/warn: 10\d updates wait/))
    expect(found).toContainEqual(expect.stringMatching(/could not be delivered.*401.*different secrets/))
    await api.deleteWebhook({ drop_pending_updates: true })
    await register()
  })

  test('a Worker that is gone, old, refuses our secret, or does not reach what it needs', async () => {
    expect(await troubles('worker', { PUBLIC_URL: await nowhere() })).toEqual([
      expect.stringContaining('does not answer'),
    ])
    expect(await troubles('worker', { TELEGRAM_WEBHOOK_SECRET: 'another-secret-than-the-workers' })).toEqual([
      expect.stringMatching(/answers 401 to an update with our secret/),
    ])
    const well = health
    health = { ...well, version: '0.0.9', database: 'unreachable', runner: 'unreachable' }
    expect(await troubles('worker')).toEqual([
      expect.stringMatching(/warn: runs version 0\.0\.9/),
      expect.stringContaining('does not reach the database'),
      expect.stringContaining('does not reach the deploy-runner'),
    ])
    health = well
  })

  test('a model key that is refused, a model that is gone, an account that is empty or nearly', async () => {
    expect(await troubles('model', { LIBERTAI_API_KEY: 'another' })).toEqual([
      expect.stringContaining('the key is refused'),
    ])
    expect(await troubles('model', { LIBERTAI_BASE_URL: `${await nowhere()}/v1` })).toEqual([
      expect.stringContaining('does not answer as it should'),
    ])
    for (const [balance, expected] of [
      [0, /fail: the balance is used up/],
      [1.5, /warn: the balance is 1\.50/],
    ] as const) {
      const poor = await startModel({ port: 0, balance })
      expect(await troubles('model', { LIBERTAI_BASE_URL: `${poor.url}/v1` })).toEqual([
        expect.stringMatching(expected),
      ])
      await poor.close()
    }
    const other = await serve((request, response) => {
      response.writeHead(request.url === '/v1/models' ? 200 : 404).end(JSON.stringify({ data: [{ id: 'glm-4.7' }] }))
    })
    const url = `${urlOf(other)}/v1`
    expect(await troubles('model', { LIBERTAI_BASE_URL: url })).toEqual([
      expect.stringMatching(/qwen3-coder-next is not served/),
    ])
    other.close()
  })

  test('credits that do not last, at the present number of machines', async () => {
    aleph.network.credits = DAY / 2
    expect(await troubles('aleph')).toEqual([expect.stringMatching(/not enough for a first machine.*Top up/)])
    const machine = (id: string) =>
      ({ id, kind: 'aleph', name: id, itemHash: id, state: 'in_use', createdAt: 0, updatedAt: 0 }) as const
    await database.insert(machines).values([machine('m1'), machine('m2')])
    aleph.network.credits = 100 * DAY
    expect((await examine(values, '')).filter(({ part }) => part === 'aleph').map(({ line }) => line)).toContain(
      'credits of $34.20 last 50.0 days for the 2 machines',
    )
    for (const [days, expected] of [
      [3, /warn: .*last 3\.0 days/],
      [1.2, /fail: .*no further machine/],
      [0.5, /fail: .*takes machines away/],
    ] as const) {
      aleph.network.credits = days * 2 * DAY
      expect(await troubles('aleph')).toEqual([expect.stringMatching(expected)])
    }
    // What machines cost is what the network said when they were ordered.
    aleph.network.credits = 12 * DAY
    await database.update(machines).set({ creditsPerDay: 2 * DAY })
    expect(await troubles('aleph')).toEqual([expect.stringMatching(/warn: .*last 3\.0 days/)])
    aleph.network.credits = 100 * DAY
  })

  test('an Aleph network that does not answer, and that there is no account', async () => {
    expect(await troubles('aleph', { ALEPH_API_URLS: await nowhere() })).toEqual([
      expect.stringContaining('no core node answers'),
    ])
    expect(await troubles('aleph', { ALEPH_PRIVATE_KEY: '' })).toEqual([
      expect.stringMatching(/warn: there is no account/),
    ])
  })

  test('a runner that opens machines with another key than new ones let in', async () => {
    expect(await troubles('runner', { ALEPH_SSH_PUBKEY: makeSshPair().public })).toEqual([
      expect.stringContaining('another key than ALEPH_SSH_PUBKEY'),
    ])
  })

  test('a runner that is gone, or refuses our signature', async () => {
    expect(await troubles('runner', { DEPLOY_RUNNER_URL: await nowhere() })).toEqual([
      expect.stringContaining('does not answer'),
    ])
    expect(await troubles('runner', { WORKER_SIGNING_KEY: makeSigningKey() })).toEqual([
      expect.stringMatching(/refuses our signature.*WORKER_PUBLIC_KEY/),
    ])
  })

  test('hosts that need a hand, machines that fail again and again, and an update that stopped', async () => {
    expect(await troubles('machines')).toEqual([])
    const now = Date.now()
    const row = { createdAt: now, updatedAt: now, failedAt: now }
    const host = { ...row, kind: 'ssh', state: 'in_use', failure: 'host_key_mismatch' } as const
    const failed = { ...row, kind: 'aleph', state: 'gone', failure: 'out_of_credit' } as const
    await database
      .insert(machines)
      .values([
        { ...host, id: 'h1', name: '192.0.2.7:22', sshHost: '192.0.2.7' },
        ...[1, 2, 3, 4].map((number) => ({ ...failed, id: `f${number}`, name: `f${number}` })),
      ])
    const rollout = {
      id: 'r1',
      status: 'stopped',
      startedBy: 1,
      total: 9,
      updated: 2,
      createdAt: 1,
      updatedAt: 1,
    } as const
    await database.insert(rollouts).values({ ...rollout, failedAgentId: 'rosa', error: 'rolled_back_outside' })
    expect(await troubles('machines')).toEqual([
      expect.stringMatching(/warn: the host 192\.0\.2\.7:22 is in_use: host_key_mismatch → .*\/pool remove/),
      expect.stringMatching(/warn: 5 machines failed in 24 hours: 4 × out_of_credit \(no node\)/),
      expect.stringMatching(/warn: the last update of all agents stopped after 2 of 9 at rosa: rolled_back_outside/),
    ])
    await database.delete(rollouts)
    await database.delete(machines).where(isNotNull(machines.failure))
  })

  test('each agent that is silent, broken or old', async () => {
    await addAgent('silent', 'running', await nowhere())
    await addAgent('broken', 'failed', null)
    agentVersion = '000000000000'
    expect(await troubles('agent')).toEqual([
      expect.stringMatching(/warn: rosa answers, version 0{12}; newest is abcdef012345.*\/update/),
      expect.stringMatching(/fail: silent does not answer.*\/repair/),
      expect.stringMatching(/warn: broken could not be set up/),
    ])
  })
})

async function serve(listener: RequestListener): Promise<Server> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

const urlOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

function program(args: readonly string[]): Promise<{ code: number; stdout: string }> {
  const main = join(ROOT, 'local/operator/doctor-main.ts')
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { env: { PATH: process.env.PATH } }, (error, stdout) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout })
    })
  })
}
