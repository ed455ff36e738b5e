/** Delivery as it runs in production: the Worker in workerd, sqld, a Telegram and an agent server, all on this machine. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createClient } from '@libsql/client'
import { Api } from 'grammy'
import { createTestHarness } from 'wrangler'
import { migrateDatabase } from '../../../local/migrate.ts'
import { type Sqld, startSqld } from '../../../local/sqld.ts'
import { startTelegram, type Telegram, type TelegramOptions } from '../../../local/telegram/start-telegram.ts'
import { createSeal } from '../../seal.ts'
import { type FakeAgentServer, type FakeBrain, startFakeAgentServer } from './agent-server.fake.ts'
import { TEST_AGENT_ID } from './simple-handlers.ts'

export const BOT_ID = 7_000_000_001
export const TOKEN = `${BOT_ID}:abcdefghijklmnopqrstuvwxyz012345`
export const WEBHOOK_SECRET = 'a-webhook-secret-of-the-tests'
const ENCRYPTION_KEY = Buffer.alloc(32, 7).toString('base64url')

/** What stands around the Worker. */
export interface Surroundings {
  readonly telegram: Telegram
  readonly agent: FakeAgentServer
  readonly sqld: Sqld
  readonly dataDir: string
  readonly botName: string
  /** The Worker's variables. */
  readonly variables: Readonly<Record<string, string>>
  close(): Promise<void>
}

export async function startSurroundings(
  brain: FakeBrain,
  options: Partial<TelegramOptions> = {},
): Promise<Surroundings> {
  const dataDir = await mkdtemp(join(tmpdir(), 'baal-delivery-'))
  const sqld = await startSqld({ dataDir: join(dataDir, 'database'), port: 0 })
  await migrateDatabase(sqld.url)
  const agent = await startFakeAgentServer(brain)
  await saveAgent(sqld.url, agent)
  const telegram = await startTelegram({ port: 0, token: TOKEN, limits: 'off', retryDelayMs: () => 100, ...options })
  const { username: botName } = await new Api(TOKEN, { apiRoot: telegram.url }).getMe()
  const variables = {
    PUBLIC_URL: 'http://127.0.0.1:1',
    TELEGRAM_BOT_TOKEN: TOKEN,
    TELEGRAM_API_ROOT: telegram.url,
    TELEGRAM_WEBHOOK_SECRET: WEBHOOK_SECRET,
    LIBERTAI_API_KEY: 'not-used-here',
    LIBSQL_URL: sqld.url,
    BOT_ENCRYPTION_KEY: ENCRYPTION_KEY,
    WORKER_SIGNING_KEY: 'not-used-here',
    ALEPH_SSH_PUBKEY: 'ssh-ed25519 AAAA',
  }
  const close = async () => {
    await telegram.close()
    await agent.close()
    await sqld.close()
    await rm(dataDir, { recursive: true, force: true })
  }
  return { telegram, agent, sqld, dataDir, botName, variables, close }
}

export type DeliveryHarness = Surroundings & {
  readonly server: ReturnType<typeof createTestHarness>
}

/** Everything, with the Worker inside wrangler's own harness. */
export async function startDelivery(
  brain: FakeBrain,
  { vars = {}, ...options }: Partial<TelegramOptions> & { vars?: Record<string, string> } = {},
): Promise<DeliveryHarness> {
  const around = await startSurroundings(brain, options)
  const configPath = fileURLToPath(new URL('wrangler.toml', import.meta.url))
  const server = createTestHarness({ workers: [{ configPath, vars: { ...around.variables, ...vars } }] })
  const { url } = await server.listen()
  await setWebhook(around.telegram, new URL(`/telegram/${BOT_ID}`, url).href)
  return {
    ...around,
    server,
    close: async () => {
      await server.close()
      await around.close()
    },
  }
}

/** Somebody whom no other test knows. */
export function newcomer({ telegram: { sim } }: Pick<Surroundings, 'telegram'>) {
  return { sim, person: sim.addPerson({ first_name: 'Ann' }).id }
}

export async function setWebhook(telegram: Telegram, url: string): Promise<void> {
  const api = new Api(TOKEN, { apiRoot: telegram.url })
  await api.setWebhook(url, {
    secret_token: WEBHOOK_SECRET,
    allowed_updates: [
      'message',
      'edited_message',
      'callback_query',
      'my_chat_member',
      'message_reaction',
      'stopped_message_generation',
    ],
  })
}

async function saveAgent(url: string, agent: FakeAgentServer): Promise<void> {
  const seal = createSeal(ENCRYPTION_KEY)
  const client = createClient({ url })
  const now = Date.now()
  await client.execute({
    sql: `INSERT INTO agents (id, owner_id, name, prompt, model, status, url, secret_sealed, inference_key_sealed,
            inference_key_hash, created_at, updated_at) VALUES (?, ?, ?, ?, ?, 'running', ?, ?, 'x', 'x', ?, ?)`,
    args: [
      TEST_AGENT_ID,
      1,
      'Rex',
      'Be helpful',
      'm',
      agent.url,
      await seal.seal(agent.secret, { what: 'agent-secret', id: TEST_AGENT_ID }),
      now,
      now,
    ],
  })
  client.close()
}
