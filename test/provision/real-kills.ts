/**
 * The whole of Baal with the real platform (workerd), killed while an agent is being made, at each of its steps; then a machine
 * that loses its power and an agent that moves with its memory. Time is helped along: rows are made to look old, cron is called.
 */
import { createClient } from '@libsql/client/web'
import { eq, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/libsql/web'
import { z } from 'zod'
import { agents, deployments, machines } from '../../functions/database/schema.ts'
import { ORPHAN_CRON } from '../../functions/provision/tend-machines.ts'
import { choosePorts } from '../../local/ports.ts'
import { Person } from '../story/person.ts'
import { type SetUp, setUpBaal } from '../story/set-up.ts'

const WORKER_PORT = 18_350
const HOUR_MS = 3_600_000
const LOOK_EVERY_MS = 25
/** A look of cron, for what the platform does not wake by itself after a kill on one machine. */
const PUSH_EVERY_MS = 8_000
const LIMIT_MS = 4 * 60_000
export const STEPS = ['claim', 'record', 'instance', 'placement', 'boot', 'connect', 'service', 'health'] as const

const Instances = z.object({ instances: z.array(z.object({ item_hash: z.string(), status: z.string() })) })

export interface RealReport {
  readonly killedAt: readonly string[]
  readonly breaches: readonly string[]
}

export async function runRealKills(
  steps: readonly string[],
  onProgress: (line: string) => void = () => undefined,
): Promise<RealReport> {
  const setUp = await setUpBaal(WORKER_PORT, {
    MODEL_TOKEN_DELAY_MS: '1',
    MAX_AGENTS_PER_USER: '20',
    POOL_MIN_SIZE: '1',
  })
  const ports = choosePorts(WORKER_PORT)
  const client = createClient({ url: `http://127.0.0.1:${ports.database}` })
  const database = drizzle(client, { schema: { agents, deployments, machines }, casing: 'snake_case' })
  const killedAt: string[] = []
  const breaches: string[] = []
  try {
    const person = await Person.meet(setUp.baal.pageUrl)
    // Somebody to move later, whatever the kills do.
    await person.createAgent('Mover')
    for (const step of steps) {
      onProgress(`killed at “${step}”`)
      if (await killAt(step)) killedAt.push(step)
    }
    onProgress('a machine loses its power')
    breaches.push(...(await moveAfterPowerLoss(person)))
    onProgress('everything is deleted')
    await database.update(deployments).set({ status: 'failed' }).where(eq(deployments.status, 'running'))
    await quiet()
    breaches.push(...(await settled()))
    return { killedAt, breaches }

    async function killAt(step: string): Promise<boolean> {
      const name = `Kill ${step}`
      const before = new Set((await database.select().from(deployments)).map(({ id }) => id))
      await startCreation(person, name)
      const deployment = await until(`a deployment of ${name}`, async () =>
        (await database.select().from(deployments)).find(({ id }) => !before.has(id)),
      )
      // A warm machine skips what orders one: whatever comes at or after the step will do.
      const wasSeen = await until(`step ${step}`, async () => {
        const [row] = await database.select().from(deployments).where(eq(deployments.id, deployment.id))
        return row && (row.step === step || row.status !== 'running') ? row : undefined
      })
      process.kill(-(setUp.baal.pids()['the Worker'] ?? 0), 'SIGKILL')
      await until(
        `the end of ${name}`,
        async () => {
          const [row] = await database.select().from(deployments).where(eq(deployments.id, deployment.id))
          return row?.status === 'running' ? undefined : row
        },
        push,
      )
      return wasSeen.step === step
    }

    async function moveAfterPowerLoss(owner: Person): Promise<string[]> {
      const [agent] = await database.select().from(agents).where(eq(agents.status, 'running'))
      if (!agent) return ['no agent runs after all those kills']
      await owner.say('/list')
      await owner.press(agent.name)
      await owner.press('Chat')
      await owner.hears(`You are talking to ${agent.name}`)
      await owner.ask('remember that my dog is called Rex', 'Noted')
      await owner.say('/update')
      await owner.hears('is up to date')
      const [machine] = await database
        .select()
        .from(machines)
        .where(eq(machines.id, agent.machineId ?? ''))
      await fetch(`http://127.0.0.1:${ports.aleph}/sim/instances/${machine?.itemHash}/cut`, { method: 'POST' })
      await owner.say('/repair')
      await until(
        'the repair',
        async () => ((await owner.botTexts()).some((text) => text.includes('is repaired')) ? true : undefined),
        push,
      )
      await owner.ask('what is my dog called?', 'Rex')
      const [moved] = await database.select().from(agents).where(eq(agents.id, agent.id))
      return moved?.machineId === machine?.id ? ['the agent still lives on the dead machine'] : []
    }
  } catch (error) {
    onProgress(setUp.output.slice(-80).join('\n'))
    throw error
  } finally {
    client.close()
    await setUp.close()
  }

  /** Time passes, so that whatever waits for its limits has reached them. */
  async function push(): Promise<void> {
    await database.run(sql`UPDATE deployments SET updated_at = updated_at - 240000 WHERE status = 'running'`)
    await cron(setUp, '* * * * *')
  }

  async function quiet(): Promise<void> {
    for (let look = 0; look < 6; look++) {
      await database.run(
        sql`UPDATE machines SET updated_at = updated_at - ${HOUR_MS}, ordered_at = ordered_at - ${HOUR_MS}`,
      )
      await cron(setUp, '* * * * *')
      await cron(setUp, ORPHAN_CRON)
    }
  }

  /** What the pool has ordered just now is given its time to become warm. @returns what is left all the same */
  async function settled(): Promise<string[]> {
    const deadline = Date.now() + LIMIT_MS
    for (let pushAt = Date.now() + PUSH_EVERY_MS; Date.now() < deadline; ) {
      if ((await leftovers()).length === 0) return []
      if (Date.now() > pushAt) {
        await cron(setUp, '* * * * *')
        pushAt = Date.now() + PUSH_EVERY_MS
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
    }
    return leftovers()
  }

  async function leftovers(): Promise<string[]> {
    const { instances } = Instances.parse(await (await fetch(`http://127.0.0.1:${ports.aleph}/sim/instances`)).json())
    const rows = await database.select().from(machines)
    const alive = new Set(instances.filter(({ status }) => status === 'processed').map(({ item_hash }) => item_hash))
    return [
      ...rows
        .filter(({ state }) => !['gone', 'in_use', 'warm'].includes(state))
        .map(({ id, state }) => `machine ${id} is ${state}`),
      ...rows
        .filter(({ state, itemHash }) => state !== 'gone' && !alive.has(itemHash ?? ''))
        .map(({ id, state }) => `machine ${id} (${state}) has no instance`),
      ...[...alive]
        .filter((hash) => !rows.some(({ itemHash, state }) => itemHash === hash && state !== 'gone'))
        .map((hash) => `instance ${hash} has no row`),
    ]
  }
}

async function startCreation(person: Person, name: string): Promise<void> {
  await person.ask('/create', 'be called')
  await person.say(name)
  await person.press('Skip')
  await person.press('Qwen')
  await person.press('Create')
}

async function cron({ baal }: SetUp, pattern: string): Promise<void> {
  const url = `${baal.workerUrl}/cdn-cgi/local/scheduled?cron=${encodeURIComponent(pattern)}`
  await fetch(url, { signal: AbortSignal.timeout(60_000) }).catch(() => undefined)
}

async function until<T>(what: string, look: () => Promise<T | undefined>, push?: () => Promise<void>): Promise<T> {
  const deadline = Date.now() + LIMIT_MS
  for (let pushAt = Date.now() + PUSH_EVERY_MS; Date.now() < deadline; ) {
    const found = await look()
    if (found !== undefined) return found
    if (push && Date.now() > pushAt) {
      await push()
      pushAt = Date.now() + PUSH_EVERY_MS
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
  throw new Error(`waited in vain for ${what}`)
}
