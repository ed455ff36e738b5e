/** One agent at a time, from order to oblivion, in a world of its own time. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { eq } from 'drizzle-orm'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { findAgent, recordDeployment, saveAgentSettings } from '../../functions/database/agents.ts'
import { findDeployment } from '../../functions/database/deployments.ts'
import { findMachine } from '../../functions/database/machines.ts'
import { agents, deployments, machines } from '../../functions/database/schema.ts'
import { postMessage } from '../../functions/provision/aleph/core-nodes.ts'
import { DEBIAN_12_IMAGE } from '../../functions/provision/aleph/instance-content.ts'
import { signMessage } from '../../functions/provision/aleph/sign-message.ts'
import { ORPHAN_CRON, tendMachines } from '../../functions/provision/tend-machines.ts'
import { NO_TROUBLE } from './fake-runner.ts'
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

async function setUp(options?: WorldOptions): Promise<World> {
  world = await buildWorld(ground, options)
  return world
}

/** An agent that runs, with its only machine. */
async function runningAgent(memory = ''): Promise<{ agentId: string; machineId: string }> {
  const agentId = await world.giveAgent()
  await world.ask(agentId, 'create')
  await world.platform.finish()
  const agent = await findAgent(world.database, agentId)
  const machine = world.park.at(Number(new URL(agent?.url ?? 'http://none').port))
  if (machine) machine.memory = memory
  return { agentId, machineId: agent?.machineId ?? '' }
}

const statusOf = async (agentId: string) => (await findAgent(world.database, agentId))?.status
const memoryOf = async (agentId: string) =>
  world.park.at(Number(new URL((await findAgent(world.database, agentId))?.url ?? 'http://none').port))?.memory
const rowOf = (machineId: string) => findMachine(world.database, machineId)
const rows = () => world.database.select().from(machines)
const lastReport = () => world.reports.at(-1)
const statuses = () => world.aleph.network.instances().map(({ status }) => status)

async function passTime(ms: number, stepMs = MINUTE_MS): Promise<void> {
  for (const end = world.clock.now + ms; world.clock.now < end; ) {
    world.clock.now += stepMs
    await world.platform.runDue(() => 0)
    await tendMachines('* * * * *', world.ports)
    await tendMachines(ORPHAN_CRON, world.ports)
    await world.platform.runDue(() => 0)
  }
}

describe('a creation', () => {
  test('orders one instance, waits for its place, installs and tells the chat how far it is', async () => {
    await setUp()
    world.aleph.network.faults.pendingMs = 2 * MINUTE_MS
    world.aleph.network.faults.placementMs = 3 * MINUTE_MS
    const { agentId, machineId } = await runningAgent()
    expect(await statusOf(agentId)).toBe('running')
    expect(await rowOf(machineId)).toMatchObject({
      state: 'in_use',
      agentId,
      creditsPerDay: 342_000,
      portsForwarded: 1,
    })
    expect(statuses()).toEqual(['processed'])
    const steps = world.reports.map(({ step }) => step)
    expect(steps).toEqual(
      expect.arrayContaining(['claim', 'record', 'instance', 'placement', 'boot', 'secrets', 'health']),
    )
    expect(world.reports.toSorted((one, other) => one.seq - other.seq).at(-1)).toMatchObject({
      status: 'done',
      progress: 1,
    })
    // Reports may overtake each other on their way; the chat goes by their numbers.
    const progress = world.reports.toSorted((one, other) => one.seq - other.seq).map((report) => report.progress)
    expect(progress).toEqual(progress.toSorted((one, other) => one - other))
  })

  test('whose answers get lost still has one instance', async () => {
    await setUp()
    world.aleph.network.faults.lostAnswers = 3
    const { agentId } = await runningAgent()
    expect(await statusOf(agentId)).toBe('running')
    expect(statuses()).toEqual(['processed'])
  })

  test('goes to another machine when a node dies between placement and SSH, and gives the dead one back', async () => {
    await setUp({ nodes: 2 })
    // The stand-in's nodes take turns, beginning with this one.
    world.aleph.network.faults.deadNodes.add(1)
    const { agentId } = await runningAgent()
    expect(await statusOf(agentId)).toBe('running')
    expect((await rows()).map(({ state, failure }) => [state, failure])).toEqual(
      expect.arrayContaining([
        ['gone', 'placement_timeout'],
        ['in_use', null],
      ]),
    )
    expect(statuses().toSorted()).toEqual(['forgotten', 'processed'])
  })

  test('falls back to the published image when the listed one is not there', async () => {
    await setUp()
    world.aleph.network.faults.unknownImages.add(DEBIAN_12_IMAGE)
    const agentId = await world.giveAgent()
    const id = await world.ask(agentId, 'create')
    await world.platform.finish()
    expect(await findDeployment(world.database, id)).toMatchObject({ status: 'failed', errorCode: 'wrong_image' })
    await passTime(20 * MINUTE_MS, 5 * MINUTE_MS)
    expect((await rows()).map(({ state }) => state)).toEqual(['gone', 'gone', 'gone'])
  })

  test('orders nothing that cannot be paid, and says what is missing', async () => {
    await setUp({ credits: 342_000 + 341_999 })
    await runningAgent()
    const agentId = await world.giveAgent()
    const id = await world.ask(agentId, 'create')
    await world.platform.finish()
    const deployment = await findDeployment(world.database, id)
    expect(deployment).toMatchObject({ status: 'failed', errorCode: 'out_of_credit' })
    expect(deployment?.error).toContain(
      '1 credits (0.00 USD) are missing on 0xFCAd0B19bB29D4674531d6f115237E16AfCE377c: it has 683999, and a day of 2 machines costs 684000',
    )
    expect(world.aleph.network.instances()).toHaveLength(1)
    expect(world.reports.at(-1)).toMatchObject({ status: 'failed', error: { code: 'out_of_credit' } })
  })

  test('without an account is told that there is no machine', async () => {
    await setUp({ variables: { ALEPH_PRIVATE_KEY: '' } })
    const agentId = await world.giveAgent()
    const id = await world.ask(agentId, 'create')
    await world.platform.finish()
    expect(await findDeployment(world.database, id)).toMatchObject({ status: 'failed', errorCode: 'no_capacity' })
    expect(await statusOf(agentId)).toBe('failed')
  })

  test('does not order machine after machine while the runner is away', async () => {
    await setUp()
    world.troubles = { ...NO_TROUBLE, before: () => 'runner_unreachable' }
    const agentId = await world.giveAgent()
    const id = await world.ask(agentId, 'create')
    await world.platform.finish()
    expect(await findDeployment(world.database, id)).toMatchObject({
      status: 'failed',
      errorCode: 'runner_unreachable',
    })
    expect(statuses()).toEqual(['forgotten'])
  })
})

describe('a pinned creation', () => {
  const variables = { ALEPH_PLACEMENT: 'pinned' }

  test('chooses a node, wakes it when the scheduler does not, and takes another when it fails', async () => {
    await setUp({ nodes: 3, variables, random: () => 0 })
    const { faults } = world.aleph.network
    faults.notifyOnly = true
    faults.deadNodes.add(0)
    const { agentId, machineId } = await runningAgent()
    expect(await statusOf(agentId)).toBe('running')
    const all = await rows()
    const dead = all.find(({ id }) => id !== machineId)
    expect(dead).toMatchObject({ state: 'gone', failure: 'placement_timeout' })
    expect(dead?.crnHash).toMatch(/^c0ffee00/)
    expect((await rowOf(machineId))?.crnHash).toMatch(/^c0ffee01/)
  })
})

describe('a pinned creation without a list of nodes', () => {
  test.each([
    ['that cannot be read', 'http://127.0.0.1:1/crns.json', 'cannot be read'],
    ['that is something else', 'SELF/api/v1/vms/none', 'cannot be read'],
    ['that is empty', 'EMPTY', 'no listed node'],
  ])('%s orders nothing and says why', async (_, url, reason) => {
    const list = createServer((_, response) => response.end(JSON.stringify({ crns: [{ hash: 'odd' }, null] })))
    await new Promise<void>((resolve) => list.listen(0, '127.0.0.1', resolve))
    const { port } = list.address() as AddressInfo
    const address = url === 'EMPTY' ? `http://127.0.0.1:${port}` : url.replace('SELF', 'https://127.0.0.1:1')
    await setUp({ variables: { ALEPH_PLACEMENT: 'pinned', ALEPH_CRN_LIST_URL: address } })
    const agentId = await world.giveAgent()
    const id = await world.ask(agentId, 'create')
    await world.platform.finish()
    list.close()
    const deployment = await findDeployment(world.database, id)
    expect(deployment).toMatchObject({ status: 'failed', errorCode: 'no_capacity' })
    expect(deployment?.error).toContain(reason)
    expect(statuses()).toEqual([])
    await passTime(6 * MINUTE_MS)
    expect((await rows()).map(({ state }) => state)).toEqual(['gone', 'gone', 'gone'])
  })
})

describe('a deletion', () => {
  test('wipes, forgets until forgotten, erases the disk, and takes the forwarded ports away', async () => {
    await setUp()
    const { agentId, machineId } = await runningAgent('a secret diary')
    world.snapshots.kept.set(agentId, 'a secret diary')
    const itemHash = (await rowOf(machineId))?.itemHash ?? ''
    const address = world.aleph.network.look(itemHash)?.envelope.sender ?? ''
    expect(world.aleph.network.aggregate(address, 'port-forwarding')?.[itemHash]).toMatchObject({
      ports: { 443: { tcp: true } },
    })
    await world.ask(agentId, 'destroy')
    await world.platform.finish()
    expect(await statusOf(agentId)).toBe('deleted')
    expect(await rowOf(machineId)).toMatchObject({ state: 'gone', agentId: null, portsForwarded: 0 })
    expect(world.aleph.network.look(itemHash)).toMatchObject({ status: 'forgotten', erased: true })
    expect(world.aleph.network.aggregate(address, 'port-forwarding')?.[itemHash]).toBeNull()
    expect(world.snapshots.kept.size).toBe(0)
  })

  test('goes on in the sweep when the network does not answer, and says so', async () => {
    await setUp()
    const { agentId, machineId } = await runningAgent()
    world.aleph.network.faults.strike = ({ path }) => (path.startsWith('/api/v0/messages') ? 'before' : undefined)
    await world.ask(agentId, 'destroy')
    await world.platform.finish()
    expect(world.reports.at(-1)).toMatchObject({ status: 'failed', error: { code: 'forget_timeout' } })
    expect((await rowOf(machineId))?.state).toBe('destroying')
    world.aleph.network.faults.strike = () => undefined
    await passTime(5 * MINUTE_MS)
    expect((await rowOf(machineId))?.state).toBe('gone')
    expect(statuses()).toEqual(['forgotten'])
  })

  test('whose Workflow never came to an end begins again, and nothing is paid for any more', async () => {
    await setUp()
    const { agentId, machineId } = await runningAgent()
    await world.database.update(agents).set({ status: 'deleting' })
    const id = await world.ask(agentId, 'destroy')
    world.platform.instances.clear()
    const longAgo = world.clock.now - 4 * HOUR_MS
    await world.database
      .update(deployments)
      .set({ createdAt: longAgo, updatedAt: longAgo })
      .where(eq(deployments.id, id))
    await passTime(40 * MINUTE_MS, 5 * MINUTE_MS)
    await world.platform.finish()
    expect(await statusOf(agentId)).toBe('deleted')
    expect((await rowOf(machineId))?.state).toBe('gone')
    expect(statuses()).toEqual(['forgotten'])
  })

  test.each([
    ['that was never spoken to', null],
    ['that was spoken to', 'ssh-ed25519 of the former machine'],
  ])('of a machine %s wipes no other one that has its address by now', async (_, hostKey) => {
    await setUp()
    const living = await runningAgent('only copy')
    const { agentId, machineId } = await runningAgent()
    const there = (await rowOf(living.machineId)) ?? expect.fail('no machine')
    const { sshHost, sshPort } = there
    await world.aleph.network.remove((await rowOf(machineId))?.itemHash ?? '')
    await world.database.update(machines).set({ sshHost, sshPort, hostKey }).where(eq(machines.id, machineId))
    await world.ask(agentId, 'destroy')
    await world.platform.finish()
    expect((await rowOf(machineId))?.state).toBe('gone')
    expect(world.park.at(sshPort ?? 0)).toMatchObject({ agentId: living.agentId, memory: 'only copy' })
  })

  test('finds a machine that has moved, and wipes it there', async () => {
    await setUp()
    const { agentId, machineId } = await runningAgent('a secret diary')
    const machine = world.park.at((await rowOf(machineId))?.sshPort ?? 0)
    await world.database.update(machines).set({ sshPort: 1, hostKey: null }).where(eq(machines.id, machineId))
    const erase = world.park.erase.bind(world.park)
    Object.assign(world.park, { erase: async () => undefined })
    await world.ask(agentId, 'destroy')
    await world.platform.finish()
    Object.assign(world.park, { erase })
    expect(machine).toMatchObject({ agentId: undefined, memory: '' })
  })

  test('that could not take away what was put aside does so later', async () => {
    await setUp()
    const { agentId } = await runningAgent()
    world.snapshots.kept.set(agentId, 'a secret diary')
    await world.database.update(agents).set({ status: 'deleting' })
    const { erase } = world.snapshots
    world.snapshots.erase = async () => Promise.reject(new Error('the object does not answer'))
    await world.ask(agentId, 'destroy')
    await world.platform.finish()
    world.snapshots.erase = erase
    await passTime(40 * MINUTE_MS, 5 * MINUTE_MS)
    await world.platform.finish()
    expect(await statusOf(agentId)).toBe('deleted')
    expect(world.snapshots.kept.size).toBe(0)
  })

  test('leaves nothing put aside, also of a look that was under way', async () => {
    await setUp()
    const { agentId } = await runningAgent('a secret diary')
    world.clock.now += 25 * HOUR_MS
    const { save } = world.snapshots
    world.snapshots.save = async (id, archive) => {
      await world.database.update(agents).set({ status: 'deleting' })
      await world.ask(agentId, 'destroy')
      await world.platform.finish()
      return save(id, archive)
    }
    await tendMachines(ORPHAN_CRON, world.ports)
    expect(await statusOf(agentId)).toBe('deleted')
    expect(world.snapshots.kept.size).toBe(0)
  })

  test('overtakes a creation at whatever step that is', async () => {
    await setUp()
    world.aleph.network.faults.placementMs = MINUTE_MS
    for (let turns = 1; turns < 30; turns += 7) {
      const agentId = await world.giveAgent()
      await world.ask(agentId, 'create')
      let left = turns
      await world.platform.runDue(() => (left-- > 0 ? 0 : Number.POSITIVE_INFINITY))
      await world.ask(agentId, 'destroy')
      await world.platform.finish()
      expect(await statusOf(agentId)).toBe('deleted')
    }
    await passTime(20 * MINUTE_MS, 5 * MINUTE_MS)
    expect(new Set((await rows()).map(({ state }) => state))).toEqual(new Set(['gone']))
    expect(statuses().filter((status) => status === 'processed')).toEqual([])
  })
})

describe('a repair', () => {
  test('whose new version does not come up leaves the agent where it runs again', async () => {
    await setUp()
    const { agentId, machineId } = await runningAgent('diary')
    world.troubles = { ...NO_TROUBLE, isBad: () => true }
    const id = await world.ask(agentId, 'repair')
    await world.platform.finish()
    expect(await findDeployment(world.database, id)).toMatchObject({ status: 'failed', errorCode: 'rolled_back' })
    expect(await findAgent(world.database, agentId)).toMatchObject({ status: 'running', machineId })
    expect(await memoryOf(agentId)).toBe('diary')
    expect(statuses()).toEqual(['processed'])
  })

  test('stays on a machine that answers', async () => {
    await setUp()
    const { agentId, machineId } = await runningAgent('diary')
    const machine = [...world.park.machines.values()][0]
    if (machine) machine.isServing = false
    await world.ask(agentId, 'repair')
    await world.platform.finish()
    expect(await findAgent(world.database, agentId)).toMatchObject({ status: 'running', machineId })
    expect(await memoryOf(agentId)).toBe('diary')
  })

  test('moves to another machine with the last snapshot when nothing answers any more', async () => {
    await setUp()
    const { agentId, machineId } = await runningAgent('diary of yesterday')
    await passTime(25 * HOUR_MS, 5 * HOUR_MS)
    expect(world.snapshots.kept.get(agentId)).toBe('diary of yesterday')
    await world.park.cut((await rowOf(machineId))?.itemHash ?? '')
    await world.ask(agentId, 'repair')
    await world.platform.finish()
    const agent = await findAgent(world.database, agentId)
    expect(agent?.status).toBe('running')
    expect(agent?.machineId).not.toBe(machineId)
    expect(await memoryOf(agentId)).toBe('diary of yesterday')
    expect((await rowOf(machineId))?.state).toBe('gone')
    expect(lastReport()).toMatchObject({ status: 'done', loss: { copiedAt: agent?.snapshotAt } })
  })

  test('says that everything is lost when nothing answers and nothing was put aside', async () => {
    await setUp()
    const { agentId, machineId } = await runningAgent('diary')
    await world.park.cut((await rowOf(machineId))?.itemHash ?? '')
    await world.ask(agentId, 'repair')
    await world.platform.finish()
    expect(await statusOf(agentId)).toBe('running')
    expect(await memoryOf(agentId)).toBe('')
    expect(lastReport()).toMatchObject({ kind: 'repair', status: 'done', loss: {} })
    // The same for a copy that was noted and is not there.
    const again = await findAgent(world.database, agentId)
    await world.database.update(agents).set({ snapshotAt: world.clock.now }).where(eq(agents.id, agentId))
    await world.park.cut((await rowOf(again?.machineId ?? ''))?.itemHash ?? '')
    await world.ask(agentId, 'repair')
    await world.platform.finish()
    expect(lastReport()).toMatchObject({ status: 'done', loss: {} })
  })

  test('of an agent that never ran has lost nothing', async () => {
    await setUp()
    world.troubles = { ...NO_TROUBLE, before: () => 'runner_unreachable' }
    const agentId = await world.giveAgent()
    await world.ask(agentId, 'create')
    await world.platform.finish()
    world.troubles = NO_TROUBLE
    await world.ask(agentId, 'repair')
    await world.platform.finish()
    expect(await statusOf(agentId)).toBe('running')
    expect(lastReport()).toMatchObject({ kind: 'repair', status: 'done' })
    expect(lastReport()).not.toHaveProperty('loss')
  })

  test('of a young agent does not begin from nothing either', async () => {
    await setUp()
    const { agentId, machineId } = await runningAgent('diary of the first hours')
    await passTime(2 * HOUR_MS, 30 * MINUTE_MS)
    await world.park.cut((await rowOf(machineId))?.itemHash ?? '')
    await world.ask(agentId, 'repair')
    await world.platform.finish()
    expect(await statusOf(agentId)).toBe('running')
    expect(await memoryOf(agentId)).toBe('diary of the first hours')
  })

  test('takes the state of the live agent when only SSH is broken', async () => {
    await setUp()
    const { agentId, machineId } = await runningAgent('diary of now')
    const lost = world.park.at((await rowOf(machineId))?.sshPort ?? 0)
    world.troubles = { ...NO_TROUBLE, before: (call) => (call === 'probe' && lost?.isOn ? 'auth_failed' : undefined) }
    await world.ask(agentId, 'repair')
    await world.platform.finish()
    expect((await findAgent(world.database, agentId))?.machineId).not.toBe(machineId)
    expect(await memoryOf(agentId)).toBe('diary of now')
    expect(lastReport()).not.toHaveProperty('loss')
  })

  test('never leaves a machine that answers while its data are nowhere else', async () => {
    await setUp()
    const { agentId, machineId } = await runningAgent('only copy')
    const machine = [...world.park.machines.values()][0]
    if (machine) machine.isServing = false
    world.troubles = { ...NO_TROUBLE, before: (call) => (call === 'deploy' ? 'step_failed' : undefined) }
    const id = await world.ask(agentId, 'repair')
    await world.platform.finish()
    expect(await findDeployment(world.database, id)).toMatchObject({ status: 'failed', errorCode: 'step_failed' })
    expect(await rowOf(machineId)).toMatchObject({ state: 'in_use', agentId })
    expect(machine?.memory).toBe('only copy')
  })
})

describe('an update', () => {
  test('whose new version does not come up leaves the agent as it ran, with all its owner has said since', async () => {
    await setUp()
    const { agentId, machineId } = await runningAgent('diary')
    await saveAgentSettings(world.database, agentId, { prompt: 'Be brief.' }, world.clock.now)
    world.troubles = { ...NO_TROUBLE, isBad: () => true, version: 'v3' }
    const id = await world.ask(agentId, 'update')
    await world.platform.finish()
    const deployment = await findDeployment(world.database, id)
    expect(deployment).toMatchObject({ status: 'failed', errorCode: 'rolled_back' })
    expect(deployment?.error).toContain('version v2 runs again')
    const agent = { status: 'running', prompt: 'Be brief.', version: 'v2', machineId }
    expect(await findAgent(world.database, agentId)).toMatchObject(agent)
    const machine = world.park.at((await rowOf(machineId))?.sshPort ?? 0)
    expect(machine).toMatchObject({ isServing: true, version: 'v2', memory: 'diary' })
    expect(machine?.settings).toContain('Be brief.')
    expect(world.reports.at(-1)).toMatchObject({ status: 'failed', error: { code: 'rolled_back' } })
  })

  test('that a machine cannot take back goes back to the settings it ran with', async () => {
    await setUp()
    const { agentId, machineId } = await runningAgent()
    await saveAgentSettings(world.database, agentId, { prompt: 'Be terrible.' }, world.clock.now)
    world.troubles = { ...NO_TROUBLE, isBad: ({ system_prompt }) => system_prompt === 'Be terrible.' }
    const machine = world.park.at((await rowOf(machineId))?.sshPort ?? 0)
    if (machine) machine.good = undefined
    const id = await world.ask(agentId, 'update')
    await world.platform.finish()
    expect(await findDeployment(world.database, id)).toMatchObject({ status: 'failed', errorCode: 'rolled_back' })
    expect(await findAgent(world.database, agentId)).toMatchObject({ status: 'running', prompt: 'Be kind.', machineId })
    expect(await world.ports.agents.health((await rowOf(machineId))?.url ?? '')).toBeDefined()
  })
})

describe('an update that answers on its machine', () => {
  const machineOf = async (machineId: string) => world.park.at((await rowOf(machineId))?.sshPort ?? 0)
  const fateOf = async (id: string) => {
    const { status, errorCode, error } = (await findDeployment(world.database, id)) ?? {}
    return { status, errorCode, error }
  }

  test.each([
    ['and not at its public address', 'nobody', 'nothing after'],
    ['while its public address shows another version', { version: 'v1' }, 'version v1 answers there, not v3'],
  ] as const)('%s goes back to what could be reached', async (_, leaves, reason) => {
    await setUp()
    const { agentId, machineId } = await runningAgent('diary')
    world.troubles = { ...NO_TROUBLE, leaves: () => leaves, version: 'v3' }
    const id = await world.ask(agentId, 'update')
    await world.platform.finish()
    const fate = await fateOf(id)
    expect(fate).toMatchObject({ status: 'failed', errorCode: 'rolled_back_outside' })
    expect(fate.error).toContain(reason)
    expect(fate.error).toContain('version v2 runs again')
    expect(await findAgent(world.database, agentId)).toMatchObject({ status: 'running', version: 'v2', machineId })
    expect(await world.ports.agents.health((await rowOf(machineId))?.url ?? '')).toMatchObject({ version: 'v2' })
    expect(await memoryOf(agentId)).toBe('diary')
    expect(world.reports.at(-1)).toMatchObject({ status: 'failed', error: { code: 'rolled_back_outside' } })
    expect(statuses()).toEqual(['processed'])
  })

  test('and cannot be reached with its former version either is not blamed for it, and says so', async () => {
    await setUp()
    const { agentId, machineId } = await runningAgent()
    const machine = await machineOf(machineId)
    world.troubles = {
      ...NO_TROUBLE,
      version: 'v3',
      leaves: () => {
        // The network breaks in the same moment.
        if (machine?.former) machine.former = { ...machine.former, outside: 'nobody' }
        return 'nobody'
      },
    }
    const id = await world.ask(agentId, 'update')
    await world.platform.finish()
    const fate = await fateOf(id)
    expect(fate).toMatchObject({ status: 'failed', errorCode: 'unreachable_outside' })
    expect(fate.error).toContain('neither with its new version nor with v2, which runs again')
    expect(await statusOf(agentId)).toBe('failed')
    expect(await rowOf(machineId)).toMatchObject({ state: 'in_use', agentId })
    expect(machine).toMatchObject({ version: 'v2' })
  })

  test('of an agent that could not be reached before keeps the new version: it is not to blame', async () => {
    await setUp()
    const { agentId, machineId } = await runningAgent()
    const machine = await machineOf(machineId)
    if (machine) machine.outside = 'nobody'
    world.troubles = { ...NO_TROUBLE, leaves: () => 'nobody', version: 'v3' }
    const id = await world.ask(agentId, 'update')
    await world.platform.finish()
    expect(await fateOf(id)).toMatchObject({ status: 'failed', errorCode: 'unreachable_outside' })
    expect(machine).toMatchObject({ version: 'v3' })
  })

  test('goes back also when the platform loses all it knew of it halfway', async () => {
    await setUp()
    const { agentId, machineId } = await runningAgent()
    world.troubles = { ...NO_TROUBLE, leaves: () => 'nobody', version: 'v3' }
    const id = await world.ask(agentId, 'update')
    const machine = await machineOf(machineId)
    while (machine?.version !== 'v3') {
      world.clock.now = Math.max(world.clock.now, world.platform.nextWake() ?? 0)
      let left = 1
      await world.platform.runDue(() => (left-- > 0 ? 0 : Number.POSITIVE_INFINITY))
    }
    world.platform.instances.clear()
    await world.platform.start({ deploymentId: id })
    await world.platform.finish()
    expect(await fateOf(id)).toMatchObject({ errorCode: 'rolled_back_outside' })
    expect(await findAgent(world.database, agentId)).toMatchObject({ status: 'running', version: 'v2' })
  })

  test('and outside leaves nothing of the former one', async () => {
    await setUp()
    const { agentId, machineId } = await runningAgent()
    world.troubles = { ...NO_TROUBLE, version: 'v3' }
    await world.ask(agentId, 'update')
    await world.platform.finish()
    expect(await findAgent(world.database, agentId)).toMatchObject({ status: 'running', version: 'v3' })
    expect(await machineOf(machineId)).toMatchObject({ version: 'v3', former: undefined })
  })

  test.each(['runner_outdated', 'disconnected', 'unreachable'])(
    'is done also when the runner could not be told so: %s',
    async (code) => {
      await setUp()
      const { agentId } = await runningAgent()
      world.troubles = { ...NO_TROUBLE, version: 'v3', before: (call) => (call === 'settle' ? code : undefined) }
      const id = await world.ask(agentId, 'update')
      await world.platform.finish()
      expect(await fateOf(id)).toMatchObject({ status: 'done' })
      expect(await findAgent(world.database, agentId)).toMatchObject({ status: 'running', version: 'v3' })
    },
  )

  test('by a runner that keeps nothing says that it cannot be reached', async () => {
    await setUp()
    const { agentId } = await runningAgent()
    world.troubles = {
      ...{ ...NO_TROUBLE, leaves: () => 'nobody', version: 'v3' },
      before: (call) => (call === 'settle' ? 'runner_outdated' : undefined),
    }
    const id = await world.ask(agentId, 'update')
    await world.platform.finish()
    expect(await fateOf(id)).toMatchObject({ status: 'failed', errorCode: 'unreachable_outside' })
    expect(await statusOf(agentId)).toBe('failed')
  })
})

describe('an agent', () => {
  test('is worked on once, however many ask at once; a deletion does not wait', async () => {
    await setUp()
    const { agentId } = await runningAgent()
    const record = (id: string, kind: 'repair' | 'update' | 'destroy') =>
      recordDeployment(world.database, { id, agentId, kind, chatName: null, now: world.clock.now })
    const ids = ['w1', 'w2', 'w3', 'w4', 'w5']
    const recorded = await Promise.all(ids.map((id) => record(id, 'repair')))
    expect(recorded.filter(Boolean)).toHaveLength(1)
    // The same again is the same.
    expect(await record(ids[recorded.indexOf(true)] ?? '', 'repair')).toBe(true)
    expect(await record('w6', 'update')).toBe(false)
    expect(await record('w7', 'destroy')).toBe(true)
  })
})

describe('a machine that is taken away', () => {
  test('while an agent moves in is replaced', async () => {
    await setUp({ variables: { POOL_MIN_SIZE: '1' } })
    await passTime(MINUTE_MS)
    await world.platform.finish()
    const [warm] = await rows()
    const agentId = await world.giveAgent()
    await world.ask(agentId, 'create')
    const claimed = async () => (await rowOf(warm?.id ?? ''))?.state === 'claimed'
    while (!(await claimed())) {
      let left = 1
      await world.platform.runDue(() => (left-- > 0 ? 0 : Number.POSITIVE_INFINITY))
    }
    await world.aleph.network.remove(warm?.itemHash ?? '')
    await tendMachines(ORPHAN_CRON, world.ports)
    await world.platform.finish()
    const agent = await findAgent(world.database, agentId)
    expect(agent?.status).toBe('running')
    expect(agent?.machineId).not.toBe(warm?.id)
  })
})

describe('work that never reaches the agent', () => {
  test.each(['update', 'repair'] as const)('leaves it running: %s', async (kind) => {
    await setUp()
    const { agentId, machineId } = await runningAgent('diary')
    world.troubles = { ...NO_TROUBLE, before: () => 'runner_unreachable' }
    const id = await world.ask(agentId, kind)
    await world.platform.finish()
    expect(await findDeployment(world.database, id)).toMatchObject({ errorCode: 'runner_unreachable' })
    expect(world.reports.at(-1)).toMatchObject({ status: 'failed', error: { code: 'runner_unreachable' } })
    expect(await findAgent(world.database, agentId)).toMatchObject({ status: 'running', machineId })
  })
})

test('work that never ends is given up, and its agent goes on being talked to where it answers', async () => {
  await setUp()
  const [well, ill] = [await runningAgent(), await runningAgent()]
  const machine = world.park.at((await rowOf(ill.machineId))?.sshPort ?? 0)
  if (machine) machine.isServing = false
  const longAgo = world.clock.now - 4 * HOUR_MS
  for (const { agentId } of [well, ill]) await world.ask(agentId, 'update')
  world.platform.instances.clear()
  await world.database
    .update(deployments)
    .set({ createdAt: longAgo, updatedAt: longAgo })
    .where(eq(deployments.kind, 'update'))
  await passTime(MINUTE_MS)
  expect([await statusOf(well.agentId), await statusOf(ill.agentId)]).toEqual(['running', 'failed'])
  expect(world.reports.at(-1)).toMatchObject({ status: 'failed', error: { code: 'timeout' } })
})

describe('the sweep', () => {
  test('forgets an instance of ours that no row knows, after its grace, and nothing else of the account', async () => {
    await setUp()
    const { machineId } = await runningAgent()
    await world.database.delete(machines).where(eq(machines.id, machineId))
    await world.database.update(agents).set({ status: 'deleted', machineId: null })
    await passTime(20 * MINUTE_MS, 5 * MINUTE_MS)
    expect(statuses()).toEqual(['processed'])
    await passTime(20 * MINUTE_MS, 5 * MINUTE_MS)
    expect(statuses()).toEqual(['forgotten'])
    const [{ envelope } = expect.fail('no instance')] = world.aleph.network.instances()
    expect(world.aleph.network.aggregate(envelope.sender, 'port-forwarding')?.[envelope.item_hash]).toBeNull()
  })

  test('leaves the instances of another installation on the same account alone, as of one that somebody tries out', async () => {
    await setUp()
    const { machineId } = await runningAgent()
    await world.database.delete(machines).where(eq(machines.id, machineId))
    await world.database.update(agents).set({ status: 'deleted', machineId: null })
    const others = { ...world.ports, config: { ...world.ports.config, TELEGRAM_BOT_TOKEN: `8000:${'x'.repeat(30)}` } }
    world.clock.now += 2 * HOUR_MS
    await tendMachines(ORPHAN_CRON, others)
    expect(statuses()).toEqual(['processed'])
    await tendMachines(ORPHAN_CRON, world.ports)
    expect(statuses()).toEqual(['forgotten'])
  })

  test('forgets an instance from before installations had a mark', async () => {
    await setUp()
    const { agentId, machineId } = await runningAgent()
    const itemHash = (await rowOf(machineId))?.itemHash ?? ''
    const { envelope } = world.aleph.network.look(itemHash) ?? expect.fail('no instance')
    const content = JSON.parse(envelope.item_content)
    expect(content.metadata.name).toMatch(/^baal-[0-9a-f]{8}\.m-/)
    const key = world.ports.config.ALEPH_PRIVATE_KEY ?? ''
    const former = await signMessage(key, 'INSTANCE', { ...content, metadata: { name: 'baal-d0123456789-1' } })
    await postMessage(world.ports.config.ALEPH_API_URLS, former)
    world.clock.now += 2 * HOUR_MS
    await tendMachines(ORPHAN_CRON, world.ports)
    expect(world.aleph.network.look(former.item_hash)?.status).toBe('forgotten')
    expect(await statusOf(agentId)).toBe('running')
  })

  test('finds an instance again by its name when its row has lost the hash', async () => {
    await setUp()
    const { machineId } = await runningAgent()
    const { itemHash } = (await rowOf(machineId)) ?? {}
    await world.database.update(machines).set({ itemHash: null }).where(eq(machines.id, machineId))
    await passTime(45 * MINUTE_MS, 15 * MINUTE_MS)
    expect((await rowOf(machineId))?.itemHash).toBe(itemHash)
    expect(statuses()).toEqual(['processed'])
  })

  test('closes a row whose instance the network took away, and its agent can be repaired', async () => {
    await setUp()
    const { agentId, machineId } = await runningAgent('diary')
    await passTime(25 * HOUR_MS, 5 * HOUR_MS)
    await world.aleph.network.remove((await rowOf(machineId))?.itemHash ?? '')
    await passTime(MINUTE_MS)
    expect(await statusOf(agentId)).toBe('failed')
    expect(await rowOf(machineId)).toMatchObject({ state: 'gone', failure: 'instance_removed', portsForwarded: 0 })
    await world.ask(agentId, 'repair')
    await world.platform.finish()
    expect(await statusOf(agentId)).toBe('running')
    expect(await memoryOf(agentId)).toBe('diary')
  })

  test('deals with rows that never had an instance', async () => {
    await setUp()
    const [id, now] = ['m-lost', world.clock.now]
    await world.database.insert(machines).values({
      ...{ id, name: 'baal-lost', kind: 'aleph', state: 'recorded', agentId: 'nobody', createdAt: now, updatedAt: now },
    })
    await passTime(20 * MINUTE_MS, 5 * MINUTE_MS)
    expect((await rowOf(id))?.state).toBe('gone')
  })
})
