import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Api } from 'grammy'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { makeSigningKey, publicHalfOf } from '../made-keys.ts'
import { pendingMigrations } from '../migrate.ts'
import { ROOT } from '../settings.ts'
import { freePort, type Sqld, startSqld } from '../sqld.ts'
import { ALICE, startTelegram, type Telegram } from '../telegram/start-telegram.ts'
import type { Terminal } from './ask.ts'
import { type DeployOptions, deploy } from './deploy.ts'
import { loadValues, saveValues } from './production-file.ts'
import type { Values } from './production-values.ts'
import { FAKE_WRANGLER, type FakeCloudflare, startFakeCloudflare } from './testing/cloudflare.fake.ts'
import { startTestRunner } from './testing/runner.ts'
import { createWrangler, type Wrangler } from './wrangler.ts'

const TOKEN = '7000000001:AAtestTESTtestTESTtestTESTdeploy'

let folder: string
let file: string
let sqld: Sqld
let telegram: Telegram
let cloud: FakeCloudflare
/** What a person has at hand. */
let answers: Record<string, string>
let asked: string[]
let said: string[]

const real = createWrangler(FAKE_WRANGLER)
let built: Promise<string> | undefined
/** The code does not change between these tests: built once. */
const wrangler: Wrangler = {
  ...real,
  buildHash() {
    built ??= real.buildHash()
    return built
  },
}

const terminal: Terminal = {
  interactive: true,
  async ask(question) {
    const name = /([A-Z_]+)(?: \[.*\])?: $/.exec(question)?.[1] ?? ''
    asked.push(name)
    return answers[name] ?? ''
  },
}

const run = async (options: Partial<DeployOptions> = {}) => {
  said = []
  asked = []
  cloud.calls.length = 0
  telegram.sim.world.calls.clear()
  await deploy({
    file,
    dryRun: false,
    terminal,
    wrangler,
    say: (line) => said.push(line),
    hasDocker: async () => true,
    ...options,
  })
  return said.join('\n')
}
/** What Cloudflare and Telegram were told to change. */
const cloudChanges = () =>
  cloud.calls.map(({ args }) => args.slice(0, 2).join(' ')).filter((call) => !/whoami|list/.test(call))
/** The menu of an operator's own chat is the Worker's doing, in its own time. */
const botChanges = () =>
  telegram.sim
    .calls()
    .filter(({ params }) => !JSON.stringify(params.scope ?? '').includes('chat_id'))
    .map(({ method }) => method)
    .filter((method) => method.startsWith('set'))
const failure = async (options: Partial<DeployOptions> = {}) => {
  const error = await run(options).then(
    () => new Error('it went well'),
    (thrown: Error) => thrown,
  )
  return `${error.message} → ${'whatToDo' in error ? error.whatToDo : ''}`
}
const change = async (values: Values) => saveValues(file, { ...(await loadValues(file)), ...values })
const without = async (name: string) => {
  const { [name]: _, ...rest } = await loadValues(file)
  await saveValues(file, rest)
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baal-deploy-'))
  file = join(folder, '.prod.vars')
  sqld = await startSqld({ dataDir: folder })
  telegram = await startTelegram({ port: 0, token: TOKEN, limits: 'off', retryDelayMs: () => 200 })
  cloud = await startFakeCloudflare()
  answers = {
    TELEGRAM_BOT_TOKEN: TOKEN,
    LIBERTAI_API_KEY: 'libertai-key-0123456789',
    ALEPH_PRIVATE_KEY: 'ab'.repeat(32),
    LIBSQL_URL: sqld.url,
    ADMIN_IDS: String(ALICE),
  }
  await saveValues(file, { TELEGRAM_API_ROOT: telegram.url })
})
beforeEach(() => {
  vi.stubEnv('CLOUDFLARE_FAKE_URL', cloud.controlUrl)
})
afterEach(() => {
  vi.unstubAllEnvs()
})
afterAll(async () => {
  await cloud?.close()
  await telegram?.close()
  await sqld?.close()
  await rm(folder, { recursive: true, force: true })
})

// One story: each test begins with what the one before has left.
describe('npm run deploy', () => {
  test('shows with --dry-run what it would do, and does nothing', async () => {
    const shown = await run({ dryRun: true })
    expect(shown).toContain('Would make TELEGRAM_WEBHOOK_SECRET, BOT_ENCRYPTION_KEY, WORKER_SIGNING_KEY')
    for (const part of ['database', 'secrets', 'worker', 'webhook', 'profile'])
      expect(shown).toMatch(new RegExp(`^ {2}${part} `, 'm'))
    expect(cloudChanges()).toEqual([])
    expect(botChanges()).toEqual([])
    expect(await loadValues(file)).toEqual({ TELEGRAM_API_ROOT: telegram.url })
    expect(await pendingMigrations(sqld.url)).not.toEqual([])
  })

  test('brings everything up and ends with the link to a bot that answers', async () => {
    const shown = await run()
    expect(shown).toContain('https://t.me/')
    expect(asked).toEqual(expect.arrayContaining(['TELEGRAM_BOT_TOKEN', 'LIBSQL_URL', 'PUBLIC_URL', 'BRAVE_API_KEY']))
    expect(await pendingMigrations(sqld.url)).toEqual([])
    telegram.sim.start(ALICE)
    await vi.waitFor(() => expect(telegram.sim.calls({ method: 'sendMessage' })).toHaveLength(1), { timeout: 30_000 })
  })

  test('keeps what it made in a file for its owner alone, and shows none of it', async () => {
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const values = await loadValues(file)
    expect(values.PUBLIC_URL).toBe(cloud.workerUrl)
    const secrets = [
      'TELEGRAM_WEBHOOK_SECRET',
      'BOT_ENCRYPTION_KEY',
      'WORKER_SIGNING_KEY',
      'SSH_PRIVATE_KEY',
      'ADMIN_TOKEN',
    ]
    const printed = said.join('\n')
    for (const name of [...secrets, 'TELEGRAM_BOT_TOKEN', 'LIBERTAI_API_KEY', 'ALEPH_PRIVATE_KEY']) {
      expect(values[name], name).toBeTruthy()
      expect(printed).not.toContain(values[name])
      expect(cloud.calls.flatMap(({ args }) => args).join(' ')).not.toContain(values[name])
      expect(await readFile(join(folder, '.prod.state.json'), 'utf8')).not.toContain(values[name])
    }
  })

  test('asks nothing and changes nothing the second time', async () => {
    expect(await run()).toContain('Nothing differs.')
    expect(asked).toEqual([])
    expect(cloudChanges()).toEqual([])
    expect(botChanges()).toEqual([])
  })

  test('sets only the secret that has changed', async () => {
    await change({ BRAVE_API_KEY: 'brave-key-0123456789' })
    await run()
    expect(cloudChanges()).toEqual(['secret bulk'])
    expect(JSON.parse(cloud.calls.find(({ args }) => args[1] === 'bulk')?.stdin ?? '')).toEqual({
      BRAVE_API_KEY: 'brave-key-0123456789',
    })
  })

  test('tells Telegram and the Worker together of a new webhook secret', async () => {
    await change({ TELEGRAM_WEBHOOK_SECRET: 'a-new-secret-of-the-webhook' })
    await without('BRAVE_API_KEY')
    expect(await run()).toContain('BRAVE_API_KEY (taken away)')
    expect(cloud.secrets).not.toHaveProperty('BRAVE_API_KEY')
    expect(cloudChanges()).toEqual(['secret bulk'])
    expect(botChanges()).toEqual(['setWebhook'])
    telegram.sim.sendText({ from: ALICE }, '/help')
    await vi.waitFor(() => expect(JSON.stringify(telegram.sim.calls({ method: 'sendMessage' }))).toContain('/create'), {
      timeout: 30_000,
    })
  })

  test('mends what somebody changed at Telegram', async () => {
    const api = new Api(TOKEN, { apiRoot: telegram.url })
    await api.setMyDescription('Not ours')
    await api.setWebhook(`${cloud.workerUrl}/elsewhere`)
    await run()
    expect(botChanges()).toEqual(['setWebhook', 'setMyDescription'])
  })

  test('uploads the Worker again when a variable differs, and goes on where a refused upload stopped', async () => {
    await change({ FREE_TIER_DAILY_MESSAGES: '7' })
    cloud.refuseNextDeployment = true
    expect(await failure()).toMatch(/wrangler deploy failed:[\s\S]*10013.*→ Mend/)
    await run()
    expect(cloud.calls.find(({ args }) => args[0] === 'deploy')?.args).toEqual([
      'deploy',
      '--var',
      'FREE_TIER_DAILY_MESSAGES:7',
    ])
  })

  test('leaves image and SSH key out where the runner is elsewhere, and tries the way to it', async () => {
    const { WORKER_SIGNING_KEY = '' } = await loadValues(file)
    const stranger = await startTestRunner(publicHalfOf(makeSigningKey()))
    await change({ DEPLOY_RUNNER_URL: stranger.url })
    expect(await failure()).toContain('refuses our signature')
    await stranger.close()
    const runner = await startTestRunner(publicHalfOf(WORKER_SIGNING_KEY))
    await change({ DEPLOY_RUNNER_URL: runner.url })
    expect(await run({ hasDocker: async () => false })).toContain('takes our signature')
    await runner.close()
    expect(cloud.secrets).not.toHaveProperty('SSH_PRIVATE_KEY')
    const environment = await readFile(join(folder, '.prod.runner.env'), 'utf8')
    expect(environment).toContain(`WORKER_PUBLIC_KEY=${JSON.stringify(publicHalfOf(WORKER_SIGNING_KEY))}`)
    await without('DEPLOY_RUNNER_URL')
  })
})

describe('npm run deploy says what to do', () => {
  const kept = async (work: () => Promise<void>) => {
    const values = await loadValues(file)
    await work()
    await saveValues(file, values)
  }

  test('when nobody is logged in at Cloudflare; a dry run does without', async () => {
    cloud.loggedIn = false
    expect(await failure()).toContain('npx wrangler login')
    expect(await run({ dryRun: true })).toContain('comparing with what was deployed from here last')
    cloud.loggedIn = true
  })

  test('when there is no Docker for the image', async () => {
    expect(await failure({ hasDocker: async () => false })).toMatch(/Docker does not answer.*DEPLOY_RUNNER_URL/)
  })

  test('when values are missing and there is nobody to ask', () =>
    kept(async () => {
      await without('LIBSQL_URL')
      await without('ALEPH_PRIVATE_KEY')
      const words = await failure({ terminal: { ...terminal, interactive: false } })
      expect(words).toMatch(/ALEPH_PRIVATE_KEY: .*Aleph credits[\s\S]*LIBSQL_URL: .*turso/)
    }))

  test('when a value is malformed, without showing it', () =>
    kept(async () => {
      await change({ ALEPH_PRIVATE_KEY: 'not-a-key-but-secret' })
      const words = await failure()
      expect(words).toContain('ALEPH_PRIVATE_KEY: must be 64 hexadecimal digits')
      expect(words).not.toContain('not-a-key-but-secret')
    }))

  test('when Telegram refuses the token', () =>
    kept(async () => {
      await change({ TELEGRAM_BOT_TOKEN: '7000000001:somebody-elses-token-0123456' })
      expect(await failure()).toContain('@BotFather')
    }))

  test('when the database does not answer', () =>
    kept(async () => {
      await change({ LIBSQL_URL: `http://127.0.0.1:${await freePort()}` })
      expect(await failure()).toContain('Check LIBSQL_URL')
    }))

  test('when others can read the keys, or a name is misspelt', async () => {
    await chmod(file, 0o644)
    expect(await failure()).toContain(`chmod 600 ${file}`)
    await writeFile(file, `${await readFile(file, 'utf8')}LIBSQL_TOKEN='x'\n`)
    await chmod(file, 0o600)
    expect(await failure()).toContain('nothing reads LIBSQL_TOKEN')
  })

  test('as a program: on standard error, with exit code 1', async () => {
    const program = [join(ROOT, 'local/operator/deploy-main.ts'), '--dry-run', '--file', join(folder, 'no-such-file')]
    const ended = promisify(execFile)(process.execPath, program, { env: { PATH: process.env.PATH } })
    await expect(ended).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('TELEGRAM_BOT_TOKEN') })
  })
})
