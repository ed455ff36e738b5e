/** Results of background work: fetch and acknowledge. */
import { Hono } from 'hono'
import type { PendingStore } from '../pending.ts'
import { PendingAck } from '../protocol.ts'
import { readBody } from './json-body.ts'

export interface PendingRoutePorts {
  readonly pending: PendingStore
}

export function pendingRoutes({ pending }: PendingRoutePorts): Hono {
  const app = new Hono()
  app.get('/pending', (c) => {
    const after = Number.parseInt(c.req.query('after') ?? '0', 10) || 0
    return c.json({ messages: pending.fetch(after) })
  })
  app.post('/pending/ack', async (c) => {
    const { up_to } = await readBody(c, PendingAck)
    pending.acknowledge(up_to)
    return c.json({ status: 'ok' })
  })
  return app
}
