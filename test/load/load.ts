/**
 * Many chats at once through the real Worker in workerd and real agent servers, against stand-ins for Telegram and the model,
 * with Telegram's troubles on; then counts what people saw, and how much memory each part took over time.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Api } from 'grammy'
import { ALLOWED_UPDATES } from '../../functions/chat/bot-profile.ts'
import { openDatabase } from '../../functions/database/database.ts'
import { agents } from '../../functions/database/schema.ts'
import { hashInferenceKey } from '../../functions/inference/agent-key.ts'
import { createSeal } from '../../functions/seal.ts'
import { migrateDatabase } from '../../local/migrate.ts'
import { ROOT } from '../../local/settings.ts'
import { freePort, startSqld } from '../../local/sqld.ts'
import { startTelegram, type Telegram } from '../../local/telegram/start-telegram.ts'
import { killableWorker } from '../crash/killable-worker.ts'
import { type AgentServer, PROMPT, startAgentServers } from './agent-servers.ts'
import { converse, type Heard } from './conversations.ts'
import { startEchoModel } from './echo-model.ts'
import { liveHeapAt } from './live-heap.ts'
import { type Growth, growthOf, type Sample, sampleMemory } from './memory.ts'

export interface LoadOptions {
  readonly chats: number
  /** Per chat. */
  readonly messages: number
  readonly minutes: number
  readonly agentServers: number
  /** How often Telegram's troubles strike: 1 as in the crash matrix, 0 never. */
  readonly faults: number
  readonly seed: number
  /** How long to look for what comes twice, after the last answer. */
  readonly settleMs?: number
  readonly onProgress?: (line: string) => void
}

export interface LoadReport extends Omit<Heard, 'latenciesMs'> {
  readonly seconds: number
  readonly answersPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly memory: readonly Growth[]
  readonly samples: readonly Sample[]
  /** The last calls to Telegram, by method and, where it was none, by what went wrong. */
  readonly telegramCalls: Readonly<Record<string, number>>
  readonly messagesKeptByTelegram: number
  readonly modelRequests: number
  /** What the Worker's and the agents' logs say, by event. */
  readonly logged: Readonly<Record<string, number>>
  /** Every line that the Worker and the agents printed. */
  readonly printed: readonly string[]
}

const BOT_ID = 7_000_000_002
const TOKEN = `${BOT_ID}:load-run-token-of-the-stand-in-0`
const WEBHOOK_SECRET = 'a-webhook-secret-of-the-load-run'
const AGENT_SECRET = 'an-agent-secret-of-the-load-run'
const ENCRYPTION_KEY = Buffer.alloc(32, 9).toString('base64url')
const MODEL_KEY = 'a-key-of-the-model-stand-in-0123'
const SETTLE_MS = 8_000
const SAMPLE_EVERY_MS = 5_000
/** Asking an engine to tidy up stops it for a moment. */
const HEAP_EVERY_MS = 20_000

const personOf = (index: number) => 6_000_001 + index
const agentIdOf = (index: number) => `load${String(index).padStart(4, '0')}`
const keyOf = (index: number) => `bk-load-${String(index).padStart(4, '0')}-${'k'.repeat(24)}`

/** What may stand in no line that anything prints. */
export const SECRETS = [TOKEN.split(':')[1] ?? '', WEBHOOK_SECRET, AGENT_SECRET, ENCRYPTION_KEY, MODEL_KEY, keyOf(0)]

export async function runLoad(options: LoadOptions): Promise<LoadReport> {
  const dataDir = await mkdtemp(join(tmpdir(), 'baal-load-'))
  const running: (() => Promise<unknown>)[] = [() => rm(dataDir, { recursive: true, force: true })]
  const printed: string[] = []
  try {
    options.onProgress?.('starting the database, Telegram, the model, the Worker and the agents')
    const sqld = await startSqld({ dataDir: join(dataDir, 'database'), port: 0 })
    running.unshift(() => sqld.close())
    await migrateDatabase(sqld.url)
    const telegram = await startTelegram({ port: 0, token: TOKEN, limits: 'real', retryDelayMs: () => 200 })
    running.unshift(() => telegram.close())
    const model = await startEchoModel()
    running.unshift(() => model.close())
    const inspectorPort = await freePort()
    const worker = await killableWorker({
      inspectorPort,
      config: join(ROOT, 'wrangler.toml'),
      dataDir,
      variables: workerVariables({ sqld: sqld.url, telegram: telegram.url, model: model.url }),
    })
    running.unshift(() => worker.stop())
    await worker.start()
    const servers = await startAgentServers({
      count: options.agentServers,
      dataDir,
      gatewayUrl: `${worker.url}/v1`,
      secret: AGENT_SECRET,
      keyOf,
      onLine: (line) => void printed.push(line),
    })
    running.unshift(...servers.map((server) => () => server.stop()))
    await saveAgents(sqld.url, servers, options.chats)
    const api = new Api(TOKEN, { apiRoot: telegram.url })
    await api.setWebhook(`${worker.url}/telegram/${BOT_ID}`, {
      secret_token: WEBHOOK_SECRET,
      allowed_updates: [...ALLOWED_UPDATES],
    })

    const startedAt = Date.now()
    const watched = watchMemory(
      { wrangler: [worker.pid()], agents: servers.map(({ pid }) => pid), database: [sqld.pid] },
      { workerd: [inspectorPort], agents: servers.map((server) => server.inspectorPort) },
      options,
    )
    orderTrouble(telegram, options)
    const { latenciesMs, ...heard } = await converse(telegram.sim, {
      chats: options.chats,
      messages: options.messages,
      untilMs: startedAt + options.minutes * 60_000,
      settleMs: options.settleMs ?? SETTLE_MS,
      personOf,
      agentOf: agentIdOf,
    })
    const samples = watched()
    printed.push(...worker.lines)
    const seconds = (Date.now() - startedAt) / 1000
    return {
      ...heard,
      seconds: Math.round(seconds),
      answersPerSecond: Math.round((latenciesMs.length / seconds) * 10) / 10,
      p50Ms: percentile(latenciesMs, 0.5),
      p99Ms: percentile(latenciesMs, 0.99),
      memory: growthOf(samples),
      samples,
      telegramCalls: countCalls(telegram),
      messagesKeptByTelegram: countMessages(telegram, options.chats),
      modelRequests: model.requests(),
      logged: countEvents(printed),
      printed,
    }
  } finally {
    for (const stop of running) await stop()
  }
}

function workerVariables(urls: { sqld: string; telegram: string; model: string }): Record<string, string> {
  return {
    PUBLIC_URL: 'http://127.0.0.1:1',
    TELEGRAM_BOT_TOKEN: TOKEN,
    TELEGRAM_API_ROOT: urls.telegram,
    TELEGRAM_WEBHOOK_SECRET: WEBHOOK_SECRET,
    LIBERTAI_API_KEY: MODEL_KEY,
    LIBERTAI_BASE_URL: `${urls.model}/v1`,
    LIBSQL_URL: urls.sqld,
    BOT_ENCRYPTION_KEY: ENCRYPTION_KEY,
    WORKER_SIGNING_KEY: '{}',
    ALEPH_SSH_PUBKEY: 'ssh-ed25519 AAAA',
    DEPLOY_RUNNER_URL: 'http://127.0.0.1:1',
    FREE_TIER_DAILY_MESSAGES: '1000000',
    AGENT_DAILY_REQUESTS: '1000000000',
    AGENT_DAILY_TOKENS: '1000000000000',
  }
}

/** One agent a person; several of them live on each server. The servers call with the keys of the first. */
async function saveAgents(url: string, servers: readonly AgentServer[], chats: number): Promise<void> {
  const database = openDatabase({ url })
  const seal = createSeal(ENCRYPTION_KEY)
  for (let index = 0; index < Math.max(chats, servers.length); index++) {
    const id = agentIdOf(index)
    await database.insert(agents).values({
      id,
      ownerId: personOf(index),
      name: `Rosa ${index}`,
      prompt: PROMPT,
      model: 'qwen3-coder-next',
      status: 'running',
      url: servers[index % servers.length]?.url ?? '',
      secretSealed: await seal.seal(AGENT_SECRET, { what: 'agent-secret', id }),
      inferenceKeySealed: '',
      inferenceKeyHash: hashInferenceKey(keyOf(index)),
      createdAt: 0,
      updatedAt: 0,
    })
  }
}

function orderTrouble({ sim }: Telegram, { faults, seed }: LoadOptions): void {
  if (faults <= 0) return
  sim.fault({ kind: 'flood', retry_after: 2, probability: 0.005 * faults, seed })
  sim.fault({ kind: 'server_error', probability: 0.01 * faults, seed: seed + 1 })
  sim.fault({ kind: 'drop_before', probability: 0.005 * faults, seed: seed + 2 })
  sim.fault({ kind: 'drop_after', probability: 0.01 * faults, seed: seed + 3 })
}

/** @returns stops, and gives all samples */
function watchMemory(
  roots: Readonly<Record<string, readonly number[]>>,
  inspectors: Readonly<Record<string, readonly number[]>>,
  { onProgress }: LoadOptions,
): () => Sample[] {
  const startedAt = Date.now()
  const samples: Sample[] = []
  let heaps: Record<string, number> = {}
  const look = () => {
    const { atS, parts } = sampleMemory(roots, Math.round((Date.now() - startedAt) / 1000))
    const own = { 'Telegram, model and people (this process)': process.memoryUsage().rss / 1024 / 1024 }
    const sample = { atS, parts: { ...parts, ...own, ...heaps } }
    samples.push(sample)
    const shown = Object.entries(sample.parts).map(([part, mb]) => `${part} ${Math.round(mb)} MB`)
    onProgress?.(`${atS} s: ${shown.join(', ')}`)
  }
  const tidy = async () => {
    for (const [part, ports] of Object.entries(inspectors)) {
      const sizes = await Promise.all(ports.map(liveHeapAt))
      if (sizes.some((size) => size === undefined)) continue
      heaps = {
        ...heaps,
        [`live heap of ${part}`]: sizes.reduce((sum: number, size) => sum + (size ?? 0), 0) / 1024 / 1024,
      }
    }
  }
  const timers = [setInterval(look, SAMPLE_EVERY_MS), setInterval(() => void tidy(), HEAP_EVERY_MS)]
  return () => {
    for (const timer of timers) clearInterval(timer)
    return samples
  }
}

function countEvents(lines: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const line of lines) {
    const event = /"event":"(\w+)"/.exec(line)?.[1]
    if (event) counts[event] = (counts[event] ?? 0) + 1
  }
  return counts
}

function countCalls({ sim }: Telegram): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { method, status, description } of sim.calls()) {
    const kind = status === 200 ? method : `${method}: ${status || 'dropped'} ${description ?? ''}`.trim()
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}

function countMessages({ sim }: Telegram, chats: number): number {
  let count = 0
  for (let index = 0; index < chats; index++) count += sim.messages(personOf(index)).length
  return count
}

function percentile(values: readonly number[], share: number): number {
  return Math.round(values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? 0)
}
