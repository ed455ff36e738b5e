/** /copy: an agent of one's own after the one of this chat, or after one that is named. */
import { findCopyable } from '../agents/copy-agent.ts'
import { currentAgentOf } from '../agents/current-agent.ts'
import { findNamedAgent } from '../agents/named-agent.ts'
import { offerAgents } from '../agents/offer-agents.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { onCommand } from '../routing/on-command.ts'
import { startCopy } from '../wizard/create-wizard.ts'
import { openWizard, wizardOwner } from '../wizard/run-wizard.ts'
import { hasRoomForAgent } from './create.ts'

export function registerCopy(router: Router): void {
  onCommand(router, 'copy', async (ctx, typed) => {
    const agentId = typed ? (await findNamedAgent(ctx, typed))?.id : currentAgentOf(ctx.ports.store)?.agentId
    if (agentId !== undefined) return offerCopy(ctx, agentId)
    return typed ? ctx.out.send(ctx.words.chat.notFound) : offerAgents(ctx, ctx.words.chat.noAgent)
  })
  router.callbackQuery(/^a:copy:([a-z0-9]{1,32})$/, (ctx) => offerCopy(ctx, ctx.match[1] ?? ''))
}

async function offerCopy(ctx: BaalContext, agentId: string): Promise<void> {
  const original = await findCopyable(agentId, ctx.user.id, ctx.ports)
  if (!original) return ctx.out.refuse(ctx.words.copy.notAllowed)
  if (await hasRoomForAgent(ctx)) openWizard(ctx, startCopy(wizardOwner(ctx), original))
}
