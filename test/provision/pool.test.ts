/** The pool and everybody who draws on it, with a real libSQL server. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { findAgent } from '../../functions/database/agents.ts'
import { findMachine } from '../../functions/database/machines.ts'
import { claimMachine, registerHost, unregisterHost } from '../../functions/database/machines-pool.ts'
import { loadMachineReport } from '../../functions/database/machines-report.ts'
import { agents, deployments, machines, rollouts } from '../../functions/database/schema.ts'
import { ProvisionFailure } from '../../functions/provision/provision-failure.ts'
import { runWorkflow } from '../../functions/provision/run-workflow.ts'
import { tendMachines } from '../../functions/provision/tend-machines.ts'
import { NO_TROUBLE } from './fake-runner.ts'
import { findBreaches } from './invariants.ts'
import { buildWorld, type Ground, prepareGround, type World, type WorldOptions } from './world.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

let ground: Ground
let world: World
beforeAll(async () => {
  ground = await prepareGround()
})
afterAll(() => ground.close())
afterEach(() => world.close())

async function setUp(variables: Record<string, string>, options: WorldOptions = {}): Promise<World> {
  world = await buildWorld(ground, { variables, ...options })
  return world
}

const rows = () => world.database.select().from(machines)
const countOf = async (state: string) => (await rows()).filter((row) => row.state === state).length

/** As cron does each minute; Workflows run in between. */
async function passMinutes(minutes: number, stepMinutes = 1): Promise<void> {
  for (let passed = 0; passed < minutes; passed += stepMinutes) {
    world.clock.now += stepMinutes * MINUTE_MS
    await tendMachines('* * * * *', world.ports)
    await world.platform.runDue(() => 0)
  }
}

async function fillPool(): Promise<void> {
  await tendMachines('* * * * *', world.ports)
  await world.platform.finish()
}

describe('twenty creations at once with a pool of five', () => {
  test('give no machine to two agents, provision the rest, and all end running or failed with a reason', async () => {
    // The 20th and 19th new one cannot be paid any more.
    await setUp({ POOL_MIN_SIZE: '5' }, { nodes: 3, credits: 342_000 * 18 })
    await fillPool()
    expect(await countOf('warm')).toBe(5)
    const warm = new Set((await rows()).map(({ id }) => id))
    const ids: string[] = []
    for (let count = 0; count < 20; count++) {
      const agentId = await world.giveAgent(count)
      ids.push(await world.ask(agentId, 'create'))
      world.platform.instances.clear()
    }
    // Truly at the same time: twenty Workflows on one database.
    await Promise.all(ids.map((deploymentId) => runAtOnce(deploymentId)))
    const ended = await world.database.select().from(deployments)
    const done = ended.filter(({ status }) => status === 'done')
    const failed = ended.filter(({ status }) => status === 'failed')
    expect(done.length + failed.length).toBe(20)
    expect(done.length).toBe(18)
    expect(failed.map(({ errorCode }) => errorCode)).toEqual(['out_of_credit', 'out_of_credit'])
    const homes = (await world.database.select().from(agents)).flatMap(({ machineId }) => machineId ?? [])
    expect(homes.length).toBe(18)
    expect(new Set(homes).size).toBe(18)
    expect(homes.filter((id) => warm.has(id)).length).toBe(5)
    expect(await findBreaches(world)).toEqual([])
  })

  async function runAtOnce(deploymentId: string): Promise<void> {
    const steps = {
      // Retries as the platform makes them, without its pauses.
      do: async (_: string, { retries }: { retries: { limit: number } }, work: () => Promise<string>) => {
        for (let attempt = 0; ; attempt++) {
          try {
            return await work()
          } catch (error) {
            if (attempt >= retries.limit) throw error
          }
        }
      },
      sleep: async (_: string, seconds: number) => {
        world.clock.now += seconds * 20
      },
    }
    await runWorkflow({ deploymentId }, steps, () => world.ports)
  }
})

test('a machine is claimed once, however many ask, and again by the one who has it', async () => {
  await setUp({ POOL_MIN_SIZE: '3' })
  await fillPool()
  const claim = (agentId: string) => claimMachine(world.database, { agentId, now: world.clock.now })
  const claimed = await Promise.all(Array.from({ length: 30 }, (_, index) => claim(`agent-${index % 10}`)))
  const byAgent = new Map(claimed.map((id, index) => [`agent-${index % 10}`, id]))
  const taken = [...byAgent.values()].filter((id) => id !== null)
  expect(taken.length).toBe(3)
  expect(new Set(taken).size).toBe(3)
  for (const [agentId, id] of byAgent) if (id) expect(await claim(agentId)).toBe(id)
})

describe('the pool', () => {
  test('is filled to its minimum, by overlapping looks too, and a machine is warm only after prepare', async () => {
    await setUp({ POOL_MIN_SIZE: '3', POOL_MAX_SIZE: '4' })
    world.aleph.network.faults.placementMs = 2 * MINUTE_MS
    await Promise.all([1, 2, 3].map(() => tendMachines('* * * * *', world.ports)))
    expect(await countOf('recorded')).toBe(3)
    await world.platform.runDue(() => 0)
    expect(await countOf('warm')).toBe(0)
    await world.platform.finish()
    expect((await rows()).map(({ state, hostKey }) => [state, hostKey !== null])).toEqual(Array(3).fill(['warm', true]))
    expect([...world.park.machines.values()].every(({ isPrepared, agentId }) => isPrepared && !agentId)).toBe(true)
  })

  test('grows with demand up to its maximum, and lets old machines go', async () => {
    await setUp({ POOL_MIN_SIZE: '1', POOL_MAX_SIZE: '3', POOL_MAX_AGE_HOURS: '6' })
    await fillPool()
    for (let count = 0; count < 4; count++) await world.ask(await world.giveAgent(), 'create')
    await world.platform.finish()
    await fillPool()
    expect(await countOf('warm')).toBe(3)
    world.clock.now += 7 * HOUR_MS
    await passMinutes(10, 2)
    await world.platform.finish()
    const warm = (await rows()).filter(({ state }) => state === 'warm')
    expect(warm.length).toBe(1)
    expect(world.clock.now - (warm[0]?.createdAt ?? 0)).toBeLessThan(HOUR_MS)
    expect(await findBreaches(world)).toEqual([])
  })

  test('destroys and counts what fails, by node, and does not hand it out', async () => {
    await setUp({ POOL_MIN_SIZE: '1' })
    world.troubles = { ...NO_TROUBLE, halfway: (call) => (call === 'prepare' ? 'step_failed' : undefined) }
    await fillPool()
    expect(await countOf('gone')).toBe(1)
    const agentId = await world.giveAgent()
    world.troubles = NO_TROUBLE
    await world.ask(agentId, 'create')
    await world.platform.finish()
    const report = await loadMachineReport(world.database, { failuresSince: 0, defaultPrice: 1 })
    expect(report).toMatchObject({
      paid: 1,
      creditsPerDay: 342_000,
      failures: [{ node: world.aleph.url, failure: 'step_failed', count: 1 }],
    })
  })

  test.each([
    ['the runner is away', { runner: 'runner_unreachable' }],
    ['nothing can be paid', { credits: 0 }],
    ['no node has a place', { unschedulable: true }],
  ])('does not order machine after machine while %s', async (_, trouble: Record<string, string | number | boolean>) => {
    const { runner, credits = 342_000 * 100, unschedulable = false } = trouble
    await setUp({ POOL_MIN_SIZE: '2' }, { credits: Number(credits) })
    world.troubles = { ...NO_TROUBLE, before: () => runner?.toString() }
    world.aleph.network.faults.unschedulable = Boolean(unschedulable)
    await passMinutes(3 * 60)
    // Two at once, then less and less often.
    expect((await rows()).length).toBeLessThanOrEqual(14)
    world.troubles = NO_TROUBLE
    world.aleph.network.credits = 342_000 * 100
    world.aleph.network.faults.unschedulable = false
    await passMinutes(60)
    await world.platform.finish()
    expect(await countOf('warm')).toBe(2)
  })

  test('hands out machines that are not waited for as if they still had to boot', async () => {
    await setUp({ POOL_MIN_SIZE: '1' })
    await fillPool()
    const waits: (number | undefined)[] = []
    const { deploy } = world.ports.runner
    Object.assign(world.ports.runner, {
      deploy: (...[request, onStep]: Parameters<typeof deploy>) => {
        waits.push(request.wait_ms)
        return deploy(request, onStep)
      },
    })
    await world.park.cut([...world.park.machines.keys()][0] ?? '')
    const agentId = await world.giveAgent()
    await world.ask(agentId, 'create')
    await world.platform.finish()
    expect(await findAgent(world.database, agentId)).toMatchObject({ status: 'running' })
    expect(waits).toEqual([2 * MINUTE_MS, 8 * MINUTE_MS])
  })

  test('keeps machines of any age when no age is set', async () => {
    await setUp({ POOL_MIN_SIZE: '1', POOL_MAX_AGE_HOURS: '0' })
    await fillPool()
    await passMinutes(20, 5)
    await world.platform.finish()
    expect((await rows()).map(({ state }) => state)).toEqual(['warm'])
  })

  test('never gives a half-deployed machine to somebody else', async () => {
    await setUp({ POOL_MIN_SIZE: '1', POOL_MAX_SIZE: '1' })
    await fillPool()
    world.troubles = { ...NO_TROUBLE, halfway: (call) => (call === 'deploy' ? 'step_failed' : undefined) }
    await world.ask(await world.giveAgent(1), 'create')
    await world.platform.finish()
    world.troubles = NO_TROUBLE
    for (let count = 0; count < 3; count++) await world.ask(await world.giveAgent(2), 'create')
    await world.platform.finish()
    await passMinutes(30, 5)
    await world.platform.finish()
    expect(world.violations).toEqual([])
    expect(await findBreaches(world)).toEqual([])
  })
})

describe('a host of the operator’s own', () => {
  const host = (ssh: number) => ({
    ...{ id: 'h-1', name: '192.0.2.7:22', sshHost: '192.0.2.7', sshPort: ssh, sshUser: 'root' },
    ...{ url: `http://192.0.2.7:${ssh + 1}`, now: world.clock.now },
  })

  async function addHost() {
    const machine = world.park.addHost('own-host')
    await registerHost(world.database, host(machine.ssh))
    await passMinutes(1)
    return machine
  }

  test('joins the pool without any Aleph account, carries an agent, and returns wiped and prepared', async () => {
    await setUp({ ALEPH_PRIVATE_KEY: '' })
    const machine = await addHost()
    expect(await countOf('warm')).toBe(1)
    const agentId = await world.giveAgent()
    await world.ask(agentId, 'create')
    await world.platform.finish()
    expect(await findAgent(world.database, agentId)).toMatchObject({ status: 'running', machineId: 'h-1' })
    expect(machine.agentId).toBe(agentId)
    await world.ask(agentId, 'destroy')
    await world.platform.finish()
    expect(await findMachine(world.database, 'h-1')).toMatchObject({
      state: 'warm',
      agentId: null,
      hostKey: machine.hostKey,
    })
    expect(machine).toMatchObject({ agentId: undefined, isPrepared: true })
    const next = await world.giveAgent()
    await world.ask(next, 'create')
    await world.platform.finish()
    expect(machine.agentId).toBe(next)
    expect(await findBreaches(world)).toEqual([])
  })

  test('stays out of the pool until it could be wiped', async () => {
    await setUp({ ALEPH_PRIVATE_KEY: '' })
    const machine = await addHost()
    const agentId = await world.giveAgent()
    await world.ask(agentId, 'create')
    await world.platform.finish()
    machine.isOn = false
    await world.ask(agentId, 'destroy')
    await world.platform.finish()
    expect(await findMachine(world.database, 'h-1')).toMatchObject({ state: 'destroying', failure: 'unreachable' })
    expect(world.reports.at(-1)?.status).toBe('failed')
    machine.isOn = true
    await passMinutes(10, 5)
    expect((await findMachine(world.database, 'h-1'))?.state).toBe('warm')
    expect(machine.agentId).toBeUndefined()
  })

  test('that cannot be prepared is tried again until it can', async () => {
    await setUp({ ALEPH_PRIVATE_KEY: '' })
    world.troubles = { ...NO_TROUBLE, before: () => 'auth_failed' }
    await addHost()
    expect(await findMachine(world.database, 'h-1')).toMatchObject({ state: 'preparing', failure: 'auth_failed' })
    world.troubles = NO_TROUBLE
    await passMinutes(10, 5)
    expect(await findMachine(world.database, 'h-1')).toMatchObject({ state: 'warm', failure: null })
  })

  test('that was never wiped and is brought back is wiped before anybody else gets it', async () => {
    await setUp({ ALEPH_PRIVATE_KEY: '' })
    const machine = await addHost()
    const agentId = await world.giveAgent()
    await world.ask(agentId, 'create')
    await world.platform.finish()
    machine.isOn = false
    await world.ask(agentId, 'destroy')
    await world.platform.finish()
    expect(await unregisterHost(world.database, '192.0.2.7:22', world.clock.now)).toBe(true)
    machine.isOn = true
    await registerHost(world.database, host(machine.ssh))
    await passMinutes(5)
    await world.platform.finish()
    expect(world.violations).toEqual([])
    expect(machine).toMatchObject({ agentId: undefined, isPrepared: true })
    expect((await findMachine(world.database, 'h-1'))?.state).toBe('warm')
  })

  test('that was set up anew under its agent is let go of, and its agent moves with its memory', async () => {
    await setUp({ ALEPH_PRIVATE_KEY: '' })
    const machine = await addHost()
    const agentId = await world.giveAgent()
    await world.ask(agentId, 'create')
    await world.platform.finish()
    await world.database.update(agents).set({ snapshotAt: world.clock.now })
    world.snapshots.kept.set(agentId, 'diary')
    Object.assign(machine, { hostKey: 'ssh-ed25519 another', agentId: undefined, isServing: false, memory: '' })
    expect(await unregisterHost(world.database, '192.0.2.7:22', world.clock.now)).toBe(false)
    await world.ask(agentId, 'repair')
    await world.platform.finish()
    // Not before the runner has seen that another machine answers there.
    expect(await findMachine(world.database, 'h-1')).toMatchObject({ state: 'in_use', failure: 'host_key_mismatch' })
    expect(await unregisterHost(world.database, '192.0.2.7:22', world.clock.now)).toBe(true)
    expect(await findAgent(world.database, agentId)).toMatchObject({ status: 'failed', machineId: null })
    await registerHost(world.database, host(machine.ssh))
    await passMinutes(5)
    await world.ask(agentId, 'repair')
    await world.platform.finish()
    expect(await findAgent(world.database, agentId)).toMatchObject({ status: 'running', machineId: 'h-1' })
    expect(machine).toMatchObject({ agentId, memory: 'diary' })
    expect(world.violations).toEqual([])
  })

  test('that prepares well and carries no agent is not the first choice of the next one', async () => {
    await setUp({}, {})
    const machine = await addHost()
    const tried = new Set<string>()
    const leaves = ({ agent_id: id }: { agent_id: string }) => {
      const isHere = machine.agentId === id && !tried.has(id)
      tried.add(id)
      return isHere ? 'nobody' : 'its agent'
    }
    world.troubles = { ...NO_TROUBLE, leaves }
    await world.ask(await world.giveAgent(), 'create')
    await world.platform.finish()
    expect(await findMachine(world.database, 'h-1')).toMatchObject({ state: 'warm', failure: 'unreachable_outside' })
    const [before, startedAt] = [world.aleph.network.instances().length, world.clock.now]
    await world.ask(await world.giveAgent(), 'create')
    await world.platform.finish()
    expect(world.aleph.network.instances().length).toBe(before + 1)
    expect(world.clock.now - startedAt).toBeLessThan(MINUTE_MS)
    // Rested, it is tried again.
    world.troubles = NO_TROUBLE
    world.clock.now += 2 * HOUR_MS
    const agentId = await world.giveAgent()
    await world.ask(agentId, 'create')
    await world.platform.finish()
    expect(await findAgent(world.database, agentId)).toMatchObject({ status: 'running', machineId: 'h-1' })
    expect(await findMachine(world.database, 'h-1')).toMatchObject({ failure: null })
  })

  test('that another look has made ready meanwhile is not marked by the one that came too late', async () => {
    await setUp({ ALEPH_PRIVATE_KEY: '' })
    await addHost()
    await world.database.update(machines).set({ state: 'preparing', updatedAt: 0 })
    const { prepare } = world.ports.runner
    Object.assign(world.ports.runner, {
      prepare: async () => {
        await world.database.update(machines).set({ state: 'warm' })
        throw new ProvisionFailure('busy', 'another call works on this machine')
      },
    })
    await passMinutes(1)
    Object.assign(world.ports.runner, { prepare })
    expect(await findMachine(world.database, 'h-1')).toMatchObject({ state: 'warm', failure: null })
  })

  test('is registered once, and leaves only while no agent lives on it', async () => {
    await setUp({ ALEPH_PRIVATE_KEY: '' })
    const machine = await addHost()
    const { now } = world.clock
    expect(await registerHost(world.database, { ...host(machine.ssh), id: 'h-2' })).toBe(false)
    await claimMachine(world.database, { agentId: 'somebody', now })
    expect(await unregisterHost(world.database, '192.0.2.7:22', now)).toBe(false)
    await world.database.update(machines).set({ state: 'warm', agentId: null })
    expect(await unregisterHost(world.database, '192.0.2.7:22', now)).toBe(true)
    expect(await registerHost(world.database, host(machine.ssh))).toBe(true)
  })
})

describe('an update of all agents', () => {
  async function agentsOf(owners: readonly number[]): Promise<string[]> {
    const ids: string[] = []
    for (const owner of owners) {
      ids.push(await world.giveAgent(owner))
      await world.ask(ids.at(-1) ?? '', 'create')
    }
    await world.platform.finish()
    return ids
  }

  async function rollOut(): Promise<string> {
    const { beginRollout, findLastRollout } = await import('../../functions/database/rollouts.ts')
    await beginRollout(world.database, { id: 'r1', startedBy: 1, now: world.clock.now })
    await passMinutes(1)
    await world.platform.finish()
    return JSON.stringify(await findLastRollout(world.database))
  }

  test('begins with the admins’ own, and ends with everybody’s', async () => {
    await setUp({ ADMIN_IDS: '7' })
    const ids = await agentsOf([1, 7, 2])
    expect(JSON.parse(await rollOut())).toMatchObject({ status: 'done', total: 3, updated: 3 })
    const updates = (await world.database.select().from(deployments)).filter(({ kind }) => kind === 'update')
    expect(updates.length).toBe(3)
    const first = updates.toSorted((one, other) => one.createdAt - other.createdAt)[0]
    expect(first?.agentId).toBe(ids[1])
  })

  test('has a canary of its own choice when all that it began with are at work', async () => {
    await setUp({ ADMIN_IDS: '7' })
    const ids = await agentsOf([1, 7, 2, 3, 4])
    world.troubles = { ...NO_TROUBLE, isBad: () => true, version: 'v3' }
    const busy = { id: 'b1', agentId: ids[1] ?? '', kind: 'repair', status: 'running' } as const
    await world.database.insert(deployments).values({ ...busy, createdAt: world.clock.now, updatedAt: world.clock.now })
    await world.platform.start({ deploymentId: 'of somebody else' })
    expect(JSON.parse(await rollOut())).toMatchObject({ status: 'stopped', updated: 0 })
    const updates = (await world.database.select().from(deployments)).filter(({ kind }) => kind === 'update')
    expect(updates.length).toBe(1)
  })

  test('is one, however many ask at once', async () => {
    await setUp({})
    const { beginRollout } = await import('../../functions/database/rollouts.ts')
    const begin = (id: string) => beginRollout(world.database, { id, startedBy: 1, now: world.clock.now })
    const begun = await Promise.all(['r1', 'r2', 'r3', 'r4'].map(begin))
    expect(new Set(begun.map(({ id }) => id)).size).toBe(1)
    expect((await world.database.select().from(rollouts)).length).toBe(1)
  })

  test('stops at the canary that does not come up, which runs its former version again, and leaves all others alone', async () => {
    await setUp({ ADMIN_IDS: '7' })
    const ids = await agentsOf([1, 7, 2])
    world.troubles = { ...NO_TROUBLE, isBad: () => true, version: 'v3' }
    expect(JSON.parse(await rollOut())).toMatchObject({
      ...{ status: 'stopped', updated: 0, failedAgentId: ids[1], error: 'rolled_back' },
    })
    const updates = (await world.database.select().from(deployments)).filter(({ kind }) => kind === 'update')
    expect(updates.map(({ agentId }) => agentId)).toEqual([ids[1]])
    for (const id of ids) {
      const agent = await findAgent(world.database, id)
      expect(agent).toMatchObject({ status: 'running', version: 'v2' })
      expect(await world.ports.agents.health(agent?.url ?? '')).toBeDefined()
    }
  })
})
