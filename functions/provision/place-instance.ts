/** Finds out where an accepted instance runs; in pinned mode also asks its node to start it. */
import { findMachine, type Machine, moveMachine, noteMachine } from '../database/machines.ts'
import { fetchPublicUrl } from './aleph/gateway.ts'
import { notifyCrn } from './aleph/notify-crn.ts'
import { fetchExecution, fetchPlacement, type Placement } from './aleph/placement.ts'
import { ProvisionFailure } from './provision-failure.ts'
import type { ProvisionPorts } from './provision-ports.ts'

type Ports = Pick<ProvisionPorts, 'config' | 'database' | 'now'>

/** The scheduler places pinned instances, too: only when it does not, the node is asked. */
const NOTIFY_AFTER_MS = 60_000

/**
 * @returns true once SSH is forwarded to the machine; its addresses are noted then
 * @throws {ProvisionFailure} no_capacity, out_of_credit
 */
export async function placeInstance(ports: Ports, machineId: string, waitedMs: number): Promise<boolean> {
  const machine = await findMachine(ports.database, machineId)
  if (!machine?.itemHash) throw new ProvisionFailure('superseded', 'the machine is gone')
  const placement = await lookUp(ports, machine)
  if (placement.kind === 'unschedulable') {
    throw new ProvisionFailure('no_capacity', `no node can take ${machine.itemHash}`)
  }
  if (placement.kind === 'waiting') {
    // So that a node that never gets it running is known by name.
    if (placement.where === 'node') await noteNode(ports, machine, placement)
    else await notifyPinned(ports, machine, waitedMs)
    return false
  }
  const { kind: _, ...address } = placement
  const url = await fetchPublicUrl(ports.config.ALEPH_GATEWAY_URL, machine.itemHash)
  return moveMachine(ports.database, machineId, {
    from: ['created', 'placed'],
    to: 'placed',
    facts: { ...address, url },
    now: ports.now(),
  })
}

/** The scheduler may have moved it since: its addresses are never taken for granted. Keeps the old ones when nobody knows. */
export async function refreshAddress(ports: Ports, machine: Machine): Promise<Machine> {
  return (await confirmAddress(ports, machine)) ?? machine
}

/** @returns `undefined` when nobody knows where it is now: at its old address there may be another one */
export async function confirmAddress(ports: Ports, machine: Machine): Promise<Machine | undefined> {
  if (machine.kind !== 'aleph' || !machine.itemHash) return machine
  const placement = await lookUp(ports, machine).catch(() => undefined)
  if (placement?.kind !== 'placed') return undefined
  const { kind: _, ...address } = placement
  if (address.sshHost !== machine.sshHost || address.sshPort !== machine.sshPort) {
    await noteMachine(ports.database, machine.id, address, ports.now())
  }
  return { ...machine, ...address }
}

async function lookUp({ config }: Ports, machine: Machine): Promise<Placement> {
  const itemHash = machine.itemHash ?? ''
  const placement = await fetchPlacement(config.ALEPH_SCHEDULER_URL, itemHash)
  const isPinned = config.ALEPH_PLACEMENT === 'pinned' && machine.crnHash && machine.crnUrl
  if (!isPinned || placement.kind !== 'waiting' || placement.where === 'node') return placement
  const own = await fetchExecution({ hash: machine.crnHash ?? '', url: machine.crnUrl ?? '' }, itemHash).catch(
    () => placement,
  )
  return own.kind === 'placed' ? own : placement
}

async function noteNode(ports: Ports, machine: Machine, node: { crnHash: string; crnUrl: string }): Promise<void> {
  if (machine.crnHash === node.crnHash) return
  const { crnHash, crnUrl } = node
  await noteMachine(ports.database, machine.id, { crnHash, crnUrl }, ports.now())
}

async function notifyPinned({ config }: Ports, machine: Machine, waitedMs: number): Promise<void> {
  if (config.ALEPH_PLACEMENT !== 'pinned' || !machine.crnUrl || waitedMs < NOTIFY_AFTER_MS) return
  const answer = await notifyCrn(machine.crnUrl, machine.itemHash ?? '')
  if (answer === 'no_credit') throw new ProvisionFailure('out_of_credit', `${machine.crnUrl} wants an hour in advance`)
  if (answer === 'refused')
    throw new ProvisionFailure('no_capacity', `${machine.crnUrl} does not take ${machine.itemHash}`)
}
