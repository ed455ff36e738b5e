/** The agent a chat talks to. */
import { z } from 'zod'
import type { ChatStore } from '../handling.ts'

const KEY = 'agent'
/** The person sent the agent away: none is taken by itself any more. */
const LEFT_KEY = 'agent:left'

export const CurrentAgent = z.object({
  agentId: z.string(),
  /** Who brought the agent into this chat: in a group its owner, and only they can let everybody there talk to it. */
  chosenBy: z.int(),
})
export type CurrentAgent = z.infer<typeof CurrentAgent>

export function currentAgentOf(store: ChatStore): CurrentAgent | undefined {
  return store.get(KEY, CurrentAgent)
}

export function chooseAgent(store: ChatStore, current: CurrentAgent): void {
  store.put(KEY, current)
}

export function leaveAgent(store: ChatStore, agentId?: string): void {
  if (agentId !== undefined && currentAgentOf(store)?.agentId !== agentId) return
  store.delete(KEY)
  store.put(LEFT_KEY, true)
}

export function hasLeft(store: ChatStore): boolean {
  return store.get(LEFT_KEY, z.boolean()) ?? false
}
