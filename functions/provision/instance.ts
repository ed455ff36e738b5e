/** An Aleph instance from order to oblivion, each part safe to repeat: signed and noted before it is sent, forgotten until gone. */
import type { Config } from '../config.ts'
import {
  countPaidMachines,
  findFailingNodes,
  findMachine,
  type Machine,
  moveMachine,
  noteMachine,
} from '../database/machines.ts'
import { describeError, log } from '../log.ts'
import { chooseCrn } from './aleph/choose-crn.ts'
import {
  CREDIT_INSUFFICIENT,
  DISK_TOO_SMALL,
  fetchMessageStatus,
  IMAGE_NOT_FOUND,
  type MessageStatus,
  postMessage,
} from './aleph/core-nodes.ts'
import { describeMissing, fetchCredits, fetchDailyPrice, missingCredits } from './aleph/credits.ts'
import { type Crn, fetchCrns } from './aleph/crn-list.ts'
import { buildForgetContent } from './aleph/forget-content.ts'
import { fetchDebianImage } from './aleph/images.ts'
import { buildInstanceContent, DEBIAN_12_IMAGE, DISK_MIB, MEMORY_MIB } from './aleph/instance-content.ts'
import { buildPortForwarding } from './aleph/port-forwarding.ts'
import { accountAddress, type Envelope, signMessage } from './aleph/sign-message.ts'
import { ProvisionFailure } from './provision-failure.ts'
import type { ProvisionPorts } from './provision-ports.ts'

type Ports = Pick<ProvisionPorts, 'config' | 'database' | 'now' | 'random'>

/** A node that failed is left alone for this long. */
export const NODE_REST_MS = 10 * 60_000
/** So long an order whose answer was lost may still be on its way to a core node. */
const UNSEEN_GRACE_MS = 10 * 60_000

/**
 * Signs the order and notes its hash, so that an answer that gets lost leaves a machine that we know of. Nothing is sent yet.
 * @param usePublishedImage for when the image that the network listed turned out to be none
 * @throws {ProvisionFailure} no_capacity without an account or node, out_of_credit
 */
export async function signInstance(
  { config, database, now, random }: Ports,
  machine: { id: string; name: string },
  { usePublishedImage = false } = {},
): Promise<Envelope> {
  const key = requireAccount(config)
  const address = await accountAddress(key)
  const node = config.ALEPH_PLACEMENT === 'pinned' ? await pickNode({ config, database, now, random }) : undefined
  const content = buildInstanceContent({
    address,
    name: machine.name,
    sshPublicKey: config.ALEPH_SSH_PUBKEY,
    image: usePublishedImage ? DEBIAN_12_IMAGE : await fetchDebianImage(config.ALEPH_API_URLS),
    nowMs: now(),
    node: node?.hash,
  })
  const envelope = await signMessage(key, 'INSTANCE', content)
  const creditsPerDay = await requireCredits({ config, database }, envelope)
  const facts = { itemHash: envelope.item_hash, creditsPerDay }
  await noteMachine(
    database,
    machine.id,
    { ...facts, ...(node ? { crnHash: node.hash, crnUrl: node.address } : {}) },
    now(),
  )
  return envelope
}

async function pickNode({ config, database, now, random }: Ports): Promise<Crn> {
  const blocked = await findFailingNodes(database, now() - NODE_REST_MS)
  const need = { memoryMib: MEMORY_MIB, diskMib: DISK_MIB }
  const node = chooseCrn(await fetchCrns(config.ALEPH_CRN_LIST_URL), need, { blocked, random })
  if (!node) throw new ProvisionFailure('no_capacity', 'no listed node can carry an instance at the moment')
  return node
}

/** Before anything is created: a core node refuses what a day of all machines cannot be paid for. */
async function requireCredits(
  { config, database }: Pick<Ports, 'config' | 'database'>,
  order: Envelope,
): Promise<number> {
  const hosts = config.ALEPH_API_URLS
  const [balance, runningMachines, creditsPerDay] = await Promise.all([
    fetchCredits(hosts, order.sender),
    countPaidMachines(database),
    fetchDailyPrice(hosts, order),
  ])
  const missing = missingCredits(balance, runningMachines, creditsPerDay)
  if (missing > 0) {
    const account = { address: order.sender, balance, runningMachines, creditsPerDay, missing }
    throw new ProvisionFailure('out_of_credit', describeMissing(account))
  }
  return creditsPerDay
}

/**
 * Sends the order, unless the machine has been given up meanwhile; given up while it was on its way, it is forgotten at once.
 * Sending the same bytes again is harmless.
 * @throws {ProvisionFailure} superseded, or rejected when no node will have it
 */
export async function orderInstance(ports: Ports, machineId: string, envelope: Envelope): Promise<void> {
  const { config, database, now } = ports
  const isOurs = await moveMachine(database, machineId, {
    from: ['recorded', 'created'],
    to: 'created',
    facts: { orderedAt: now() },
    now: now(),
  })
  if (!isOurs) throw new ProvisionFailure('superseded', 'the machine was given up before it was ordered')
  const verdict = await postMessage(config.ALEPH_API_URLS, envelope)
  if (verdict === 'refused') {
    throw new ProvisionFailure('rejected', `the instance ${envelope.item_hash} breaks a rule of the network`)
  }
  const machine = await findMachine(database, machineId)
  if (machine?.state === 'created') return
  await sendForget(ports, envelope.item_hash)
  throw new ProvisionFailure('superseded', 'the machine was given up while it was ordered')
}

/** @returns false while the network has not decided. @throws {ProvisionFailure} rejected, wrong_image, out_of_credit */
export async function isAccepted({ config }: Ports, itemHash: string): Promise<boolean> {
  const status = await fetchMessageStatus(config.ALEPH_API_URLS, itemHash)
  if (!status || status.status === 'pending') return false
  if (status.status === 'processed') return true
  throw rejection(itemHash, status)
}

function rejection(itemHash: string, { status, error_code, details }: MessageStatus): ProvisionFailure {
  const said = details?.errors?.length ? `: ${JSON.stringify(details.errors).slice(0, 300)}` : ''
  const reason = `the instance ${itemHash} is ${status} (code ${error_code ?? 'none'})${said}`
  if (error_code === CREDIT_INSUFFICIENT) return new ProvisionFailure('out_of_credit', reason)
  if (error_code === IMAGE_NOT_FOUND || error_code === DISK_TOO_SMALL)
    return new ProvisionFailure('wrong_image', reason)
  return new ProvisionFailure('rejected', reason)
}

/**
 * Asks the network to forget the instance.
 * @returns true once nothing of it is paid for any more, nor can come to be
 */
export async function forgetInstance(ports: Ports, machine: Machine): Promise<boolean> {
  if (!machine.itemHash || machine.orderedAt === null) return true
  const hosts = ports.config.ALEPH_API_URLS
  const status = await fetchMessageStatus(hosts, machine.itemHash)
  // Not seen by any node: its order may have been cut off, or is still on its way.
  if (!status) return ports.now() - machine.orderedAt > UNSEEN_GRACE_MS
  if (isOver(status)) return true
  await sendForget(ports, machine.itemHash)
  const after = await fetchMessageStatus(hosts, machine.itemHash)
  return after !== undefined && isOver(after)
}

function isOver({ status }: MessageStatus): boolean {
  return status === 'forgotten' || status === 'removed' || status === 'rejected'
}

export async function sendForget({ config, now }: Pick<Ports, 'config' | 'now'>, itemHash: string): Promise<void> {
  const key = requireAccount(config)
  const content = buildForgetContent({ address: await accountAddress(key), itemHash, nowMs: now() })
  const verdict = await postMessage(config.ALEPH_API_URLS, await signMessage(key, 'FORGET', content))
  if (verdict === 'refused') log('error', 'forget_refused', { instance: itemHash })
}

/** Best effort: the gateway reaches an instance without it, but people on IPv4 alone may not. */
export async function forwardPorts(ports: Ports, machine: Machine, wanted: 'forwarded' | 'none'): Promise<void> {
  const { config, database, now } = ports
  if (!machine.itemHash || (wanted === 'none' && machine.portsForwarded === 0)) return
  try {
    const key = requireAccount(config)
    const address = await accountAddress(key)
    const content = buildPortForwarding({ address, itemHash: machine.itemHash, wanted, nowMs: now() })
    // Noted first: an entry that may be there is one to take away.
    if (wanted === 'forwarded') await noteMachine(database, machine.id, { portsForwarded: 1 }, now())
    await postMessage(config.ALEPH_API_URLS, await signMessage(key, 'AGGREGATE', content))
    if (wanted === 'none') await noteMachine(database, machine.id, { portsForwarded: 0 }, now())
  } catch (error) {
    log('warn', 'port_forwarding_failed', { machine: machine.id, wanted, error: describeError(error) })
  }
}

function requireAccount({ ALEPH_PRIVATE_KEY }: Config): string {
  if (!ALEPH_PRIVATE_KEY) {
    throw new ProvisionFailure('no_capacity', 'ALEPH_PRIVATE_KEY is not set and no machine is free')
  }
  return ALEPH_PRIVATE_KEY
}
