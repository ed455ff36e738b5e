/**
 * Ports of an instance that its node forwards from its own IPv4 address: one entry per instance in an aggregate of the account.
 * Port 22 needs none. An entry is replaced as a whole, and set to null when the instance goes, or the aggregate grows for ever.
 */
import { z } from 'zod'

/** HTTP for certificates, HTTPS for the agent. */
const FORWARDED_PORTS = ['80', '443'] as const

const Forwarding = z.strictObject({ tcp: z.boolean(), udp: z.boolean() })
const Entry = z.strictObject({ ports: z.record(z.string().regex(/^\d{1,5}$/), Forwarding) })

const PortForwardingContent = z.strictObject({
  address: z.string().regex(/^0x[0-9a-fA-F]{40}$/),
  key: z.literal('port-forwarding'),
  time: z.number().positive(),
  content: z.record(z.string().regex(/^[0-9a-f]{64}$/), Entry.nullable()),
})
export type PortForwardingContent = z.infer<typeof PortForwardingContent>

/** @param wanted `none` takes the entry away */
export function buildPortForwarding(request: {
  address: string
  itemHash: string
  wanted: 'forwarded' | 'none'
  nowMs: number
}): PortForwardingContent {
  const ports = Object.fromEntries(FORWARDED_PORTS.map((port) => [port, { tcp: true, udp: false }]))
  return PortForwardingContent.parse({
    address: request.address,
    key: 'port-forwarding',
    time: request.nowMs / 1_000,
    content: { [request.itemHash]: request.wanted === 'forwarded' ? { ports } : null },
  })
}
