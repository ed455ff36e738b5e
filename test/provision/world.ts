/** Everything around provisioning, in one process and in time of its own: a real libSQL server, Aleph's stand-in, fake machines. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@libsql/client/web'
import { drizzle } from 'drizzle-orm/libsql/web'
import type { DeploymentReport } from '../../functions/chat/deployment-report.ts'
import { parseConfig } from '../../functions/config.ts'
import { recordDeployment } from '../../functions/database/agents.ts'
import type { Database } from '../../functions/database/database.ts'
import * as schema from '../../functions/database/schema.ts'
import type { ProvisionPorts } from '../../functions/provision/provision-ports.ts'
import { createSeal } from '../../functions/seal.ts'
import { type Aleph, startAleph } from '../../local/aleph/start-aleph.ts'
import { migrateDatabase } from '../../local/migrate.ts'
import { type Sqld, startSqld } from '../../local/sqld.ts'
import { type FakePark, fakePark } from './fake-machines.ts'
import { fakeAgents, fakeRunner, fakeSnapshots, NO_TROUBLE, type RunnerTroubles } from './fake-runner.ts'
import { Clock, VirtualPlatform } from './virtual-platform.ts'

const KEY = randomBytes(32).toString('base64url')
const ACCOUNT_KEY = '0123456789abcdef'.repeat(4)

/** Of every agent here. */
export const AGENT_SECRET = 'a-secret-of-the-agent'

/** The database server, shared by the worlds of one test file. */
export interface Ground {
  readonly sqld: Sqld
  close(): Promise<void>
}

export async function prepareGround(): Promise<Ground> {
  const dataDir = await mkdtemp(join(tmpdir(), 'baal-provision-'))
  const sqld = await startSqld({ dataDir })
  await migrateDatabase(sqld.url)
  return {
    sqld,
    async close() {
      await sqld.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

export interface World {
  readonly clock: Clock
  readonly aleph: Aleph
  readonly park: FakePark
  readonly platform: VirtualPlatform
  readonly database: Database
  readonly ports: ProvisionPorts
  readonly snapshots: ReturnType<typeof fakeSnapshots>
  readonly reports: DeploymentReport[]
  /** What must never happen. */
  readonly violations: string[]
  troubles: RunnerTroubles
  giveAgent(owner?: number): Promise<string>
  /** Asks for work on an agent, as a chat does. @returns the deployment's id */
  ask(agentId: string, kind: DeploymentReport['kind']): Promise<string>
  close(): Promise<void>
}

export interface WorldOptions {
  readonly nodes?: number
  readonly credits?: number
  readonly random?: () => number
  readonly variables?: Readonly<Record<string, string>>
  /** Real ones in place of the fakes. */
  readonly outside?: (inside: Pick<ProvisionPorts, 'config' | 'agents'>) => Partial<ProvisionPorts>
}

export async function buildWorld(ground: Ground, options: WorldOptions = {}): Promise<World> {
  const clock = new Clock()
  const park = fakePark()
  const now = () => clock.now
  const aleph = await startAleph({
    port: 0,
    park,
    now,
    nodes: options.nodes ?? 1,
    ...(options.credits === undefined ? {} : { credits: options.credits }),
  })
  const config = parseConfig(variables(ground.sqld.url, aleph.url, options.variables))
  const platform: VirtualPlatform = new VirtualPlatform(clock, () => ports)
  const outside = globalThis.fetch
  // Whatever leaves the process may be what it dies at.
  globalThis.fetch = ((input, init) => platform.call(() => outside(input, init))) as typeof fetch
  const client = createClient({
    url: ground.sqld.url,
    // What a dead process was waiting for keeps its place for ever.
    concurrency: 1_000_000,
    fetch: (request: Request) => platform.call(() => outside(request)),
  })
  const database = drizzle(client, { schema, casing: 'snake_case' })
  await clear(database)
  const violations: string[] = []
  const agents = fakeAgents(park)
  const reports: DeploymentReport[] = []
  const snapshots = fakeSnapshots()
  const seal = createSeal(KEY)
  let counter = 0
  const world: World = {
    clock,
    aleph,
    park,
    platform,
    database,
    snapshots,
    reports,
    violations,
    troubles: NO_TROUBLE,
    get ports() {
      return ports
    },
    async giveAgent(owner = 1) {
      const id = `a${++counter}`.padEnd(8, 'x')
      await database.insert(schema.agents).values({
        id,
        ownerId: owner,
        name: `Agent ${counter}`,
        prompt: 'Be kind.',
        model: 'glm-4.7',
        status: 'creating',
        secretSealed: await seal.seal(AGENT_SECRET, { what: 'agent-secret', id }),
        inferenceKeySealed: await seal.seal('bk-0123456789abcdef', { what: 'inference-key', id }),
        inferenceKeyHash: id,
        createdAt: clock.now,
        updatedAt: clock.now,
      })
      return id
    },
    async ask(agentId, kind) {
      const id = `d${++counter}`
      await recordDeployment(database, { id, agentId, kind, chatName: `chat-${agentId}`, now: clock.now })
      await platform.start({ deploymentId: id })
      return id
    },
    async close() {
      globalThis.fetch = outside
      await aleph.close()
      client.close()
    },
  }
  const ports: ProvisionPorts = {
    config,
    database,
    seal,
    runner: fakeRunner(park, () => world.troubles, violations),
    agents,
    snapshots,
    engine: platform,
    async tell(_, report) {
      reports.push(report)
    },
    now,
    random: options.random ?? Math.random,
    ...options.outside?.({ config, agents }),
  }
  return world
}

function variables(libsql: string, aleph: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    PUBLIC_URL: 'https://baal.example',
    TELEGRAM_BOT_TOKEN: `7000:${'x'.repeat(30)}`,
    TELEGRAM_WEBHOOK_SECRET: 'webhook-secret-0123456789',
    LIBERTAI_API_KEY: 'operator-key',
    ALEPH_PRIVATE_KEY: ACCOUNT_KEY,
    ALEPH_SSH_PUBKEY: 'ssh-ed25519 AAAA',
    ALEPH_API_URLS: `${aleph},${aleph}`,
    ALEPH_SCHEDULER_URL: aleph,
    ALEPH_GATEWAY_URL: aleph,
    ALEPH_CRN_LIST_URL: `${aleph}/crns.json`,
    LIBSQL_URL: libsql,
    BOT_ENCRYPTION_KEY: KEY,
    WORKER_SIGNING_KEY: '{}',
    ADMIN_IDS: '1',
    ...more,
  }
}

async function clear(database: Database): Promise<void> {
  const { agents, machines, deployments, rollouts } = schema
  await database.batch([
    database.delete(agents),
    database.delete(machines),
    database.delete(deployments),
    database.delete(rollouts),
  ])
}
