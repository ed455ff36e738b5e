/**
 * `npm run bench:local`: what a person waits for, on one machine with the stand-ins. Absolute times are this machine's; the
 * ratios are against an empty Worker in the same run.
 *
 * The model's stand-in speaks its first token after 0 ms here, so that what is measured is ours.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startProcess } from '../../local/child-process.ts'
import { startService } from '../../local/service.ts'
import { loadSettings, ROOT } from '../../local/settings.ts'
import { freePort } from '../../local/sqld.ts'
import { Person } from '../story/person.ts'
import { setUpBaal } from '../story/set-up.ts'

const RUNS = 5
const WEBHOOKS = 60
const PORT = 18_600

const rows: [string, string, string][] = []

const emptyStartMs = await medianOf(3, measureEmptyWorkerStart)
const warmMs = await measureWarmStarts()
rows.push([
  '`npm start` to ready, warm',
  ms(warmMs),
  `${ratio(warmMs, emptyStartMs)} an empty Worker’s start (${ms(emptyStartMs)})`,
])

const setUp = await setUpBaal(PORT, { MODEL_TOKEN_DELAY_MS: '0' })
const person = await Person.meet(setUp.baal.pageUrl)
const creations: number[] = []
for (let run = 0; run < 3; run++) creations.push(await measureCreation(`Rosa${run}`))
rows.push(['confirm to the agent’s first words', ms(median(creations)), ''])

const empty = await startEmptyWorker()
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

const drafts: number[] = []
for (let run = 0; run < RUNS; run++) drafts.push(await measureFirstDraft())
rows.push(['message to first visible draft, model without delay', ms(median(drafts)), ''])
await setUp.close()

console.log(`\n| figure | median | beside |\n|---|---|---|\n${rows.map((row) => `| ${row.join(' | ')} |`).join('\n')}`)
process.exit(0)

async function measureWarmStarts(): Promise<number> {
  const dataDir = await mkdtemp(join(tmpdir(), 'baal-bench-'))
  const environment = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    BAAL_DATA_DIR: dataDir,
    PORT: String(PORT + 50),
  }
  const start = async () => {
    const startedAt = performance.now()
    const ready = Promise.withResolvers<number>()
    const npm = startProcess({
      name: 'npm start',
      // As `npm start` runs it; npm itself would be gone before what it started has stopped.
      command: 'node',
      args: ['local/bootstrap.mjs', 'local/start.ts'],
      cwd: ROOT,
      env: environment,
      onLine: (line) => line.startsWith('Baal is ready') && ready.resolve(performance.now() - startedAt),
    })
    const took = await Promise.race([ready.promise, npm.ended.then(() => Promise.reject(new Error(npm.lastOutput())))])
    await npm.stop()
    return took
  }
  await start()
  const times = [await start(), await start(), await start()]
  await rm(dataDir, { recursive: true, force: true })
  return median(times)
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

async function measureFirstDraft(): Promise<number> {
  const startedAt = performance.now()
  await person.say('write a long story')
  const before = (await person.botTexts()).length
  while ((await person.read()).drafts.every(({ text }) => !text) && (await person.botTexts()).length === before) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  const took = performance.now() - startedAt
  await person.hears('The end.')
  return took
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

async function measureEmptyWorkerStart(): Promise<number> {
  const startedAt = performance.now()
  const worker = await startEmptyWorker()
  const took = performance.now() - startedAt
  await worker.stop()
  return took
}

async function startEmptyWorker(): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'baal-empty-'))
  await writeFile(join(folder, 'worker.mjs'), 'export default { fetch: () => new Response("ok") }\n')
  await writeFile(
    join(folder, 'wrangler.toml'),
    'name = "empty"\nmain = "worker.mjs"\ncompatibility_date = "2026-11-01"\n',
  )
  const port = await freePort()
  const url = `http://127.0.0.1:${port}/`
  const service = await startService({
    name: 'an empty Worker',
    command: process.execPath,
    args: [
      join(ROOT, 'node_modules/wrangler/bin/wrangler.js'),
      'dev',
      '--ip',
      '127.0.0.1',
      '--port',
      String(port),
      '--inspector-port',
      '0',
      '--log-level',
      'warn',
    ],
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      CI: '1',
      CLOUDFLARE_CF_FETCH_ENABLED: 'false',
      WRANGLER_SEND_METRICS: 'false',
    },
    ready: {
      ask: () =>
        fetch(url).then(
          (response) => response.ok,
          () => false,
        ),
    },
  })
  return {
    url,
    async stop() {
      await service.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
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
