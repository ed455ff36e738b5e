/** The gateway as it runs in production: in workerd, with sqld and a provider beside it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createTestHarness, unstable_startWorker as startWorker } from 'wrangler'
import { migrateDatabase } from '../../../local/migrate.ts'
import { startSqld } from '../../../local/sqld.ts'
import { type Database, openDatabase } from '../../database/database.ts'
import { agents, usage, users } from '../../database/schema.ts'
import { createSeal } from '../../seal.ts'
import { hashInferenceKey } from '../agent-key.ts'
import { type FakeProvider, startFakeProvider } from './provider.fake.ts'

export const REAL_KEY = 'operators-real-key-0123456789'
export const SEARCH_KEY = 'brave-real-key-0123456789'
const ENCRYPTION_KEY = Buffer.alloc(32, 7).toString('base64url')

export interface GatewayHarness {
  /** Base address for the `openai` package. */
  readonly baseUrl: string
  readonly provider: FakeProvider
  readonly database: Database
  /** @returns the new agent's scoped key */
  addAgent(agent: { id: string; ownerId?: number; status?: 'running' | 'deleting' | 'failed' }): Promise<string>
  giveOwnerKey(ownerId: number, key: string): Promise<void>
  /** Use of an agent, once `requests` are counted and settled. */
  usageOf(agentId: string): Promise<(typeof usage.$inferSelect)[]>
  logs(): string
  close(): Promise<void>
}

/** @param ownNetwork the Worker makes its own connections; the harness makes them in its place and hides who leaves */
export async function startGateway(
  variables: Record<string, string> = {},
  { ownNetwork = false }: { ownNetwork?: boolean } = {},
): Promise<GatewayHarness> {
  const dataDir = await mkdtemp(join(tmpdir(), 'baal-gateway-'))
  const sqld = await startSqld({ dataDir, port: 0 })
  await migrateDatabase(sqld.url)
  const provider = await startFakeProvider()
  const database = openDatabase({ url: sqld.url })
  const seal = createSeal(ENCRYPTION_KEY)
  const vars = {
    PUBLIC_URL: 'http://127.0.0.1:1',
    TELEGRAM_BOT_TOKEN: `7000000001:${'a'.repeat(35)}`,
    TELEGRAM_WEBHOOK_SECRET: 'a-secret-of-enough-length',
    LIBERTAI_API_KEY: REAL_KEY,
    LIBERTAI_BASE_URL: `${provider.url}/v1`,
    BRAVE_API_KEY: SEARCH_KEY,
    BRAVE_SEARCH_URL: provider.url,
    LIBSQL_URL: sqld.url,
    BOT_ENCRYPTION_KEY: ENCRYPTION_KEY,
    WORKER_SIGNING_KEY: 'not-used-here',
    ALEPH_SSH_PUBKEY: 'ssh-ed25519 AAAA',
    ...variables,
  }
  const server = ownNetwork ? await runAlone(vars) : await runInHarness(vars)
  return {
    baseUrl: new URL('/v1', server.url).href,
    provider,
    database,
    async addAgent({ id, ownerId = 1, status = 'running' }) {
      const key = `bk-${id}-${'k'.repeat(32)}`
      await database.insert(agents).values({
        id,
        ownerId,
        name: id,
        prompt: 'Be helpful.',
        model: 'qwen3-coder-next',
        status,
        secretSealed: '',
        inferenceKeySealed: '',
        inferenceKeyHash: hashInferenceKey(key),
        createdAt: 0,
        updatedAt: 0,
      })
      return key
    },
    async giveOwnerKey(ownerId, key) {
      const apiKeySealed = await seal.seal(key, { what: 'user-key', id: String(ownerId) })
      await database.insert(users).values({ id: ownerId, apiKeySealed, createdAt: 0 })
    },
    usageOf: async (agentId) => (await database.select().from(usage)).filter((row) => row.agentId === agentId),
    logs: server.logs,
    async close() {
      await server.close()
      await provider.close()
      await sqld.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

interface RunningWorker {
  readonly url: URL
  logs(): string
  close(): Promise<void>
}

const CONFIG = fileURLToPath(new URL('wrangler.toml', import.meta.url))

async function runInHarness(vars: Record<string, string>): Promise<RunningWorker> {
  const server = createTestHarness({ workers: [{ configPath: CONFIG, vars }] })
  const { url } = await server.listen()
  return { url, logs: () => JSON.stringify(server.getLogs()), close: () => server.close() }
}

async function runAlone(vars: Record<string, string>): Promise<RunningWorker> {
  const worker = await startWorker({
    config: CONFIG,
    bindings: Object.fromEntries(Object.entries(vars).map(([name, value]) => [name, { type: 'plain_text', value }])),
    dev: { server: { hostname: '127.0.0.1', port: 0 }, inspector: false, watch: false, logLevel: 'none' },
  })
  await worker.ready
  return { url: await worker.url, logs: () => '', close: () => worker.dispose() }
}
