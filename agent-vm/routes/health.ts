/** What anyone may ask. */
import type { ConfigStore } from '../config-store.ts'
import { AGENT_PROTOCOL_VERSION, type AgentHealth } from '../protocol.ts'
import type { Turns } from '../turn/turns.ts'
import { json, type Route } from './route.ts'

export interface HealthPorts {
  readonly config: ConfigStore
  readonly turns: Turns
  readonly version: string
}

export function healthRoutes(ports: HealthPorts): Route[] {
  return [{ method: 'GET', path: '/health', handle: () => json(describeHealth(ports)) }]
}

function describeHealth({ config, turns, version }: HealthPorts): AgentHealth {
  const { name, model } = config.current()
  return {
    status: 'ok',
    agent_name: name,
    version,
    model,
    uptime_s: Math.round(process.uptime() * 10) / 10,
    turns_running: turns.running,
    protocol: AGENT_PROTOCOL_VERSION,
  }
}
