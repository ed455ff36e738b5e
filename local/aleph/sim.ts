/** What the real network has no switch for: a machine loses its power. For tests that start the stand-in as a process. */
import type { Hono } from 'hono'
import type { MachinePark } from './machine-park.ts'
import type { Network } from './network.ts'

export function simRoutes(app: Hono, network: Network, park: MachinePark): void {
  app.get('/sim/instances', (c) =>
    c.json({
      instances: network.instances().map(({ envelope, status }) => ({ item_hash: envelope.item_hash, status })),
    }),
  )
  app.post('/sim/instances/:hash/cut', async (c) => {
    await park.cut(c.req.param('hash'))
    return c.json({ ok: true })
  })
}
