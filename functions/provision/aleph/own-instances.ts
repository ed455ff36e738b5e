/** Instances that an account has and pays for, as core nodes list them. Pending ones are not listed: they show up once decided. */
import { z } from 'zod'
import { read } from './core-nodes.ts'

const PAGE_SIZE = 200
/** Ten thousand instances: beyond it the rest waits for the next look. */
const MAX_PAGES = 50

const Page = z.object({
  messages: z.array(
    z.object({
      item_hash: z.string(),
      time: z.number(),
      content: z.object({ metadata: z.object({ name: z.string().optional() }).nullish() }),
    }),
  ),
})

export interface OwnInstance {
  readonly itemHash: string
  /** `metadata.name`, `''` where it has none. */
  readonly name: string
  /** As its message says, so by the clock of whoever ordered it. */
  readonly createdAtMs: number
}

export async function fetchOwnInstances(hosts: readonly string[], address: string): Promise<OwnInstance[]> {
  const found = new Map<string, OwnInstance>()
  for (let page = 1; page <= MAX_PAGES; page++) {
    const query = new URLSearchParams({
      addresses: address,
      msgTypes: 'INSTANCE',
      pagination: String(PAGE_SIZE),
      page: String(page),
    })
    const { messages } = Page.parse(await (await read(hosts, `/api/v0/messages.json?${query}`)).json())
    for (const { item_hash, time, content } of messages) {
      found.set(item_hash, { itemHash: item_hash, createdAtMs: time * 1_000, name: content.metadata?.name ?? '' })
    }
    if (messages.length < PAGE_SIZE) break
  }
  return [...found.values()]
}
