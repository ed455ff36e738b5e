/** A machine for the pool, from its row to prepared. Only then is it warm; one that fails on the way is destroyed and counted. */
import { findMachine, giveUpMachine, type Machine, moveMachine, noteMachine } from '../database/machines.ts'
import { describeError, log } from '../log.ts'
import { ingressOf } from './aleph/gateway.ts'
import { type DurableWork, INSTALL, QUICK } from './durable-work.ts'
import { orderMachine } from './order-machine.ts'
import { ProvisionFailure } from './provision-failure.ts'
import type { ProvisionPorts } from './provision-ports.ts'
import { prepareHost, retireMachine } from './retire-machine.ts'
import { targetOf } from './ssh-target.ts'

const BOOT_WAIT_MS = 8 * 60_000
const ON_ITS_WAY: readonly Machine['state'][] = ['recorded', 'created', 'placed', 'preparing']

export async function warmMachine(work: DurableWork, machineId: string): Promise<void> {
  const machine = await work.do('load machine', QUICK, async ({ database }) => {
    const row = await findMachine(database, machineId)
    return row && isWanted(row) ? { kind: row.kind } : null
  })
  if (!machine) return
  if (machine.kind === 'ssh') {
    await work.do('prepare host', INSTALL, async (ports) => {
      const row = await findMachine(ports.database, machineId)
      return row?.state === 'preparing' && prepareHost(ports, row)
    })
    return
  }
  try {
    const note = () => (ports: ProvisionPorts) => touch(ports, machineId)
    await orderMachine(work, { machineId, agentId: null, label: 'pool', note })
    await work.do('prepare', INSTALL, (ports) => prepare(ports, machineId))
  } catch (error) {
    await discard(work, machineId, error)
  }
}

function isWanted({ agentId, state }: Machine): boolean {
  return agentId === null && ON_ITS_WAY.includes(state)
}

async function touch({ database, now }: ProvisionPorts, machineId: string): Promise<void> {
  const machine = await findMachine(database, machineId)
  if (!machine || !isWanted(machine)) throw new ProvisionFailure('superseded', 'the pool does not want it any more')
  await noteMachine(database, machineId, {}, now())
}

async function prepare({ database, runner, now }: ProvisionPorts, machineId: string): Promise<void> {
  const from = ['placed', 'preparing'] as const
  await moveMachine(database, machineId, { from, to: 'preparing', now: now() })
  const machine = await findMachine(database, machineId)
  if (machine?.state === 'warm') return
  if (machine?.state !== 'preparing' || !machine.url) throw new ProvisionFailure('superseded', 'it was given up')
  const request = { target: targetOf(machine), wait_ms: BOOT_WAIT_MS, ingress: ingressOf(machine.url) }
  const { host_key: hostKey } = await runner.prepare(request)
  await moveMachine(database, machineId, { from: ['preparing'], to: 'warm', facts: { hostKey }, now: now() })
}

async function discard(work: DurableWork, machineId: string, error: unknown): Promise<void> {
  log('warn', 'pool_machine_failed', { machine: machineId, error: describeError(error) })
  await work.do('give up', QUICK, ({ database, now }) => {
    const code = error instanceof ProvisionFailure ? error.code : 'internal'
    // Whoever is to blame: the pool orders less while it fails.
    return giveUpMachine(database, machineId, { failure: code === 'superseded' ? undefined : code, now: now() })
  })
  await retireMachine(work, machineId)
}
