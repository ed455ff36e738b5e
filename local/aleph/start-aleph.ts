/**
 * Aleph Cloud on one machine: a core node, the scheduler, the list of compute nodes, one such node, and the gateway, each under
 * the paths of the real one. Instances become folders behind a real SSH server.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { ForgetContent, InstanceContent } from './content-rules.ts'
import { type Entry, openLedger } from './ledger.ts'
import { createMachinePark, type MachinePark } from './machine-park.ts'
import { createNetwork, type Network } from './network.ts'
import { Envelope, hasRightHash } from './verify-envelope.ts'

const CRN_HASH = 'c0ffee'.padEnd(64, '0')
/** A hundred machines for a month. */
const DEFAULT_CREDITS = 342_000 * 100 * 30
const FIRST_MACHINE_PORT = 24_000

export interface AlephOptions {
  readonly port: number
  /** Kept between starts; without it everything is forgotten at the end. */
  readonly dataDir?: string | undefined
  readonly machinePorts?: number
  readonly credits?: number
}

export interface Aleph {
  readonly url: string
  readonly network: Network
  readonly park: MachinePark
  close(): Promise<void>
}

export async function startAleph(options: AlephOptions): Promise<Aleph> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'baal-aleph-')))
  const park = createMachinePark(join(dataDir, 'machines'), options.machinePorts ?? FIRST_MACHINE_PORT)
  const network = createNetwork(openLedger(join(dataDir, 'ledger.json')), park, options.credits ?? DEFAULT_CREDITS)
  const address = { url: '' }
  const app = alephApp(network, park, address)
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const server = serve({ fetch: app.fetch, port: options.port, hostname: '127.0.0.1' }, (info) => resolve(info.port))
  server.once('error', reject)
  address.url = `http://127.0.0.1:${await promise}`
  await network.resume()
  return {
    url: address.url,
    network,
    park,
    async close() {
      await new Promise<void>((done) => {
        server.close(() => done())
        if ('closeAllConnections' in server) server.closeAllConnections()
      })
      await park.stop()
      if (!options.dataDir) await rm(dataDir, { recursive: true, force: true })
    },
  }
}

function alephApp(network: Network, park: MachinePark, address: { readonly url: string }): Hono {
  const app = new Hono()
  app.use('*', async (c, next) => {
    if (network.faults.badGateways > 0) {
      network.faults.badGateways--
      return c.text('Bad Gateway', 502)
    }
    return next()
  })
  coreNode(app, network)
  scheduler(app, network, address)
  computeNode(app, network, park, address)
  gateway(app, network)
  app.notFound((c) => c.json({ error: 'Not Found' }, 404))
  return app
}

function coreNode(app: Hono, network: Network): void {
  app.post('/api/v0/messages', async (c) => {
    const body = await c.req.json().catch(() => undefined)
    const envelope = Envelope.safeParse(body?.message)
    // No detail, as the real one: the caller has to check before it sends.
    if (!envelope.success || !hasRightHash(envelope.data) || !isContentLegal(envelope.data))
      return c.text('InvalidMessageFormat', 422)
    const entry = await network.accept(envelope.data)
    if (network.faults.lostAnswers > 0) {
      network.faults.lostAnswers--
      return c.text('Gateway Timeout', 504)
    }
    const answer = { publication_status: { status: 'success', failed: [] }, message_status: entry.status }
    return c.json(answer, entry.status === 'rejected' ? 422 : entry.status === 'pending' ? 202 : 200)
  })
  app.get('/api/v0/messages.json', (c) => {
    const addresses = (c.req.query('addresses') ?? '').toLowerCase().split(',')
    const messages = network
      .instances()
      .filter(({ envelope, status }) => status === 'processed' && addresses.includes(envelope.sender.toLowerCase()))
      .map(({ envelope }) => ({ ...envelope, content: JSON.parse(envelope.item_content) }))
    return c.json({ messages, pagination_total: messages.length })
  })
  app.get('/api/v0/messages/:hash', (c) => withEntry(c, network, (entry) => c.json(describe(entry))))
  app.get('/api/v0/messages/:hash/status', (c) =>
    withEntry(c, network, ({ status, envelope }) => c.json({ status, item_hash: envelope.item_hash })),
  )
  app.get('/api/v0/addresses/:address/balance', (c) =>
    c.json({
      address: c.req.param('address'),
      balance: 0,
      details: null,
      locked_amount: 0,
      credit_balance: network.credits,
    }),
  )
}

function scheduler(app: Hono, network: Network, address: { readonly url: string }): void {
  app.get('/api/v1/vms/:hash', (c) => {
    const entry = network.look(c.req.param('hash'))
    if (entry?.status !== 'processed' || entry.envelope.type !== 'INSTANCE') return c.json({ error: 'not found' }, 404)
    if (network.faults.unschedulable)
      return c.json({ vm_hash: c.req.param('hash'), allocated_node: null, status: 'unschedulable' })
    const isPlaced = network.placedSince(entry) !== undefined
    return c.json({
      vm_hash: c.req.param('hash'),
      vm_type: 'instance',
      allocated_node: isPlaced ? CRN_HASH : null,
      status: isPlaced ? 'dispatched' : 'scheduled',
      owner: entry.envelope.sender,
    })
  })
  app.get('/api/v1/nodes/:hash', (c) =>
    c.req.param('hash') === CRN_HASH
      ? c.json({ node_hash: CRN_HASH, address: address.url, status: 'Healthy' })
      : c.json({ error: 'not found' }, 404),
  )
  app.get('/crns.json', (c) =>
    c.json({
      last_refresh: new Date().toISOString(),
      crns: [{ hash: CRN_HASH, name: 'local', address: address.url, score: 1, status: 'linked', qemu_support: true }],
    }),
  )
}

function computeNode(app: Hono, network: Network, park: MachinePark, address: { readonly url: string }): void {
  app.get('/v2/about/executions/list', (c) => {
    const placed = network.instances().filter((entry) => entry.ports && network.placedSince(entry) !== undefined)
    return c.json(
      Object.fromEntries(
        placed.map(({ envelope, ports }) => {
          const running = park.isRunning(envelope.item_hash)
          const networking = running
            ? {
                host_ipv4: new URL(address.url).hostname,
                mapped_ports: { '22': { host: ports?.ssh ?? 0, tcp: true, udp: false } },
              }
            : {}
          return [envelope.item_hash, { networking, running, vm_type: 'instance' }]
        }),
      ),
    )
  })
}

function gateway(app: Hono, network: Network): void {
  app.get('/api/hash/:hash', (c) => {
    const entry = network.look(c.req.param('hash'))
    if (!entry?.ports) return c.json({ error: 'not found' }, 404)
    // A local machine has no name of its own: the port that was kept for its agent is its public address.
    const url = `http://127.0.0.1:${entry.ports.agent}`
    return c.json({ instance_hash: c.req.param('hash'), subdomain: 'local', url, ipv6: null, active: true })
  })
}

function isContentLegal(envelope: Envelope): boolean {
  try {
    const content: unknown = JSON.parse(envelope.item_content)
    if (envelope.type === 'INSTANCE') return InstanceContent.safeParse(content).success
    return envelope.type !== 'FORGET' || ForgetContent.safeParse(content).success
  } catch {
    return false
  }
}

function withEntry(c: Context, network: Network, answer: (entry: Entry) => Response): Response {
  const entry = network.look(c.req.param('hash') ?? '')
  return entry ? answer(entry) : c.json({ error: 'not found' }, 404)
}

function describe({ status, envelope, errorCode, details, forgottenBy }: Entry) {
  return {
    status,
    item_hash: envelope.item_hash,
    ...(status === 'rejected' ? { error_code: errorCode, details } : {}),
    ...(status === 'forgotten' ? { forgotten_by: [forgottenBy] } : {}),
    message: envelope,
  }
}
