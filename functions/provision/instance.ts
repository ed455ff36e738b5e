/** An Aleph instance is ordered: signed and noted before it is sent, and each part safe to repeat. */
import {
  countPaidMachines,
  findFailingNodes,
  findMachine,
  type Machine,
  moveMachine,
  noteMachine,
} from '../database/machines.ts'
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
import { fetchDebianImage } from './aleph/images.ts'
import { buildInstanceContent, DEBIAN_12_IMAGE, DISK_MIB, MEMORY_MIB } from './aleph/instance-content.ts'
import { accountAddress, type Envelope, signMessage } from './aleph/sign-message.ts'
import { requireAccount } from './aleph-account.ts'
import { sendForget } from './forget-instance.ts'
import { MACHINE_FAILURES, ProvisionFailure } from './provision-failure.ts'
import type { ProvisionPorts } from './provision-ports.ts'

export type InstancePorts = Pick<ProvisionPorts, 'config' | 'database' | 'now' | 'random'>

/** A node that failed is left alone for this long. */
const NODE_REST_MS = 10 * 60_000

/**
 * Signs the order and notes its hash, so that an answer that gets lost leaves a machine that we know of. Nothing is sent yet.
 * @param usePublishedImage for when the image that the network listed turned out to be none
 * @throws {ProvisionFailure} no_capacity without an account or node, out_of_credit
 */
export async function signInstance(
  { config, database, now, random }: InstancePorts,
  machineId: string,
  { usePublishedImage = false } = {},
): Promise<Envelope> {
  const key = requireAccount(config)
  const address = await accountAddress(key)
  const row = await findMachine(database, machineId)
  if (!row) throw new ProvisionFailure('superseded', 'the machine is gone')
  const node = config.ALEPH_PLACEMENT === 'pinned' ? await pickNode({ config, database, now, random }, row) : undefined
  const content = buildInstanceContent({
    address,
    name: row.name,
    sshPublicKey: config.ALEPH_SSH_PUBKEY,
    image: usePublishedImage ? DEBIAN_12_IMAGE : await fetchDebianImage(config.ALEPH_API_URLS),
    // The row's own time, so that signing again makes the same message.
    nowMs: row.createdAt,
    node: node?.hash,
  })
  const envelope = await signMessage(key, 'INSTANCE', content)
  if (row.orderedAt && row.itemHash !== envelope.item_hash) {
    throw new ProvisionFailure(
      'placement_timeout',
      `${row.itemHash} was ordered before, and cannot be ordered in the same words`,
    )
  }
  const creditsPerDay = await requireCredits({ config, database }, envelope)
  const facts = { itemHash: envelope.item_hash, creditsPerDay }
  await noteMachine(
    database,
    machineId,
    { ...facts, ...(node ? { crnHash: node.hash, crnUrl: node.address } : {}) },
    now(),
  )
  return envelope
}

async function pickNode(
  { config, database, now, random }: InstancePorts,
  row: Machine,
): Promise<Pick<Crn, 'hash' | 'address'>> {
  if (row.crnHash && row.crnUrl) return { hash: row.crnHash, address: row.crnUrl }
  const blocked = await findFailingNodes(database, { since: now() - NODE_REST_MS, failures: MACHINE_FAILURES })
  const need = { memoryMib: MEMORY_MIB, diskMib: DISK_MIB }
  const node = chooseCrn(await fetchCrns(config.ALEPH_CRN_LIST_URL), need, { blocked, random })
  if (!node) throw new ProvisionFailure('no_capacity', 'no listed node can carry an instance at the moment')
  return node
}

/** Before anything is created: a core node refuses what a day of all machines cannot be paid for. */
async function requireCredits(
  { config, database }: Pick<InstancePorts, 'config' | 'database'>,
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
export async function orderInstance(ports: InstancePorts, machineId: string, envelope: Envelope): Promise<void> {
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
export async function isAccepted({ config }: InstancePorts, itemHash: string): Promise<boolean> {
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
