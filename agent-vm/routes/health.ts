/** What anyone may ask; answered by the edge itself, before any other route is loaded. */
import type { ConfigStore } from '../config-store.ts'
import { AGENT_PROTOCOL_VERSION, type AgentHealth } from '../protocol.ts'
import type { Turns } from '../turn/turns.ts'

export interface HealthPorts {
  readonly config: ConfigStore
  readonly turns: Turns
  readonly version: string
}

export function describeHealth({ config, turns, version }: HealthPorts): AgentHealth {
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
