/** The network's mind: takes messages, decides their fate as a core node does, and lets instances become machines. */
import { z } from 'zod'
import { AggregateContent, ForgetContent, InstanceContent } from './content-rules.ts'
import { type Faults, noFaults } from './faults.ts'
import type { Entry, Ledger } from './ledger.ts'
import type { MachinePark } from './machine-park.ts'
import { type Envelope, isSignedBySender } from './verify-envelope.ts'

export const CREDITS_PER_SECOND = 342_000 / 86_400
const SECONDS_PER_DAY = 86_400
const INVALID_SIGNATURE = 1
const PERMISSION_DENIED = 2
const CREDIT_INSUFFICIENT = 6
const INVALID_PAYMENT_METHOD = 202
const IMAGE_NOT_FOUND = 301
/** So long a message waits for what it refers to. */
const RETRIES_LAST_MS = 4 * 60_000

export interface NetworkOptions {
  readonly ledger: Ledger
  readonly park: MachinePark
  readonly credits: number
  /** How many compute nodes there are. */
  readonly nodes: number
  readonly now: () => number
}

export interface Network {
  readonly faults: Faults
  credits: number
  readonly nodes: number
  now(): number
  /** @returns what the message is now */
  accept(envelope: Envelope): Promise<Entry>
  /** Decides what is due: called before anything is answered. */
  tick(): Promise<void>
  look(itemHash: string): Entry | undefined
  /** Which node has it, once the scheduler (or its order) has placed it there. */
  nodeOf(entry: Entry): number | undefined
  instances(): readonly Entry[]
  notify(itemHash: string): void
  markErased(itemHash: string): void
  /** Taken away because its owner cannot pay. */
  remove(itemHash: string): Promise<void>
  aggregate(address: string, key: string): Record<string, unknown> | undefined
  /** Powers on again what was running before a restart. */
  resume(): Promise<void>
}

export function createNetwork({ ledger, park, credits, nodes, now }: NetworkOptions): Network {
  const faults = noFaults()
  let settling: Promise<void> = Promise.resolve()
  const network: Network = {
    faults,
    credits,
    nodes,
    now,
    instances: () => ledger.all().filter(({ envelope }) => envelope.type === 'INSTANCE'),
    look: (itemHash) => ledger.get(itemHash),
    nodeOf(entry) {
      if (entry.status !== 'processed' || faults.unschedulable || entry.node === undefined) return undefined
      if (faults.notifyOnly && !entry.notified) return undefined
      return now() >= entry.receivedAt + faults.pendingMs + faults.placementMs ? entry.node : undefined
    },
    async accept(envelope) {
      const known = ledger.get(envelope.item_hash)
      // The same bytes again are the same message; only a rejected one is looked at anew.
      if (!known || known.status === 'rejected') {
        ledger.put({ envelope, receivedAt: now(), status: 'pending' })
        await network.tick()
      }
      return ledger.get(envelope.item_hash) ?? { envelope, receivedAt: now(), status: 'pending' }
    },
    tick() {
      // One after the other: two requests at once must not start a machine twice.
      settling = settling.then(settleDue)
      return settling
    },
    notify: (itemHash) => change(itemHash, { notified: true }),
    markErased: (itemHash) => change(itemHash, { erased: true }),
    async remove(itemHash) {
      change(itemHash, { status: 'removed' })
      await park.erase(itemHash)
    },
    aggregate: (address, key) => ledger.aggregates.get(`${address.toLowerCase()}/${key}`),
    async resume() {
      for (const entry of network.instances()) if (entry.status === 'processed') await run(entry)
    },
  }
  return network

  function change(itemHash: string, changes: Partial<Entry>): void {
    const entry = ledger.get(itemHash)
    if (entry) ledger.put({ ...entry, ...changes })
  }

  async function settleDue(): Promise<void> {
    for (const entry of ledger.all()) {
      if (entry.status !== 'pending' || now() < entry.receivedAt + faults.pendingMs) continue
      const verdict = judge(entry)
      if (verdict.status === 'pending') continue
      ledger.put({ ...entry, ...verdict })
      if (verdict.status === 'processed') await take({ ...entry, ...verdict })
    }
  }

  function judge(entry: Entry): Pick<Entry, 'status' | 'errorCode' | 'details'> {
    const { envelope } = entry
    if (!isSignedBySender(envelope as Envelope)) return { status: 'rejected', errorCode: INVALID_SIGNATURE }
    const { address } = z.looseObject({ address: z.string() }).parse(JSON.parse(envelope.item_content))
    if (address.toLowerCase() !== envelope.sender.toLowerCase()) {
      return { status: 'rejected', errorCode: PERMISSION_DENIED }
    }
    if (envelope.type === 'FORGET') return judgeForget(entry)
    return envelope.type === 'INSTANCE' ? judgeInstance(entry) : { status: 'processed' }
  }

  function judgeInstance(entry: Entry): Pick<Entry, 'status' | 'errorCode' | 'details'> {
    const content = InstanceContent.parse(JSON.parse(entry.envelope.item_content))
    if (content.payment?.type !== 'credit') return { status: 'rejected', errorCode: INVALID_PAYMENT_METHOD }
    if (faults.unknownImages.has(content.rootfs.parent.ref)) return waitFor(entry, IMAGE_NOT_FOUND)
    const running = network.instances().filter(({ status }) => status === 'processed').length
    const required = (running + 1) * CREDITS_PER_SECOND * SECONDS_PER_DAY
    if (network.credits >= required) return { status: 'processed' }
    const errors = [
      { required_credits: String(required), account_credits: String(network.credits), min_runtime_days: 1 },
    ]
    return { status: 'rejected', errorCode: CREDIT_INSUFFICIENT, details: { errors } }
  }

  /** Its target may still be on its way. */
  function judgeForget(entry: Entry): Pick<Entry, 'status' | 'errorCode'> {
    const { hashes } = ForgetContent.parse(JSON.parse(entry.envelope.item_content))
    const known = hashes.map((hash) => ledger.get(hash)?.status)
    return known.every((status) => status && status !== 'pending') ? { status: 'processed' } : waitFor(entry, 500)
  }

  function waitFor(entry: Entry, errorCode: number): Pick<Entry, 'status' | 'errorCode'> {
    return now() - entry.receivedAt > RETRIES_LAST_MS ? { status: 'rejected', errorCode } : { status: 'pending' }
  }

  async function take(entry: Entry): Promise<void> {
    const { type, item_content } = entry.envelope
    if (type === 'FORGET') return forget(entry)
    if (type === 'AGGREGATE') return merge(AggregateContent.parse(JSON.parse(item_content)))
    const taken = ledger.all().flatMap(({ ports }) => (ports ? [ports.ssh, ports.agent] : []))
    const placed: Entry = { ...entry, node: chooseNode(item_content), ports: await park.reservePorts(taken) }
    ledger.put(placed)
    await run(placed)
  }

  /** The one it is pinned to, else each in turn. */
  function chooseNode(content: string): number {
    const { requirements } = InstanceContent.parse(JSON.parse(content))
    const pinned = requirements?.node?.node_hash
    if (pinned) return Array.from({ length: nodes }, (_, number) => crnHash(number)).indexOf(pinned)
    return network.instances().length % nodes
  }

  async function forget(entry: Entry): Promise<void> {
    for (const hash of ForgetContent.parse(JSON.parse(entry.envelope.item_content)).hashes) {
      const target = ledger.get(hash)
      if (!target || target.envelope.sender.toLowerCase() !== entry.envelope.sender.toLowerCase()) continue
      const { ports: _freed, ...rest } = target
      ledger.put({ ...rest, status: 'forgotten', forgottenBy: entry.envelope.item_hash })
      await park.erase(hash)
    }
  }

  function merge({ address, key, content }: z.infer<typeof AggregateContent>): void {
    const name = `${address.toLowerCase()}/${key}`
    ledger.aggregates.set(name, { ...ledger.aggregates.get(name), ...content })
  }

  async function run(entry: Entry): Promise<void> {
    const { authorized_keys } = z
      .looseObject({ authorized_keys: z.array(z.string()).default([]) })
      .parse(JSON.parse(entry.envelope.item_content))
    if (!entry.ports || faults.deadNodes.has(entry.node ?? 0)) return
    await park.start(entry.envelope.item_hash, entry.ports, authorized_keys)
  }
}

export function crnHash(number: number): string {
  return `c0ffee${number.toString(16).padStart(2, '0')}`.padEnd(64, '0')
}
