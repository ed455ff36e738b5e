/** The network's mind: takes messages, decides their fate as a core node does, and lets instances become machines. */
import { z } from 'zod'
import { ForgetContent, InstanceContent } from './content-rules.ts'
import type { Entry, Ledger } from './ledger.ts'
import type { MachinePark } from './machine-park.ts'
import { type Envelope, isSignedBySender } from './verify-envelope.ts'

const CREDITS_PER_SECOND = 342_000 / 86_400
const SECONDS_PER_DAY = 86_400
const INVALID_SIGNATURE = 1
const CREDIT_INSUFFICIENT = 6
const INVALID_PAYMENT_METHOD = 202
const FORGET_TARGET_NOT_FOUND = 500

/** Switches for tests; everything is off by itself. */
export interface Faults {
  /** Messages stay pending this long. */
  pendingMs: number
  /** The scheduler takes this long to place. */
  placementMs: number
  unschedulable: boolean
  /** POSTs that take effect but whose answer gets lost. */
  lostAnswers: number
  /** Requests that are answered 502 without any effect. */
  badGateways: number
}

export const NO_FAULTS: Faults = { pendingMs: 0, placementMs: 0, unschedulable: false, lostAnswers: 0, badGateways: 0 }

export interface Network {
  readonly faults: Faults
  credits: number
  /** @returns what the message is now */
  accept(envelope: Envelope): Promise<Entry>
  /** Its fate as seen now: a pending one may have been decided meanwhile. */
  look(itemHash: string): Entry | undefined
  /** When the scheduler has placed it, since when. */
  placedSince(entry: Entry): number | undefined
  instances(): readonly Entry[]
  /** Powers on again what was running before a restart. */
  resume(): Promise<void>
}

export function createNetwork(ledger: Ledger, park: MachinePark, credits: number): Network {
  const faults: Faults = { ...NO_FAULTS }
  const network: Network = {
    faults,
    credits,
    instances: () => ledger.all().filter(({ envelope }) => envelope.type === 'INSTANCE'),
    look: (itemHash) => ledger.get(itemHash),
    placedSince(entry) {
      const since = entry.receivedAt + faults.pendingMs + faults.placementMs
      return entry.status === 'processed' && !faults.unschedulable && Date.now() >= since ? since : undefined
    },
    async accept(envelope) {
      const known = ledger.get(envelope.item_hash)
      // The same bytes again are the same message; only a rejected one is looked at anew.
      if (known && known.status !== 'rejected') return known
      const entry: Entry = { envelope, receivedAt: Date.now(), ...judge(envelope) }
      if (faults.pendingMs > 0 && entry.status === 'processed') {
        const later = { ...entry, status: 'pending' as const }
        ledger.put(later)
        setTimeout(() => void settle(entry), faults.pendingMs).unref()
        return later
      }
      return settle(entry)
    },
    async resume() {
      for (const entry of network.instances()) if (entry.status === 'processed') await run(entry)
    },
  }
  return network

  function judge(envelope: Envelope): Pick<Entry, 'status' | 'errorCode' | 'details'> {
    if (!isSignedBySender(envelope)) return { status: 'rejected', errorCode: INVALID_SIGNATURE }
    if (envelope.type !== 'INSTANCE') return judgeForget(envelope)
    const content = InstanceContent.parse(JSON.parse(envelope.item_content))
    if (content.address.toLowerCase() !== envelope.sender.toLowerCase()) return { status: 'rejected', errorCode: 2 }
    if (content.payment?.type !== 'credit') return { status: 'rejected', errorCode: INVALID_PAYMENT_METHOD }
    const running = network.instances().filter(({ status }) => status === 'processed' || status === 'pending').length
    const required = (running + 1) * CREDITS_PER_SECOND * SECONDS_PER_DAY
    if (network.credits >= required) return { status: 'processed' }
    const errors = [
      { required_credits: String(required), account_credits: String(network.credits), min_runtime_days: 1 },
    ]
    return { status: 'rejected', errorCode: CREDIT_INSUFFICIENT, details: { errors } }
  }

  function judgeForget(envelope: Envelope): Pick<Entry, 'status' | 'errorCode'> {
    if (envelope.type !== 'FORGET') return { status: 'processed' }
    const { hashes } = ForgetContent.parse(JSON.parse(envelope.item_content))
    return hashes.every((hash) => ledger.get(hash))
      ? { status: 'processed' }
      : { status: 'rejected', errorCode: FORGET_TARGET_NOT_FOUND }
  }

  async function settle(entry: Entry): Promise<Entry> {
    if (entry.status !== 'processed') {
      ledger.put(entry)
      return entry
    }
    if (entry.envelope.type === 'FORGET') {
      ledger.put(entry)
      await forget(entry)
      return entry
    }
    const taken = ledger.all().flatMap(({ ports }) => (ports ? [ports.ssh, ports.agent] : []))
    const placed: Entry = { ...entry, ports: await park.reservePorts(taken) }
    ledger.put(placed)
    await run(placed)
    return placed
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

  async function run(entry: Entry): Promise<void> {
    const { authorized_keys } = z
      .looseObject({ authorized_keys: z.array(z.string()).default([]) })
      .parse(JSON.parse(entry.envelope.item_content))
    if (entry.ports) await park.start(entry.envelope.item_hash, entry.ports, authorized_keys)
  }
}
