/**
 * Squares our table with the network: what nobody wants is destroyed, an instance that no row knows is forgotten, and a row whose
 * instance was taken away is closed.
 */
import { giveUpMachine, noteMachine } from '../database/machines.ts'
import {
  buryMachine,
  findAbandoned,
  findKnownInstances,
  findMachinesToDestroy,
  listLiveInstances,
} from '../database/machines-sweep.ts'
import { describeError, log } from '../log.ts'
import { fetchMessageStatus } from './aleph/core-nodes.ts'
import { fetchOwnInstances, type OwnInstance } from './aleph/own-instances.ts'
import { accountAddress } from './aleph/sign-message.ts'
import { sendForget } from './forget-instance.ts'
import { withdrawPortsOf } from './forward-ports.ts'
import { ownNames } from './instance-name.ts'
import type { ProvisionPorts } from './provision-ports.ts'
import { retireAtOnce } from './retire-machine.ts'

/** Its own Workflow goes first. */
const DESTROY_AFTER_MS = 2 * 60_000
const ABANDONED_AFTER_MS = 10 * 60_000
/** Longer than ordering, booting and preparing together may take. */
const POOL_LIMIT_MS = 2 * 3_600_000
/** An order is noted before it is sent, so even this is generous. */
const ORPHAN_AFTER_MS = 30 * 60_000

export async function destroyUnwanted(ports: ProvisionPorts): Promise<void> {
  const { database, now } = ports
  const limits = { untouchedSince: now() - ABANDONED_AFTER_MS, pooledSince: now() - POOL_LIMIT_MS }
  for (const id of await findAbandoned(database, limits)) {
    log('warn', 'machine_abandoned', { machine: id })
    await giveUpMachine(database, id, { failure: 'abandoned', now: now() })
  }
  for (const machine of await findMachinesToDestroy(database, now() - DESTROY_AFTER_MS)) {
    try {
      // Touched first, so that a sweep that overlaps this one leaves it alone.
      await noteMachine(database, machine.id, {}, now())
      await retireAtOnce(ports, machine)
    } catch (error) {
      log('error', 'destroy_failed', { machine: machine.id, error: describeError(error) })
    }
  }
}

/** @returns item hashes of instances that no row knew */
export async function forgetOrphans(ports: ProvisionPorts): Promise<string[]> {
  const { config, database, now } = ports
  if (!config.ALEPH_PRIVATE_KEY) return []
  const address = await accountAddress(config.ALEPH_PRIVATE_KEY)
  const isOurs = await ownNames(config)
  const ours = (await fetchOwnInstances(config.ALEPH_API_URLS, address)).filter(({ name }) => isOurs(name))
  await buryVanished(ports, new Set(ours.map(({ itemHash }) => itemHash)))
  const old = ours.filter(({ createdAtMs }) => now() - createdAtMs > ORPHAN_AFTER_MS)
  const { byHash, lostHash } = await findKnownInstances(database, old)
  const orphans: string[] = []
  for (const instance of old.filter(({ itemHash }) => !byHash.has(itemHash))) {
    const row = lostHash.get(instance.name)
    if (row) await adopt(ports, row, instance)
    else {
      orphans.push(instance.itemHash)
      await forget(ports, instance)
    }
  }
  return orphans
}

/** Found again by its name: the row learns its hash, and with it how it ends. */
async function adopt(
  { database, now }: ProvisionPorts,
  machineId: string,
  { itemHash, createdAtMs }: OwnInstance,
): Promise<void> {
  log('warn', 'instance_found_by_name', { machine: machineId, instance: itemHash })
  await noteMachine(database, machineId, { itemHash, orderedAt: createdAtMs }, now())
}

async function forget(ports: ProvisionPorts, { itemHash }: OwnInstance): Promise<void> {
  log('warn', 'orphan_forgotten', { instance: itemHash })
  try {
    await sendForget(ports, itemHash)
    await withdrawPortsOf(ports, itemHash)
  } catch (error) {
    log('error', 'orphan_stays', { instance: itemHash, error: describeError(error) })
  }
}

/** Taken away by the network (credits ran out) or by the operator: an agent without its machine must not look healthy. */
async function buryVanished(ports: ProvisionPorts, listed: ReadonlySet<string>): Promise<void> {
  const { config, database, now } = ports
  for (const [itemHash, machine] of await listLiveInstances(database)) {
    if (listed.has(itemHash)) continue
    const status = await fetchMessageStatus(config.ALEPH_API_URLS, itemHash)
    if (status?.status !== 'forgotten' && status?.status !== 'removed') continue
    log('warn', 'instance_vanished', { machine: machine.id, instance: itemHash, status: status.status })
    await buryMachine(database, machine, { failure: `instance_${status.status}`, now: now() })
    // What the account has noted of it goes, too.
    await retireAtOnce(ports, machine)
  }
}
