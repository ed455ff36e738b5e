/** Ports that an instance's node forwards from its own IPv4 address: asked for when it is ordered, withdrawn when it goes. */
import { findMachine, moveMachine, noteMachine } from '../database/machines.ts'
import { describeError, log } from '../log.ts'
import { postMessage } from './aleph/core-nodes.ts'
import { buildPortForwarding } from './aleph/port-forwarding.ts'
import { accountAddress, signMessage } from './aleph/sign-message.ts'
import { requireAccount } from './aleph-account.ts'
import type { ProvisionPorts } from './provision-ports.ts'

type Ports = Pick<ProvisionPorts, 'config' | 'database' | 'now'>

/**
 * Lets the node forward HTTP and HTTPS. Best effort: the gateway reaches an instance without it, but people on IPv4 alone may not.
 * Noted first, because an entry that may be there is one to take away; given up meanwhile, it is taken away at once.
 */
export async function forwardPorts(ports: Ports, machineId: string): Promise<void> {
  const { database, now } = ports
  const mark = { from: ['created'], to: 'created', facts: { portsForwarded: 1 }, now: now() } as const
  const isOurs = await moveMachine(database, machineId, mark)
  const machine = await findMachine(database, machineId)
  if (!machine?.itemHash) return
  if (isOurs) await sendForwarding(ports, machine.itemHash, 'forwarded')
  const after = isOurs ? await findMachine(database, machineId) : undefined
  if (after?.state !== 'created') await withdrawPortsOf(ports, machine.itemHash)
}

/** @returns whether the network has been told */
export async function withdrawPorts(ports: Ports, machineId: string): Promise<boolean> {
  const machine = await findMachine(ports.database, machineId)
  if (!machine?.itemHash || machine.portsForwarded === 0) return true
  if (!(await withdrawPortsOf(ports, machine.itemHash))) return false
  await noteMachine(ports.database, machineId, { portsForwarded: 0 }, ports.now())
  return true
}

/** Also of an instance that no row knows. @returns whether the network has been told */
export function withdrawPortsOf(ports: Pick<Ports, 'config' | 'now'>, itemHash: string): Promise<boolean> {
  return sendForwarding(ports, itemHash, 'none')
}

async function sendForwarding(
  { config, now }: Pick<Ports, 'config' | 'now'>,
  itemHash: string,
  wanted: 'forwarded' | 'none',
): Promise<boolean> {
  try {
    const key = requireAccount(config)
    const address = await accountAddress(key)
    const content = buildPortForwarding({ address, itemHash, wanted, nowMs: now() })
    await postMessage(config.ALEPH_API_URLS, await signMessage(key, 'AGGREGATE', content))
    return true
  } catch (error) {
    log('warn', 'port_forwarding_failed', { instance: itemHash, wanted, error: describeError(error) })
    return false
  }
}
