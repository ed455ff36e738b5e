/** Every message this network has seen and what became of it, kept in one file so that a restart forgets nothing. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'

export const Entry = z.object({
  envelope: z.looseObject({
    sender: z.string(),
    type: z.string(),
    item_hash: z.string(),
    item_content: z.string(),
    time: z.number(),
  }),
  status: z.enum(['pending', 'processed', 'rejected', 'forgotten', 'removed']),
  errorCode: z.int().optional(),
  details: z.unknown().optional(),
  forgottenBy: z.string().optional(),
  /** Ports of the machine of an instance: where SSH is forwarded, and where its agent may listen. */
  ports: z.object({ ssh: z.int(), agent: z.int() }).optional(),
  receivedAt: z.number(),
  /** Number of the node that has it, once it is placed. */
  node: z.int().optional(),
  /** Its node was asked to start it. */
  notified: z.boolean().optional(),
  /** Its node was told to erase its disk. */
  erased: z.boolean().optional(),
})
export type Entry = z.infer<typeof Entry>

export interface Ledger {
  get(itemHash: string): Entry | undefined
  all(): readonly Entry[]
  put(entry: Entry): void
  /** What accounts have written under their keys: `<address>/<key>`. */
  readonly aggregates: Map<string, Record<string, unknown>>
}

export function openLedger(file: string | undefined): Ledger {
  const entries = new Map<string, Entry>()
  if (file && existsSync(file)) {
    for (const entry of z.array(Entry).parse(JSON.parse(readFileSync(file, 'utf8'))))
      entries.set(entry.envelope.item_hash, entry)
  }
  return {
    aggregates: new Map(),
    get: (itemHash) => entries.get(itemHash),
    all: () => [...entries.values()],
    put(entry) {
      entries.set(entry.envelope.item_hash, entry)
      if (!file) return
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(`${file}.new`, JSON.stringify([...entries.values()]))
      renameSync(`${file}.new`, file)
    },
  }
}
