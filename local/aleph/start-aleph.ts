/**
 * Aleph Cloud on one machine: a core node, the scheduler, the list of compute nodes, those nodes, and the gateway, each under the
 * paths of the real one. Instances become folders behind a real SSH server.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { computeNode } from './compute-node.ts'
import { coreNode } from './core-node.ts'
import { openLedger } from './ledger.ts'
import { createMachinePark, type MachinePark } from './machine-park.ts'
import { createNetwork, type Network } from './network.ts'
import { crnList, gateway, scheduler } from './scheduler.ts'
import { simRoutes } from './sim.ts'

/** A hundred machines for a month. */
const DEFAULT_CREDITS = 342_000 * 100 * 30
const FIRST_MACHINE_PORT = 24_000

export interface AlephOptions {
  readonly port: number
  /** Kept between starts; without it everything is forgotten at the end. */
  readonly dataDir?: string | undefined
  readonly machinePorts?: number
  readonly credits?: number
  /** Compute nodes, each with an address of its own (1). */
  readonly nodes?: number
  /** Milliseconds since 1970; a test's own time. */
  readonly now?: () => number
  /** What instances become; real processes when absent. */
  readonly park?: MachinePark
}

export interface Aleph {
  readonly url: string
  readonly network: Network
  readonly park: MachinePark
  close(): Promise<void>
}

export async function startAleph(options: AlephOptions): Promise<Aleph> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'baal-aleph-')))
  const park = options.park ?? createMachinePark(join(dataDir, 'machines'), options.machinePorts ?? FIRST_MACHINE_PORT)
  const network = createNetwork({
    ledger: openLedger(options.park ? undefined : join(dataDir, 'ledger.json')),
    park,
    credits: options.credits ?? DEFAULT_CREDITS,
    nodes: options.nodes ?? 1,
    now: options.now ?? Date.now,
  })
  const addresses: string[] = []
  const main = await listen(mainApp(network, park, addresses), options.port)
  addresses.push(main.url)
  const others = await Promise.all(
    Array.from({ length: network.nodes - 1 }, (_, index) => listen(nodeApp(network, park, index + 1), 0)),
  )
  addresses.push(...others.map(({ url }) => url))
  await network.resume()
  return {
    url: main.url,
    network,
    park,
    async close() {
      await Promise.all([main, ...others].map((server) => server.close()))
      await park.stop()
      if (!options.dataDir) await rm(dataDir, { recursive: true, force: true })
    },
  }
}

function mainApp(network: Network, park: MachinePark, addresses: readonly string[]): Hono {
  const app = troubled(network)
  coreNode(app, network)
  scheduler(app, network, addresses)
  crnList(app, network, addresses)
  computeNode(app, network, park, 0)
  gateway(app, network)
  simRoutes(app, network, park)
  return app
}

function nodeApp(network: Network, park: MachinePark, number: number): Hono {
  const app = troubled(network)
  computeNode(app, network, park, number)
  return app
}

/** Every answer may fall to the faults that are switched on. */
function troubled(network: Network): Hono {
  const app = new Hono()
  app.use('*', async (c, next) => {
    const { faults } = network
    const strike = faults.strike({ method: c.req.method, path: c.req.path })
    if (strike === 'before' || faults.badGateways > 0) {
      if (faults.badGateways > 0) faults.badGateways--
      return c.text('Bad Gateway', 502)
    }
    await network.tick()
    await next()
    if (strike === 'after') c.res = c.text('Gateway Timeout', 504)
  })
  app.notFound((c) => c.json({ error: 'Not Found' }, 404))
  return app
}

async function listen(app: Hono, port: number): Promise<{ url: string; close(): Promise<void> }> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const server = serve({ fetch: app.fetch, port, hostname: '127.0.0.1' }, (info) => resolve(info.port))
  server.once('error', reject)
  return {
    url: `http://127.0.0.1:${await promise}`,
    close: () =>
      new Promise<void>((done) => {
        server.close(() => done())
        if ('closeAllConnections' in server) server.closeAllConnections()
      }),
  }
}
