/** /new and /compact: the conversation of this chat, and nothing else of the agent. */

import { currentAgentOf } from '../agents/current-agent.ts'
import { offerAgents } from '../agents/offer-agents.ts'
import { admit, findCurrentAccess } from '../agents/talk.ts'
import type { AgentControl } from '../handling.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { onCommand } from '../routing/on-command.ts'

export function registerNew(router: Router): void {
  onCommand(router, 'new', async (ctx) => {
    const agent = await reachCurrent(ctx)
    if (!agent) return
    await ctx.ports.turns.stop()
    await agent.clear()
    ctx.out.send(ctx.words.conversation.cleared)
  })
}

/** The agent of this chat, for what anybody may do with their own conversation; in a group only who brought the agent. */
export async function reachCurrent(ctx: BaalContext): Promise<AgentControl | undefined> {
  const { ports, user, words, out, inGroup } = ctx
  const access = await findCurrentAccess(ctx)
  if (!access) {
    await offerAgents(ctx, words.chat.noAgent)
    return undefined
  }
  const allowed = await admit(ctx, access)
  if (!allowed) return undefined
  if (inGroup && currentAgentOf(ports.store)?.chosenBy !== user.id) {
    out.send(words.chat.ownerOnly)
    return undefined
  }
  return ports.agent(allowed.agent.id)
}
