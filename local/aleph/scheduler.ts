/** The scheduler, the public list of compute nodes, and the gateway that names instances. */
import type { Hono } from 'hono'
import { crnHash, type Network } from './network.ts'

const KIB_PER_GIB = 1_048_576

/** @param addresses of the nodes, by number; complete once all of them listen */
export function scheduler(app: Hono, network: Network, addresses: readonly string[]): void {
  app.get('/api/v1/vms/:hash', (c) => {
    const hash = c.req.param('hash')
    const entry = network.look(hash)
    if (entry?.status !== 'processed' || entry.envelope.type !== 'INSTANCE') return c.json({ error: 'not found' }, 404)
    const vm = { vm_hash: hash, vm_type: 'instance', owner: entry.envelope.sender }
    if (network.faults.unschedulable) return c.json({ ...vm, allocated_node: null, status: 'unschedulable' })
    const node = network.faults.notifyOnly ? undefined : network.nodeOf(entry)
    const allocated_node = node === undefined ? null : crnHash(node)
    return c.json({ ...vm, allocated_node, status: node === undefined ? 'scheduled' : 'dispatched' })
  })
  app.get('/api/v1/nodes/:hash', (c) => {
    const number = addresses.findIndex((_, index) => crnHash(index) === c.req.param('hash'))
    return number < 0
      ? c.json({ error: 'not found' }, 404)
      : c.json({ node_hash: crnHash(number), address: addresses[number], status: 'Healthy' })
  })
}

/** A node that will do, as the list describes it. */
export function listedNode(hash: string, name: string, address: string) {
  return {
    hash,
    name,
    address,
    score: 0.95,
    status: 'linked',
    inactive_since: null,
    version: '1.14.0',
    qemu_support: true,
    ipv6_check: { host: true, vm: true },
    terms_and_conditions: '',
    system_usage: {
      cpu: { count: 16, load_average: { load1: 0, load5: 0, load15: 0 } },
      mem: { total_kB: 64 * KIB_PER_GIB, available_kB: 32 * KIB_PER_GIB },
      disk: { total_kB: 1_000 * KIB_PER_GIB, available_kB: 500 * KIB_PER_GIB },
      active: true,
    },
  }
}

export function crnList(app: Hono, network: Network, addresses: readonly string[]): void {
  app.get('/crns.json', (c) =>
    c.json({
      last_refresh: new Date(network.now()).toISOString(),
      crns: addresses.map((address, number) => listedNode(crnHash(number), `local ${number}`, address)),
    }),
  )
}

export function gateway(app: Hono, network: Network): void {
  app.get('/api/hash/:hash', (c) => {
    const entry = network.look(c.req.param('hash'))
    if (!entry?.ports) return c.json({ error: 'not found' }, 404)
    // A local machine has no name of its own: the port that was kept for its agent is its public address.
    const url = `http://127.0.0.1:${entry.ports.agent}`
    return c.json({ instance_hash: c.req.param('hash'), subdomain: 'local', url, ipv6: null, active: true })
  })
}
