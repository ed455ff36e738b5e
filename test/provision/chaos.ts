/**
 * Random stories of agents that come, break, move and go, while everything around fails and the Worker dies at any call it makes;
 * then time passes, and it is counted what was left behind. Everything is decided by a seed.
 */
import { seededRandom } from '../../agent-vm/testing/seeded-random.ts'
import { changeStatus, findAgent, isGone } from '../../functions/database/agents.ts'
import { deployments, machines } from '../../functions/database/schema.ts'
import { forgetOrphans } from '../../functions/provision/sweep.ts'
import { ORPHAN_CRON, tendMachines } from '../../functions/provision/tend-machines.ts'
import { NO_TROUBLE } from './fake-runner.ts'
import { findBreaches } from './invariants.ts'
import { NO_KILLER } from './virtual-platform.ts'
import { buildWorld, type Ground, type World } from './world.ts'

const MINUTE_MS = 60_000
/** Every other of cron's looks is enough to tell a story. */
const CRON_MS = 2 * MINUTE_MS
const NODES = 3
/** While things go wrong. */
const STORMY_MINUTES = 60
/** Long enough for every grace and limit. */
const QUIET_MINUTES = 5 * 60

export interface ChaosRun {
  readonly seed: number
  readonly breaches: readonly string[]
  readonly kills: number
  readonly deployments: number
  readonly done: number
  readonly failed: Readonly<Record<string, number>>
  readonly instances: number
  /** Instances that only the sweep could find. */
  readonly orphansFound: number
}

type Random = () => number

export async function runChaos(ground: Ground, seed: number): Promise<ChaosRun> {
  const random = seededRandom(seed)
  const pool = pick(random, [{}, { POOL_MIN_SIZE: '1' }, { POOL_MIN_SIZE: '2', POOL_MAX_SIZE: '3' }] as const)
  const world = await buildWorld(ground, {
    nodes: NODES,
    random,
    credits: 342_000 * pick(random, [4, 100]),
    variables: { ...pool, ...(random() < 0.3 ? { ALEPH_PLACEMENT: 'pinned' } : {}) },
  })
  try {
    let orphansFound = 0
    makeTrouble(world, random)
    await storm(world, random)
    calm(world)
    for (let minute = 0; minute < QUIET_MINUTES; minute += 5) {
      world.clock.now += 5 * MINUTE_MS
      if (minute % 15 === 0) orphansFound += (await forgetOrphans(world.ports)).length
      await tendMachines('* * * * *', world.ports)
      await world.platform.runDue((count) => Math.floor(random() * count))
      if (minute >= 90 && (await isAtRest(world))) break
    }
    await world.platform.finish()
    return { seed, orphansFound, ...(await report(world)) }
  } finally {
    await world.close()
  }
}

/** Each kind of trouble has its own strength in each story. */
function makeTrouble(world: World, random: Random): void {
  const { faults } = world.aleph.network
  const [before, after, kill] = [random() * 0.15, random() * 0.1, random() * 0.03]
  faults.pendingMs = pick(random, [0, 0, MINUTE_MS, 4 * MINUTE_MS])
  faults.placementMs = pick(random, [0, 0, 2 * MINUTE_MS, 6 * MINUTE_MS])
  faults.notifyOnly = random() < 0.2
  if (random() < 0.5) faults.deadNodes.add(Math.floor(random() * NODES))
  faults.strike = () => {
    const drawn = random()
    return drawn < before ? 'before' : drawn < before + after ? 'after' : undefined
  }
  const runner = random() * 0.2
  const draw = (codes: readonly string[]) => (random() < runner ? pick(random, codes) : undefined)
  world.troubles = {
    before: () => draw(['unreachable', 'busy', 'runner_unreachable', 'auth_failed', 'timeout']),
    halfway: () => draw(['disconnected', 'step_failed', 'timeout']),
    isBad: () => random() < runner / 3,
    leaves: () => (random() < runner / 3 ? pick(random, ['nobody', { version: 'v1' }] as const) : 'its agent'),
    version: 'v2',
  }
  world.platform.killer = {
    atCall: () => (random() < kill ? pick(random, ['before', 'after'] as const) : undefined),
    atStepEnd: () => random() < kill,
    // Sometimes the platform forgets it, and cron has to see to it.
    comesBackAfterMs: () => (random() < 0.2 ? undefined : 500 + random() * 60_000),
  }
}

function calm(world: World): void {
  const { faults } = world.aleph.network
  Object.assign(faults, { pendingMs: 0, placementMs: 0, notifyOnly: false, strike: () => undefined })
  faults.deadNodes.clear()
  world.troubles = NO_TROUBLE
  world.platform.killer = NO_KILLER
}

/** People ask for things; cron looks every minute; machines lose their power. */
async function storm(world: World, random: Random): Promise<void> {
  const agentIds: string[] = []
  const end = world.clock.now + STORMY_MINUTES * MINUTE_MS
  let nextCron = world.clock.now
  while (world.clock.now < end) {
    const next = Math.min(nextCron, world.platform.nextWake() ?? nextCron)
    world.clock.now = Math.max(world.clock.now, next)
    if (world.clock.now >= nextCron) {
      nextCron += CRON_MS
      await world.platform.runOnce(() => tendMachines('* * * * *', world.ports))
      if (random() < 1 / 8) await world.platform.runOnce(() => tendMachines(ORPHAN_CRON, world.ports))
      await act(world, random, agentIds)
    }
    await world.platform.runDue((count) => Math.floor(random() * count))
  }
}

async function act(world: World, random: Random, agentIds: string[]): Promise<void> {
  if (agentIds.length < 3 && random() < 0.3) {
    const agentId = await world.giveAgent(agentIds.length)
    agentIds.push(agentId)
    await world.ask(agentId, 'create')
    return
  }
  const agentId = agentIds.length > 0 && random() < 0.25 ? pick(random, agentIds) : undefined
  const agent = agentId ? await findAgent(world.database, agentId) : undefined
  if (!agent || isGone(agent)) return
  const busy = (await world.database.select().from(deployments)).some(
    (deployment) => deployment.agentId === agentId && deployment.status === 'running',
  )
  const drawn = random()
  const { now } = world.clock
  // As in the chat: only a deletion overtakes other work.
  if (drawn < 0.25) {
    await changeStatus(world.database, agent.id, { from: ['creating', 'running', 'failed'], to: 'deleting', now })
    await world.ask(agent.id, 'destroy')
  } else if (!busy && drawn < 0.6) await world.ask(agent.id, agent.url ? 'repair' : 'create')
  else if (!busy && drawn < 0.8 && agent.url) await world.ask(agent.id, 'update')
  else await cutSomething(world, random)
}

/** A machine loses its power, or is taken away by the network. */
async function cutSomething({ park, aleph }: World, random: Random): Promise<void> {
  const hashes = [...park.machines.keys()]
  if (hashes.length === 0) return
  const hash = pick(random, hashes)
  if (random() < 0.3) await aleph.network.remove(hash)
  else await park.cut(hash)
}

async function isAtRest({ database, platform }: World): Promise<boolean> {
  if (platform.nextWake() !== undefined) return false
  const rows = await database.select().from(machines)
  return rows.every(({ state }) => ['gone', 'in_use', 'warm'].includes(state))
}

async function report(world: World): Promise<Omit<ChaosRun, 'seed' | 'orphansFound'>> {
  const ended = await world.database.select().from(deployments)
  const failed: Record<string, number> = {}
  for (const { status, errorCode } of ended) {
    if (status === 'failed') failed[errorCode ?? 'none'] = (failed[errorCode ?? 'none'] ?? 0) + 1
  }
  return {
    breaches: await findBreaches(world),
    kills: world.platform.kills,
    deployments: ended.length,
    done: ended.filter(({ status }) => status === 'done').length,
    failed,
    instances: world.aleph.network.instances().length,
  }
}

function pick<T>(random: Random, choices: readonly T[]): T {
  const choice = choices[Math.floor(random() * choices.length)]
  if (choice === undefined) throw new RangeError('nothing to choose from')
  return choice
}
