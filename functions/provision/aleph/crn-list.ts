/** Compute nodes as the public list describes them. Its figures are the last ones that worked: presence does not mean alive. */
import { z } from 'zod'
import { describeError } from '../../log.ts'

const READ_LIMIT_MS = 20_000

const Usage = z.object({
  cpu: z.object({ count: z.number(), load_average: z.object({ load5: z.number() }).partial().nullish() }),
  mem: z.object({ total_kB: z.number(), available_kB: z.number() }),
  disk: z.object({ available_kB: z.number() }),
  active: z.boolean().nullish(),
})

/** Live fields are null or false where the node did not answer. */
export const Crn = z.object({
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  name: z.string().catch(''),
  address: z.string(),
  score: z.number().catch(0),
  status: z.string(),
  inactive_since: z.number().nullish(),
  version: z.string().nullish().catch(null),
  qemu_support: z.boolean().nullish().catch(null),
  ipv6_check: z.object({ host: z.boolean(), vm: z.boolean() }).nullish().catch(null),
  terms_and_conditions: z.string().nullish().catch(null),
  system_usage: Usage.nullish().catch(null),
})
export type Crn = z.infer<typeof Crn>

const List = z.object({ crns: z.array(z.unknown()) })

/** The operator wants nodes of the list, and there is none to choose from; asked again a moment later there may be. */
export class CrnListUnreadable extends Error {
  readonly code = 'no_capacity'
}

/**
 * An entry of another shape is left out: one odd node must not hide the others.
 * @throws {CrnListUnreadable}
 */
export async function fetchCrns(listUrl: string): Promise<Crn[]> {
  const url = new URL(listUrl)
  url.searchParams.set('filter_inactive', 'true')
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(READ_LIMIT_MS) })
    if (!response.ok) throw new Error(`it answered ${response.status}`)
    return List.parse(await response.json()).crns.flatMap((entry) => {
      const crn = Crn.safeParse(entry)
      return crn.success ? [crn.data] : []
    })
  } catch (cause) {
    throw new CrnListUnreadable(`the list of nodes at ${url.host} cannot be read: ${describeError(cause)}`, { cause })
  }
}
