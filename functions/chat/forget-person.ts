/** Takes one person out of a chat that others share: their words, what they caused, and what their agents said. */
import { type CurrentAgent, currentAgentOf, leaveAgent } from './agents/current-agent.ts'
import type { ChatDatabase } from './chat-database.ts'
import { openStore } from './chat-store.ts'
import { forgetBrought } from './group-agents.ts'

/** Where an update says whose it is. */
const SENDERS = ['message', 'edited_message', 'callback_query', 'my_chat_member']
  .map((kind) => `json_extract(payload, '$.${kind}.from.id')`)
  .join()

export function forgetInGroup(database: ChatDatabase, userId: number, agentIds: readonly string[]): void {
  database.transaction(() => {
    const updates = database.query(
      `DELETE FROM inbox WHERE state = 'done' AND ? IN (${SENDERS}) RETURNING update_id`,
      userId,
    )
    for (const { update_id } of updates) forgetOutgoing(database, `u:${update_id}:%`)
    const isAgent = agentIds.length > 0 ? `agent_id IN (${agentIds.map(() => '?').join()})` : 'FALSE'
    const turns = database.query(
      `DELETE FROM turns WHERE ${isAgent} OR json_extract(input, '$.user.id') = ? RETURNING turn_id`,
      ...agentIds,
      userId,
    )
    for (const { turn_id } of turns) forgetOutgoing(database, `t:${turn_id}:%`)
    // What was asked again holds what others said meanwhile; it is made once more where it is needed.
    database.query(
      "UPDATE turns SET attachments = NULL WHERE json_extract(input, '$.retryOf') IS NOT NULL AND state NOT IN ('queued', 'running')",
    )
    // Buttons in answers to others name agents, too.
    for (const id of agentIds) {
      database.query('DELETE FROM pending_taken WHERE agent_id = ?', id)
      database.query(`DELETE FROM outbox WHERE ${ENDED} AND action LIKE ?`, `%${id}%`)
    }
    database.query('DELETE FROM store WHERE key = ?', metKey(userId))
    const store = openStore(database)
    const current = currentAgentOf(store)
    const isTheirs = ({ agentId, chosenBy }: CurrentAgent) => agentIds.includes(agentId) || chosenBy === userId
    if (current && isTheirs(current)) leaveAgent(store)
    forgetBrought(store, isTheirs)
    store.flush()
  })
}

/** What is still to be sent is somebody's answer: it goes out, and is pruned like all the rest. */
const ENDED = "state NOT IN ('pending', 'sending', 'unknown')"

function forgetOutgoing(database: ChatDatabase, keys: string): void {
  database.query(`DELETE FROM outbox WHERE ${ENDED} AND key LIKE ?`, keys)
}

/** Says in a chat's store that it is known that this person writes here. */
export function metKey(userId: number): string {
  return `met:${userId}`
}
