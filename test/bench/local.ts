/**
 * `npm run bench:local`: what a person waits for, on one machine with the stand-ins. Absolute times are this machine's; the
 * ratios are against an empty Worker in the same run. With `--cold` also the first start of a fresh clone, whose packages
 * come from the registry: most of it is the network's.
 *
 * The model's stand-in speaks its first token after 0 ms here, so that what is measured is ours.
 */
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startProcess } from '../../local/child-process.ts'
import { startModel } from '../../local/model/start-model.ts'
import { loadSettings, ROOT } from '../../local/settings.ts'
import { type KillableWorker, killableWorker } from '../crash/killable-worker.ts'
import { Person } from '../story/person.ts'
import { setUpBaal } from '../story/set-up.ts'

const RUNS = 5
const WEBHOOKS = 60
const PORT = 18_600
const MODEL_KEY = 'bench'
/** As fast as the fastest real models: the answer is still being written when its first words are seen. */
const TOKEN_DELAY_MS = 5
/** What a person needs to read and type, in which the chat's budget of calls recovers. */
const READING_PAUSE_MS = 5_000

const rows: [string, string, string][] = []

if (process.argv.includes('--cold'))
  rows.push(['`npm start` to ready, fresh clone and empty npm cache', ms(await measureColdStart()), ''])

const empty = await emptyWorker()
const emptyStartMs = await medianOf(3, () => measureStart(empty))
const warmMs = await measureWarmStarts()
rows.push([
  '`npm start` to ready, warm',
  ms(warmMs),
  `${ratio(warmMs, emptyStartMs)} an empty Worker’s start (${ms(emptyStartMs)})`,
])

let firstWordsAt = 0
const model = await startModel({
  port: 0,
  key: MODEL_KEY,
  tokenDelayMs: TOKEN_DELAY_MS,
  firstTokenDelayMs: 0,
  onFirstWords: () => {
    firstWordsAt = performance.now()
  },
})
const setUp = await setUpBaal(PORT, { LIBERTAI_API_KEY: MODEL_KEY, LIBERTAI_BASE_URL: `${model.url}/v1` })
const person = await Person.meet(setUp.baal.pageUrl)
const creations: number[] = []
for (let run = 0; run < 3; run++) creations.push(await measureCreation(`Rosa${run}`))
rows.push(['confirm to the agent’s first words', ms(median(creations)), ''])

await empty.start()
const [webhookMs, emptyMs] = [
  await measureWebhook(),
  await measureRequests(() => fetch(empty.url, { method: 'POST', body: '{}' })),
]
rows.push([
  'webhook to 200 (durable), p50',
  ms(webhookMs),
  `${ratio(webhookMs, emptyMs)} an empty Worker’s answer (${ms(emptyMs)})`,
])
await empty.stop()

const signs: FirstSign[] = []
for (let run = 0; run < RUNS; run++) signs.push(await measureFirstDraft())
rows.push(['first token to first visible draft', ms(median(signs.map(({ fromTokenMs }) => fromTokenMs))), ''])
rows.push(['message to first visible draft', ms(median(signs.map(({ fromMessageMs }) => fromMessageMs))), ''])
await setUp.close()
await model.close()

console.log(`\n| figure | median | beside |\n|---|---|---|\n${rows.map((row) => `| ${row.join(' | ')} |`).join('\n')}`)
process.exit(0)

/** @returns milliseconds from typing `npm start` to the printed page, installation included */
async function measureColdStart(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'baal-cold-'))
  const clone = join(folder, 'baal')
  execFileSync('git', ['clone', '--quiet', ROOT, clone])
  try {
    return await measureNpmStart(clone, {
      ...process.env,
      npm_config_cache: join(folder, 'npm'),
      PORT: String(PORT + 70),
      BAAL_DATA_DIR: join(folder, 'data'),
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function measureWarmStarts(): Promise<number> {
  const dataDir = await mkdtemp(join(tmpdir(), 'baal-bench-'))
  const environment = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    BAAL_DATA_DIR: dataDir,
    PORT: String(PORT + 50),
  }
  await measureNpmStart(ROOT, environment)
  const took = await medianOf(3, () => measureNpmStart(ROOT, environment))
  await rm(dataDir, { recursive: true, force: true })
  return took
}

async function measureNpmStart(cwd: string, env: NodeJS.ProcessEnv): Promise<number> {
  const startedAt = performance.now()
  const ready = Promise.withResolvers<number>()
  const npm = startProcess({
    name: 'npm start',
    // As `npm start` runs it; npm itself would be gone before what it started has stopped.
    command: 'node',
    args: ['local/bootstrap.mjs', 'local/start.ts'],
    cwd,
    env,
    onLine: (line) => line.startsWith('Baal is ready') && ready.resolve(performance.now() - startedAt),
  })
  const took = await Promise.race([ready.promise, npm.ended.then(() => Promise.reject(new Error(npm.lastOutput())))])
  await npm.stop()
  return took
}

async function measureCreation(name: string): Promise<number> {
  await person.say('/create')
  await person.hears('be called')
  await person.say(name)
  await person.press('Skip')
  await person.press('Qwen')
  await person.hears(/Everything right|Ready to|Create|model/i)
  const startedAt = performance.now()
  await person.press('🚀')
  await person.hears(`I'm ${name}`)
  return performance.now() - startedAt
}

async function measureWebhook(): Promise<number> {
  const settings = await loadSettings({ BAAL_DATA_DIR: setUp.dataDir, PORT: String(PORT) }, setUp.dataDir)
  const { TELEGRAM_BOT_TOKEN: token, TELEGRAM_WEBHOOK_SECRET: secret } = settings.made
  let update = 900_000_000
  return measureRequests(() => {
    update++
    // A service message: stored like any other update, and nothing is sent back for it.
    const message = {
      message_id: update,
      date: 0,
      chat: { id: 77, type: 'private' },
      from: { id: 77, is_bot: false, first_name: 'B' },
      pinned_message: { message_id: 1 },
    }
    return fetch(`${setUp.baal.workerUrl}/telegram/${token.split(':')[0]}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': secret },
      body: JSON.stringify({ update_id: update, message }),
    })
  })
}

interface FirstSign {
  readonly fromTokenMs: number
  readonly fromMessageMs: number
}

async function measureFirstDraft(): Promise<FirstSign> {
  await new Promise((resolve) => setTimeout(resolve, READING_PAUSE_MS))
  const before = (await person.botTexts()).length
  const startedAt = performance.now()
  const answered = person.ask('write a long story', 'The end.')
  while ((await person.read()).drafts.every(({ text }) => !text) && (await person.botTexts()).length === before) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  const seenAt = performance.now()
  await answered
  return { fromTokenMs: seenAt - firstWordsAt, fromMessageMs: seenAt - startedAt }
}

async function measureRequests(send: () => Promise<Response>): Promise<number> {
  const times: number[] = []
  for (let request = 0; request < WEBHOOKS; request++) {
    const startedAt = performance.now()
    const response = await send()
    await response.arrayBuffer()
    if (!response.ok) throw new Error(`answered ${response.status}`)
    times.push(performance.now() - startedAt)
  }
  return median(times.slice(10))
}

async function measureStart(worker: KillableWorker): Promise<number> {
  const startedAt = performance.now()
  await worker.start()
  const took = performance.now() - startedAt
  await worker.stop()
  return took
}

async function emptyWorker(): Promise<KillableWorker> {
  return killableWorker({
    config: join(ROOT, 'test/bench/empty-worker/wrangler.toml'),
    dataDir: await mkdtemp(join(tmpdir(), 'baal-empty-')),
    variables: {},
  })
}

async function medianOf(runs: number, measure: () => Promise<number>): Promise<number> {
  const times: number[] = []
  for (let run = 0; run < runs; run++) times.push(await measure())
  return median(times)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

function ms(value: number): string {
  return value >= 1_000 ? `${(value / 1_000).toFixed(1)} s` : `${value.toFixed(value < 10 ? 1 : 0)} ms`
}

function ratio(value: number, reference: number): string {
  return `${(value / reference).toFixed(1)} ×`
}
