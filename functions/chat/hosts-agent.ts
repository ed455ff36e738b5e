/** Whether a chat talks to an agent: only then may the agent speak there unasked. */
import { currentAgentOf } from './agents/current-agent.ts'
import type { ChatDatabase } from './chat-database.ts'
import { openStore } from './chat-store.ts'

export function hostsAgent(database: ChatDatabase, agentId: string): boolean {
  if (currentAgentOf(openStore(database))?.agentId === agentId) return true
  return database.query('SELECT 1 AS found FROM turns WHERE agent_id = ? LIMIT 1', agentId).length > 0
}
