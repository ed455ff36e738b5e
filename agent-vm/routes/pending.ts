/** Results of background work: fetch and acknowledge. */
import type { PendingStore } from '../pending.ts'
import { PendingAck } from '../protocol.ts'
import { json, type Route, readBody } from './route.ts'

export interface PendingRoutePorts {
  readonly pending: PendingStore
}

export function pendingRoutes({ pending }: PendingRoutePorts): Route[] {
  return [
    {
      method: 'GET',
      path: '/pending',
      handle: ({ query }) => {
        const after = Number.parseInt(query.get('after') ?? '0', 10) || 0
        return json({ messages: pending.fetch(after) })
      },
    },
    {
      method: 'POST',
      path: '/pending/ack',
      handle: async (call) => {
        const { up_to } = await readBody(call, PendingAck)
        pending.acknowledge(up_to)
        return json({ status: 'ok' })
      },
    },
  ]
}
