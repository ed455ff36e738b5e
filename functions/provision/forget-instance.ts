/** The end of an instance: asked for until the network says so. */
import type { Machine } from '../database/machines.ts'
import { log } from '../log.ts'
import { fetchMessageStatus, type MessageStatus, postMessage } from './aleph/core-nodes.ts'
import { buildForgetContent } from './aleph/forget-content.ts'
import { accountAddress, signMessage } from './aleph/sign-message.ts'
import { requireAccount } from './aleph-account.ts'
import type { ProvisionPorts } from './provision-ports.ts'

type Ports = Pick<ProvisionPorts, 'config' | 'now'>

/** So long an order whose answer was lost may still be on its way to a core node. */
const UNSEEN_GRACE_MS = 10 * 60_000

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

export async function sendForget({ config, now }: Ports, itemHash: string): Promise<void> {
  const key = requireAccount(config)
  const content = buildForgetContent({ address: await accountAddress(key), itemHash, nowMs: now() })
  const verdict = await postMessage(config.ALEPH_API_URLS, await signMessage(key, 'FORGET', content))
  // As for an instance of another account: it is paid there until its owner forgets it.
  if (verdict === 'refused' || verdict === 'rejected') log('error', 'forget_refused', { instance: itemHash, verdict })
}
