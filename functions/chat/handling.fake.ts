/**
 * A small world to drive handlers in as a person would: a real database, chats that show what was said, buttons to press.
 * Telegram's limits are checked on everything that is shown.
 */
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eq } from 'drizzle-orm'
import type { Update, User } from 'grammy/types'
import type { ConfigUpdate, FileEntry } from '../../agent-vm/protocol.ts'
import { migrateDatabase } from '../../local/migrate.ts'
import { startSqld } from '../../local/sqld.ts'
import { parseConfig } from '../config.ts'
import { type Database, openDatabase } from '../database/database.ts'
import { agents, deployments } from '../database/schema.ts'
import { ensureUser } from '../database/users.ts'
import { createSeal, type Seal } from '../seal.ts'
import { UserFacingError } from '../user-facing-error.ts'
import { createAgentFor } from './agents/create-agent.ts'
import type { AgentControl, HandlerPorts, Import, ProviderAccount, TurnControl } from './handling.ts'
import type { Keyboard } from './outgoing.ts'
import type { FormattedText } from './text/formatted-text.ts'

export const BOT = {
  id: 7000,
  is_bot: true,
  first_name: 'Baal',
  username: 'baal_bot',
  can_join_groups: true,
  can_read_all_group_messages: false,
  supports_inline_queries: false,
} as HandlerPorts['bot']

class Unreachable extends UserFacingError {
  readonly code = 'agent_unreachable'
  readonly userMessage = 'unreachable'
}

/** The agent server's side routes, as a folder in memory. */
export class FakeAgent implements AgentControl {
  readonly files = new Map<string, string>()
  readonly configured: ConfigUpdate[] = []
  cleared = 0
  compactions = 0

  async clear() {
    this.cleared += 1
    return { deleted: 3 }
  }
  async compact() {
    this.compactions += 1
    return { compacted: this.compactions === 1 }
  }
  async configure(update: ConfigUpdate) {
    this.configured.push(update)
  }
  async health() {
    return { version: '1.2.3', model: 'glm-4.7', uptimeS: 7200, turnsRunning: 0 }
  }
  async listFiles(dir: string): Promise<FileEntry[]> {
    const prefix = dir ? `${dir}/` : ''
    const names = new Map<string, FileEntry>()
    for (const [path, content] of this.files) {
      if (!path.startsWith(prefix)) continue
      const [name = '', ...rest] = path.slice(prefix.length).split('/')
      const kind = rest.length > 0 ? 'dir' : 'file'
      names.set(name, { name, kind, bytes: content.length, modified_at: '2026-11-01T00:00:00Z' })
    }
    return [...names.values()]
  }
  async readText(path: string, maxBytes: number) {
    return this.files.get(path)?.slice(0, maxBytes)
  }
  async writeText(path: string, content: string) {
    this.files.set(path, content)
  }
  readonly planned: { id: number; prompt: string; when: string }[] = []
  readonly imported: string[] = []
  importAnswer: Import = {
    kind: 'done',
    files: 3,
    messages: 12,
    soul: { name: 'Ada', prompt: 'You are Ada.', model: 'glm-4.7' },
  }

  async schedules() {
    return [...this.planned]
  }
  async cancelSchedule(id: number) {
    const at = this.planned.findIndex((each) => each.id === id)
    return at >= 0 && this.planned.splice(at, 1).length > 0
  }
  async importFile(fileId: string) {
    this.imported.push(fileId)
    return this.importAnswer
  }
}

export interface FakeWorld {
  readonly database: Database
  readonly seal: Seal
  /** Where the database keeps its files. */
  readonly dataDir: string
  /** Moves when a test moves it. */
  time: number
  readonly config: HandlerPorts['config']
  readonly started: { deploymentId: string; agentId: string; kind: string }[]
  readonly agents: Map<string, FakeAgent>
  /** What was said in other people's chats; each key once, as delivery does it. */
  readonly told: Map<string, { userId: number; text: FormattedText; keyboard?: Keyboard | undefined }>
  readonly provider: ProviderAccount & { answer: Awaited<ReturnType<ProviderAccount['check']>>; asked: string[] }
  nextUpdateId(): number
  /** As provisioning does: the agent runs, the deployment is done. */
  bringUp(agentId: string): Promise<void>
  close(): Promise<void>
}

export async function startFakeWorld(variables: Readonly<Record<string, string>> = {}): Promise<FakeWorld> {
  const dataDir = await mkdtemp(join(tmpdir(), 'baal-people-'))
  const sqld = await startSqld({ dataDir })
  await migrateDatabase(sqld.url)
  const database = openDatabase({ url: sqld.url })
  const key = randomBytes(32).toString('base64url')
  const provider: FakeWorld['provider'] = {
    answer: { kind: 'valid', balance: 12.5 },
    asked: [],
    async check(asked) {
      provider.asked.push(asked)
      return provider.answer
    },
  }
  let updates = 1000
  const world: FakeWorld = {
    database,
    dataDir,
    seal: createSeal(key),
    time: Date.UTC(2026, 10, 23, 12),
    config: parseConfig({
      PUBLIC_URL: 'https://baal.example',
      TELEGRAM_BOT_TOKEN: `${BOT.id}:${'x'.repeat(30)}`,
      TELEGRAM_WEBHOOK_SECRET: 'webhook-secret-0123456789',
      LIBERTAI_API_KEY: 'operator-key',
      ALEPH_SSH_PUBKEY: 'ssh-ed25519 AAAA',
      LIBSQL_URL: sqld.url,
      BOT_ENCRYPTION_KEY: key,
      WORKER_SIGNING_KEY: '{}',
      ADMIN_IDS: '1',
      ...variables,
    }),
    started: [],
    agents: new Map(),
    told: new Map(),
    provider,
    nextUpdateId: () => ++updates,
    async bringUp(agentId) {
      world.agents.set(agentId, world.agents.get(agentId) ?? new FakeAgent())
      await database
        .update(agents)
        .set({ status: 'running', url: `https://${agentId}.example`, version: '1.2.3' })
        .where(eq(agents.id, agentId))
      await database.update(deployments).set({ status: 'done' }).where(eq(deployments.agentId, agentId))
    },
    async close() {
      await sqld.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
  return world
}

export function telegramUser({
  id,
  name,
  language,
}: {
  id: number
  name: string
  language?: string | undefined
}): User {
  return { id, is_bot: false, first_name: name, ...(language ? { language_code: language } : {}) }
}

/** The ports of one chat for one update; `store` holds writes back until the handling is committed. */
export function fakePorts(
  world: FakeWorld,
  chat: HandlerPorts['chat'],
  {
    update,
    store,
    turns,
    group,
    resend = () => false,
  }: {
    update: Update
    store: HandlerPorts['store']
    turns: TurnControl
    group?: HandlerPorts['group']
    resend?: HandlerPorts['resend']
  },
): HandlerPorts {
  return {
    chat,
    bot: BOT,
    config: world.config,
    database: world.database,
    seal: world.seal,
    store,
    turns,
    group,
    resend,
    provider: world.provider,
    async agent(agentId) {
      const agent = world.agents.get(agentId)
      if (!agent) throw new Unreachable(agentId)
      return agent
    },
    async tell(userId, { key, text, keyboard }) {
      const known = `${userId}:${key}`
      if (!world.told.has(known)) world.told.set(known, { userId, text, keyboard })
    },
    async startDeployment(request) {
      world.started.push(request)
    },
    ids: (purpose) =>
      BigInt(`0x${createHash('sha256').update(`${update.update_id}:${purpose}`).digest('hex')}`)
        .toString(36)
        .slice(0, 16),
    now: () => world.time,
  }
}

/** An agent that runs already. @returns its id */
export async function giveAgent(
  world: FakeWorld,
  ownerId: number,
  wish: { name?: string; purpose?: string; model?: string } = {},
): Promise<string> {
  const id = randomBytes(8).toString('hex')
  await ensureUser(world.database, { id: ownerId, firstName: `Person ${ownerId}`, now: world.time })
  const creation = await createAgentFor(
    ownerId,
    { name: 'Rex', purpose: '', model: 'glm-4.7', ...wish },
    { ...world, ids: () => id, now: () => world.time },
  )
  if (creation.kind !== 'created') throw new Error(creation.kind)
  await world.bringUp(id)
  return id
}

export function agentOf(world: FakeWorld, agentId: string): FakeAgent {
  const agent = world.agents.get(agentId)
  if (!agent) throw new Error(`no agent ${agentId}`)
  return agent
}
