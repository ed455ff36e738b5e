/** Core nodes: messages in, their fate out. Several addresses, the same bytes to each, so that one failing host loses nothing. */
import { z } from 'zod'
import type { Envelope } from './sign-message.ts'

/** A node waits up to 30 s for its own verdict before it says "pending". */
const POST_LIMIT_MS = 40_000
const READ_LIMIT_MS = 15_000

export class CoreNodesUnreachable extends Error {
  readonly code = 'core_nodes_unreachable'
}

const Verdict = z.object({ message_status: z.string().nullish() })

const Details = z
  .object({ errors: z.array(z.unknown()).optional() })
  .nullish()
  .catch(undefined)
export const MessageStatus = z.object({
  status: z.enum(['pending', 'processed', 'rejected', 'forgotten', 'removing', 'removed']),
  error_code: z.int().nullish(),
  details: Details,
})
export type MessageStatus = z.infer<typeof MessageStatus>

/** Error code of a rejected message whose sender cannot pay for a day. */
export const CREDIT_INSUFFICIENT = 6

const OwnInstances = z.object({
  messages: z.array(
    z.object({
      item_hash: z.string(),
      time: z.number(),
      content: z.object({ metadata: z.object({ name: z.string().optional() }).nullish() }),
    }),
  ),
})

/** @returns `refused` only for what no node will ever take; a verdict that is not known yet is `pending` */
export async function postMessage(
  hosts: readonly string[],
  message: Envelope,
): Promise<'processed' | 'pending' | 'rejected' | 'refused'> {
  const body = JSON.stringify({ sync: true, message })
  let lastCause: unknown
  for (const host of hosts) {
    try {
      const response = await fetch(new URL('/api/v0/messages', host), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        signal: AbortSignal.timeout(POST_LIMIT_MS),
      })
      const verdict = Verdict.safeParse(await response.json().catch(() => undefined))
      const status = verdict.data?.message_status
      if (response.status === 200 || response.status === 202) return status === 'processed' ? 'processed' : 'pending'
      if (response.status === 422) return status === 'rejected' ? 'rejected' : 'refused'
      lastCause = new Error(`${new URL(host).host} answered ${response.status}`)
    } catch (cause) {
      lastCause = cause
    }
  }
  throw new CoreNodesUnreachable('no core node took the message', { cause: lastCause })
}

/** @returns `undefined` while no node knows the message */
export async function fetchMessageStatus(
  hosts: readonly string[],
  itemHash: string,
): Promise<MessageStatus | undefined> {
  const response = await read(hosts, `/api/v0/messages/${itemHash}`)
  return response.status === 404 ? undefined : MessageStatus.parse(await response.json())
}

/** Instances that this address has and still pays for, newest first. */
export async function fetchOwnInstances(hosts: readonly string[], address: string) {
  const query = new URLSearchParams({ addresses: address, msgTypes: 'INSTANCE', pagination: '200' })
  const { messages } = OwnInstances.parse(await (await read(hosts, `/api/v0/messages.json?${query}`)).json())
  return messages.map(({ item_hash, time, content }) => ({
    itemHash: item_hash,
    createdAtMs: time * 1_000,
    name: content.metadata?.name ?? '',
  }))
}

/** @returns the first answer that is not a failure of the host itself */
export async function read(hosts: readonly string[], path: string): Promise<Response> {
  let lastCause: unknown
  for (const host of hosts) {
    try {
      const response = await fetch(new URL(path, host), { signal: AbortSignal.timeout(READ_LIMIT_MS) })
      if (response.ok || response.status === 404) return response
      await response.body?.cancel()
      lastCause = new Error(`${new URL(host).host} answered ${response.status}`)
    } catch (cause) {
      lastCause = cause
    }
  }
  throw new CoreNodesUnreachable('no core node answered', { cause: lastCause })
}
