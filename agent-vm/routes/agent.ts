/** `PUT /config`: at once, without a restart. */
import { Hono } from 'hono'
import type { ConfigStore } from '../config-store.ts'
import { ConfigUpdate } from '../protocol.ts'
import type { HealthPorts } from './health.ts'
import { readBody } from './json-body.ts'

export interface AgentRoutePorts extends HealthPorts {
  readonly config: ConfigStore
  /** Called after a change, for what runs by the clock. */
  readonly onConfigChanged: () => void
}

export function agentRoutes({ config, onConfigChanged }: AgentRoutePorts): Hono {
  return new Hono().put('/config', async (c) => {
    const { name, model, heartbeatInterval } = config.update(await readBody(c, ConfigUpdate))
    onConfigChanged()
    return c.json({ status: 'ok', name, model, heartbeat_interval: heartbeatInterval })
  })
}
