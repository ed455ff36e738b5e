/** `PUT /config`: at once, without a restart. */
import type { ConfigStore } from '../config-store.ts'
import { ConfigUpdate } from '../protocol.ts'
import type { HealthPorts } from './health.ts'
import { json, type Route, readBody } from './route.ts'

export interface AgentRoutePorts extends HealthPorts {
  readonly config: ConfigStore
  /** Called after a change, for what runs by the clock. */
  readonly onConfigChanged: () => void
}

export function agentRoutes({ config, onConfigChanged }: AgentRoutePorts): Route[] {
  return [
    {
      method: 'PUT',
      path: '/config',
      handle: async (call) => {
        const { name, model, heartbeatInterval } = config.update(await readBody(call, ConfigUpdate))
        onConfigChanged()
        return json({ status: 'ok', name, model, heartbeat_interval: heartbeatInterval })
      },
    },
  ]
}
