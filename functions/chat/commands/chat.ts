/** /chat and /leave: which agent this chat talks to. `/chat Rex`, `/leave Rex`; without a name, the choice is shown. */
import { findAgent } from '../../database/agents.ts'
import { notePersonChat } from '../../database/forgetting.ts'
import { removeVisitor } from '../../database/members.ts'
import { findAccess } from '../agents/access.ts'
import { chooseAgent, currentAgentOf, leaveAgent } from '../agents/current-agent.ts'
import { findNamedAgent } from '../agents/named-agent.ts'
import { offerAgents } from '../agents/offer-agents.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { agentButton } from '../routing/buttons.ts'
import { onCommand } from '../routing/on-command.ts'
import { showList } from './list.ts'

export function registerChat(router: Router): void {
  onCommand(router, 'chat', async (ctx, typed) => {
    const named = await findNamedAgent(ctx, typed)
    if (named) return openChat(ctx, named.id)
    return typed ? ctx.out.send(ctx.words.chat.notFound) : offerAgents(ctx, ctx.words.list.choose)
  })
  onCommand(router, 'leave', async (ctx, typed) => {
    const agentId = typed ? (await findNamedAgent(ctx, typed))?.id : currentAgentOf(ctx.ports.store)?.agentId
    return agentId === undefined ? ctx.out.send(ctx.words.chat.notFound) : leaveShared(ctx, agentId)
  })
  router.callbackQuery(/^a:chat:([a-z0-9]{1,32})$/, (ctx) => openChat(ctx, ctx.match[1] ?? ''))
  router.callbackQuery(/^a:leave:([a-z0-9]{1,32})$/, (ctx) => leaveShared(ctx, ctx.match[1] ?? ''))
}

/** The agent of this chat from now on: one's own, or one that was shared. */
async function openChat(ctx: BaalContext, agentId: string): Promise<void> {
  const { ports, user, words, out, inGroup } = ctx
  const access = await findAccess(ports.database, { agentId, userId: user.id, now: ports.now() })
  if (access.kind === 'blocked') return out.refuse(words.visit.blocked)
  if (access.kind === 'waiting') return out.refuse(words.visit.waiting({ agent: access.agent.name }))
  if (access.kind === 'link_paused') return out.refuse(words.visit.paused({ agent: access.agent.name }))
  if (access.kind === 'link_closed') return out.refuse(words.chat.linkClosed({ agent: access.agent.name }))
  // Into a group only an owner may bring an agent.
  if (access.kind === 'none' || (inGroup && access.kind !== 'owner')) return out.refuse(words.chat.notFound)
  const { agent } = access
  const current = { agentId, chosenBy: user.id }
  chooseAgent(ports.store, current)
  if (ports.group) {
    await notePersonChat(ports.database, user.id, ports.group.name)
    await ports.group.brought(current)
  }
  if (inGroup) return out.send(words.chat.groupPrivate({ agent: agent.name }))
  if (ctx.callbackQuery) out.toast(words.chat.now({ agent: agent.name }).text)
  const keyboard = access.kind === 'visitor' ? [[agentButton(words.buttons.hello, 'hello', agent.id)]] : []
  out.send(words.chat.now({ agent: agent.name }), { keyboard })
}

/** Out of an agent that was shared, for good; one's own is only left, as with /manage. */
async function leaveShared(ctx: BaalContext, agentId: string): Promise<void> {
  const { ports, user, words, out, inGroup } = ctx
  if (inGroup && currentAgentOf(ports.store)?.chosenBy !== user.id) return out.refuse(words.chat.ownerOnly)
  await removeVisitor(ports.database, agentId, user.id)
  if (currentAgentOf(ports.store)?.agentId === agentId) await ports.group?.sentAway(agentId)
  leaveAgent(ports.store, agentId)
  if (ctx.callbackQuery) return showList(ctx)
  const agent = await findAgent(ports.database, agentId)
  return offerAgents(ctx, agent ? words.chat.left({ agent: agent.name }) : words.chat.noAgent)
}
