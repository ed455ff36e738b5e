/** A compute node: what runs on it, and orders about it. */
import type { Hono } from 'hono'
import type { MachinePark } from './machine-park.ts'
import type { Network } from './network.ts'
import { verifyOperation } from './verify-operation.ts'

export function computeNode(app: Hono, network: Network, park: MachinePark, number: number): void {
  app.get('/v2/about/executions/list', (c) => {
    const own = network.instances().filter((entry) => entry.ports && network.nodeOf(entry) === number)
    return c.json(
      Object.fromEntries(
        own.map(({ envelope, ports }) => {
          const running = park.isRunning(envelope.item_hash)
          const forwarded = { '22': { host: ports?.ssh ?? 0, tcp: true, udp: false } }
          const networking = running ? { host_ipv4: '127.0.0.1', mapped_ports: forwarded } : {}
          return [envelope.item_hash, { networking, running, vm_type: 'instance' }]
        }),
      ),
    )
  })
  app.post('/control/allocation/notify', async (c) => {
    const body = await c.req.json().catch(() => undefined)
    const entry = network.look(String(body?.instance))
    if (entry?.status !== 'processed') return c.json({ error: 'Aleph message not found' }, 500)
    if (entry.node !== number) return c.json({ error: '400: Instance is allocated to a different node' }, 400)
    network.notify(entry.envelope.item_hash)
    return c.json({ success: true, successful: true, failing: [], errors: {} })
  })
  app.post('/control/machine/:hash/erase', (c) => {
    const verdict = verifyOperation({
      pubKey: c.req.header('X-SignedPubKey'),
      operation: c.req.header('X-SignedOperation'),
      method: 'POST',
      path: c.req.path,
      domain: new URL(c.req.url).hostname,
      now: network.now(),
    })
    if ('refused' in verdict) return c.json({ error: verdict.refused }, 401)
    const entry = network.look(c.req.param('hash'))
    if (!entry || entry.node !== number)
      return c.json({ error: `No virtual machine with ref ${c.req.param('hash')}` }, 404)
    if (entry.envelope.sender.toLowerCase() !== verdict.address.toLowerCase())
      return c.json({ error: 'forbidden' }, 403)
    network.markErased(entry.envelope.item_hash)
    return c.text('erased')
  })
}
