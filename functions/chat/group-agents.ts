/**
 * What a group's own object knows of its topics: which agents were brought into them. A new topic begins with the group's agent
 * where that is certain, so that nobody has to choose the same one again and again.
 */
import { z } from 'zod'
import { CurrentAgent, currentAgentOf, hasLeft } from './agents/current-agent.ts'
import type { ChatStore } from './handling.ts'

const KEY = 'group:agents'
const Brought = z.array(CurrentAgent)

/** @returns the agent of the group itself, or the only one in its topics; `undefined` where the owner sent the group's away */
export function groupAgentOf(store: ChatStore): CurrentAgent | undefined {
  const own = currentAgentOf(store)
  if (own || hasLeft(store)) return own
  const [only, ...others] = broughtInto(store)
  return others.length === 0 ? only : undefined
}

/** Safe to repeat. */
export function noteBrought(store: ChatStore, current: CurrentAgent): void {
  store.put(KEY, [...broughtInto(store).filter(({ agentId }) => agentId !== current.agentId), current])
}

export function forgetBrought(store: ChatStore, isForgotten: (current: CurrentAgent) => boolean): void {
  const brought = broughtInto(store)
  if (brought.some(isForgotten))
    store.put(
      KEY,
      brought.filter((current) => !isForgotten(current)),
    )
}

function broughtInto(store: ChatStore): CurrentAgent[] {
  return store.get(KEY, Brought) ?? []
}
