/** Core nodes: messages in, their fate out. Several addresses, the same bytes to each, so that one failing host loses nothing. */
import { z } from 'zod'
import type { Envelope } from './sign-message.ts'

/** A node waits up to 30 s for its own verdict before it says "pending". */
const POST_LIMIT_MS = 40_000
const READ_LIMIT_MS = 15_000

export class CoreNodesUnreachable extends Error {
  readonly code = 'core_nodes_unreachable'
}

export type Verdict = 'processed' | 'pending' | 'rejected' | 'refused'

const PostAnswer = z.object({ message_status: z.string().nullish() })

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

/** Error codes of rejected messages that mean something to us. */
export const CREDIT_INSUFFICIENT = 6
export const IMAGE_NOT_FOUND = 301
export const DISK_TOO_SMALL = 304

/**
 * @returns `refused` only for what no node would take: one host that knows less than the others does not decide
 * @throws {CoreNodesUnreachable} naming what each host said
 */
export async function postMessage(hosts: readonly string[], message: Envelope): Promise<Verdict> {
  const body = JSON.stringify({ sync: true, message })
  const failures: Error[] = []
  let isRefused = false
  for (const host of hosts) {
    try {
      const response = await fetch(new URL('/api/v0/messages', host), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        signal: AbortSignal.timeout(POST_LIMIT_MS),
      })
      const verdict = PostAnswer.safeParse(await response.json().catch(() => undefined))
      const status = verdict.data?.message_status
      if (response.status === 200 || response.status === 202) return status === 'processed' ? 'processed' : 'pending'
      if (response.status === 422 && status === 'rejected') return 'rejected'
      if (response.status === 422) isRefused = true
      else failures.push(new Error(`${new URL(host).host} answered ${response.status}`))
    } catch (cause) {
      failures.push(failureOf(host, cause))
    }
  }
  if (isRefused) return 'refused'
  throw unreachable('no core node took the message', failures)
}

/** @returns `undefined` while no node knows the message */
export function fetchMessageStatus(hosts: readonly string[], itemHash: string): Promise<MessageStatus | undefined> {
  return read(hosts, `/api/v0/messages/${itemHash}`, MessageStatus)
}

/**
 * @returns the first answer of that shape: a host that knows less than the others, or says something else, does not decide;
 * `undefined` where those that answer know nothing of it
 * @throws {CoreNodesUnreachable} naming what each host said
 */
export async function read<S extends z.ZodType>(
  hosts: readonly string[],
  path: string,
  schema: S,
  { limitMs = READ_LIMIT_MS, ...init }: Omit<RequestInit, 'signal'> & { limitMs?: number } = {},
): Promise<z.infer<S> | undefined> {
  const failures: Error[] = []
  let isUnknown = false
  for (const host of hosts) {
    try {
      const response = await fetch(new URL(path, host), { ...init, signal: AbortSignal.timeout(limitMs) })
      if (response.ok) return parse(schema, await response.json())
      await response.body?.cancel()
      if (response.status === 404) isUnknown = true
      else failures.push(new Error(`${new URL(host).host} answered ${response.status}`))
    } catch (cause) {
      failures.push(failureOf(host, cause))
    }
  }
  if (isUnknown) return undefined
  throw unreachable('no core node answered', failures)
}

/** @throws with one line that names what is missing or wrong */
function parse<S extends z.ZodType>(schema: S, answer: unknown): z.infer<S> {
  const parsed = schema.safeParse(answer)
  if (parsed.success) return parsed.data
  const wrong = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw new Error(`another answer than expected (${wrong.slice(0, 3).join('; ')})`)
}

/** Only name and message of an error survive a Workflow step: what each host said has to be in the message itself. */
function unreachable(what: string, failures: readonly Error[]): CoreNodesUnreachable {
  const reasons = failures.map(({ message }) => message).join('; ')
  return new CoreNodesUnreachable(`${what}: ${reasons}`, { cause: failures.at(-1) })
}

/** `fetch failed` says nothing; its cause does. */
function failureOf(host: string, error: unknown): Error {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return new Error(`${new URL(host).host}: ${cause instanceof Error ? cause.message : 'no answer'}`, { cause: error })
}
