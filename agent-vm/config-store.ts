/**
 * The part of the configuration that `PUT /config` changes: at once, without a restart, and for good. A value is kept together
 * with what the environment said at that time; when a deployment later brings another environment, that is newer and wins.
 */
import type { Config } from './config.ts'
import type { ConfigUpdate } from './protocol.ts'
import type { Database } from './storage/database.ts'

export interface AgentConfig {
  readonly name: string
  readonly systemPrompt: string
  readonly model: string
  /** Seconds; 0 is off. */
  readonly heartbeatInterval: number
}

export interface ConfigStore {
  current(): AgentConfig
  update(change: ConfigUpdate): AgentConfig
}

type Setting = keyof AgentConfig

export function createConfigStore(
  database: Database,
  config: Pick<Config, 'AGENT_NAME' | 'SYSTEM_PROMPT' | 'MODEL' | 'HEARTBEAT_INTERVAL'>,
): ConfigStore {
  const configured: AgentConfig = {
    name: config.AGENT_NAME,
    systemPrompt: config.SYSTEM_PROMPT,
    model: config.MODEL,
    heartbeatInterval: config.HEARTBEAT_INTERVAL,
  }
  let current = load(database, configured)
  return {
    current: () => current,
    update: (change) => {
      const given: Partial<Record<Setting, string | number | undefined>> = {
        name: change.name,
        systemPrompt: change.system_prompt,
        model: change.model,
        heartbeatInterval: change.heartbeat_interval,
      }
      database.durably(() => {
        for (const [name, value] of Object.entries(given)) {
          if (value !== undefined) save(database, name as Setting, value, configured)
        }
      })
      current = load(database, configured)
      return current
    },
  }
}

function load(database: Database, configured: AgentConfig): AgentConfig {
  const read = (name: Setting): string | undefined => {
    const row = database
      .prepare('SELECT value FROM settings WHERE name = ? AND configured = ?')
      .get(name, String(configured[name]))
    return row && String(row.value)
  }
  return {
    name: read('name') ?? configured.name,
    systemPrompt: read('systemPrompt') ?? configured.systemPrompt,
    model: read('model') ?? configured.model,
    heartbeatInterval: Number(read('heartbeatInterval') ?? configured.heartbeatInterval),
  }
}

function save(database: Database, name: Setting, value: string | number, configured: AgentConfig): void {
  database
    .prepare('INSERT OR REPLACE INTO settings (name, value, configured) VALUES (?, ?, ?)')
    .run(name, String(value), String(configured[name]))
}
