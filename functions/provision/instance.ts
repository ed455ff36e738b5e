/** An Aleph instance from order to oblivion, each part safe to repeat: signed and noted before it is sent, forgotten until gone. */
import type { Config } from '../config.ts'
import type { Database } from '../database/database.ts'
import { countPaidMachines, type Machine, updateMachine } from '../database/machines.ts'
import { CREDIT_INSUFFICIENT, fetchMessageStatus, type MessageStatus, postMessage } from './aleph/core-nodes.ts'
import { fetchCredits, missingCredits } from './aleph/credits.ts'
import { fetchDebianImage } from './aleph/images.ts'
import { buildInstanceContent } from './aleph/instance-content.ts'
import { accountAddress, type Envelope, signMessage } from './aleph/sign-message.ts'
import { ProvisionFailure } from './provision-failure.ts'

export interface InstancePorts {
  readonly config: Config
  readonly database: Database
  now(): number
}

/**
 * Signs the order and notes its hash, so that an answer that gets lost leaves a machine that we know of.
 * @throws {ProvisionFailure} no_capacity without an account, out_of_credit
 */
export async function signInstance(
  { config, database, now }: InstancePorts,
  machine: { id: string; name: string },
): Promise<Envelope> {
  const key = requireAccount(config)
  const address = await accountAddress(key)
  const missing = missingCredits(await fetchCredits(config.ALEPH_API_URLS, address), await countPaidMachines(database))
  if (missing > 0) {
    throw new ProvisionFailure(
      'out_of_credit',
      `${Math.ceil(missing)} credits are missing on ${address}: top up, or free machines`,
    )
  }
  const content = buildInstanceContent({
    address,
    name: machine.name,
    sshPublicKey: config.ALEPH_SSH_PUBKEY,
    image: await fetchDebianImage(config.ALEPH_API_URLS),
    nowMs: now(),
  })
  const envelope = await signMessage(key, 'INSTANCE', content)
  await updateMachine(database, machine.id, { itemHash: envelope.item_hash }, now())
  return envelope
}

/** Sending the same bytes again is harmless. @throws {ProvisionFailure} rejected when no node will have it */
export async function orderInstance({ config }: InstancePorts, envelope: Envelope): Promise<void> {
  const verdict = await postMessage(config.ALEPH_API_URLS, envelope)
  if (verdict === 'refused')
    throw new ProvisionFailure('rejected', `the instance ${envelope.item_hash} breaks a rule of the network`)
}

/** @returns false while the network has not decided. @throws {ProvisionFailure} rejected, out_of_credit */
export async function isAccepted({ config }: InstancePorts, itemHash: string): Promise<boolean> {
  const status = await fetchMessageStatus(config.ALEPH_API_URLS, itemHash)
  if (!status || status.status === 'pending') return false
  if (status.status === 'processed') return true
  throw rejection(itemHash, status)
}

function rejection(itemHash: string, status: MessageStatus): ProvisionFailure {
  const reason = `the instance ${itemHash} is ${status.status} (code ${status.error_code ?? 'none'})`
  return new ProvisionFailure(status.error_code === CREDIT_INSUFFICIENT ? 'out_of_credit' : 'rejected', reason)
}

/**
 * Asks the network to forget the instance. @returns true once nothing of it is paid for any more
 */
export async function forgetInstance({ config, now }: InstancePorts, machine: Machine): Promise<boolean> {
  if (!machine.itemHash) return true
  const status = await fetchMessageStatus(config.ALEPH_API_URLS, machine.itemHash)
  // Never seen by any node, or refused by all: there is nothing that could cost anything.
  if (!status || ['forgotten', 'removed', 'rejected'].includes(status.status)) return true
  await sendForget(config, machine.itemHash, now())
  return (await fetchMessageStatus(config.ALEPH_API_URLS, machine.itemHash))?.status === 'forgotten'
}

export async function sendForget(config: Config, itemHash: string, nowMs: number): Promise<void> {
  const key = requireAccount(config)
  const content = {
    address: await accountAddress(key),
    time: nowMs / 1_000,
    hashes: [itemHash],
    reason: 'no longer needed',
  }
  await postMessage(config.ALEPH_API_URLS, await signMessage(key, 'FORGET', content))
}

function requireAccount({ ALEPH_PRIVATE_KEY }: Config): string {
  if (!ALEPH_PRIVATE_KEY)
    throw new ProvisionFailure('no_capacity', 'ALEPH_PRIVATE_KEY is not set and no machine is free')
  return ALEPH_PRIVATE_KEY
}
