/** /manage: leaves the agent and goes back to Baal itself. */
import { findAgent } from '../../database/agents.ts'
import { currentAgentOf, leaveAgent } from '../agents/current-agent.ts'
import { offerAgents } from '../agents/offer-agents.ts'
import type { Router } from '../routing/baal-context.ts'
import { onCommand } from '../routing/on-command.ts'

export function registerManage(router: Router): void {
  onCommand(router, 'manage', async (ctx) => {
    const { ports, user, words, out, inGroup } = ctx
    const current = currentAgentOf(ports.store)
    if (!current) return offerAgents(ctx, words.chat.noAgent)
    if (inGroup && current.chosenBy !== user.id) return out.send(words.chat.ownerOnly)
    leaveAgent(ports.store)
    await ports.group?.sentAway(current.agentId)
    const agent = await findAgent(ports.database, current.agentId)
    return offerAgents(ctx, agent ? words.chat.left({ agent: agent.name }) : words.chat.noAgent)
  })
}
