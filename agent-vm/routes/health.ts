import { Hono } from 'hono'
import type { ConfigStore } from '../config-store.ts'
import { AGENT_PROTOCOL_VERSION, type AgentHealth } from '../protocol.ts'
import type { Turns } from '../turn/turns.ts'

export interface HealthRoutePorts {
  readonly config: ConfigStore
  readonly turns: Turns
  readonly version: string
}

export function healthRoute({ config, turns, version }: HealthRoutePorts): Hono {
  return new Hono().get('/health', (c) => {
    const { name, model } = config.current()
    const health: AgentHealth = {
      status: 'ok',
      agent_name: name,
      version,
      model,
      uptime_s: Math.round(process.uptime() * 10) / 10,
      turns_running: turns.running,
      protocol: AGENT_PROTOCOL_VERSION,
    }
    return c.json(health)
  })
}
