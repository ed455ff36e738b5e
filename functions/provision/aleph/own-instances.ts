/**
 * Instances that an account has and pays for, as core nodes list them. Pending ones are not listed: they show up once decided.
 *
 * No other list is asked, because what is paid for is these messages and nothing else: whatever a scheduler or a node still shows
 * without one is ended by them within minutes, costs nothing, and could not be forgotten, for FORGET names a message. A
 * scheduler's list would come later than this one (it reads the same messages) and lack what it has not placed. What stands in
 * nobody's list for a while is a message that is about to be removed for want of credit: with new credit it is back, and
 * without it, gone. A page that shifts while it is read hides one at most until the next look.
 */
import { z } from 'zod'
import { log } from '../../log.ts'
import { CoreNodesUnreachable, read } from './core-nodes.ts'

const PAGE_SIZE = 200
/** Ten thousand instances: beyond it the rest waits for the next look. */
const MAX_PAGES = 50

const Page = z.object({ messages: z.array(z.unknown()), pagination_per_page: z.int().positive().optional() })
const Message = z.object({
  item_hash: z.string(),
  time: z.number(),
  // An account may serve other purposes, too: whatever is no name is none of ours.
  content: z.object({ metadata: z.object({ name: z.string() }).nullish().catch(undefined) }),
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
  for (let number = 1; number <= MAX_PAGES; number++) {
    const query = new URLSearchParams({
      addresses: address,
      msgTypes: 'INSTANCE',
      pagination: String(PAGE_SIZE),
      page: String(number),
    })
    const page = await read(hosts, `/api/v0/messages.json?${query}`, Page)
    if (!page) throw new CoreNodesUnreachable('no core node lists messages')
    for (const entry of page.messages) {
      const message = Message.safeParse(entry)
      // One odd message must not hide the others, nor go unnoticed: it may be paid for.
      if (message.success) note(message.data)
      else log('warn', 'odd_instance', { account: address, error: message.error.issues[0]?.path.join('.') ?? '' })
    }
    if (page.messages.length < (page.pagination_per_page ?? PAGE_SIZE)) break
  }
  return [...found.values()]

  function note({ item_hash, time, content }: z.infer<typeof Message>): void {
    found.set(item_hash, { itemHash: item_hash, createdAtMs: time * 1_000, name: content.metadata?.name ?? '' })
  }
}
