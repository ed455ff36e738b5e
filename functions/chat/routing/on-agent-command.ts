/**
 * Commands about one of the sender's own agents, typed or pressed on its card. Typed, the agent is found by its name, by the
 * chat, or because there is only one; otherwise the person is asked.
 */
import { type Agent, listAgents } from '../../database/agents.ts'
import { currentAgentOf } from '../agents/current-agent.ts'
import { isSameName } from '../agents/named-agent.ts'
import { offerAgents } from '../agents/offer-agents.ts'
import type { BaalContext, Router } from './baal-context.ts'
import { agentButton, onAgentButton } from './buttons.ts'
import { onCommand } from './on-command.ts'

export type AgentHandler = (ctx: BaalContext, agent: Agent, argument: string) => Promise<void>

export function onAgentCommand(
  router: Router,
  command: string,
  handle: AgentHandler,
  { takesArgument = false }: { readonly takesArgument?: boolean } = {},
): void {
  onCommand(router, command, async (ctx, argument) => {
    const own = await listAgents(ctx.ports.database, ctx.user.id)
    const named = own.find(({ name }) => isSameName(name, argument))
    if (named) return handle(ctx, named, '')
    if (argument && !takesArgument) return ctx.out.send(ctx.words.chat.notFound)
    const agent = theOne(ctx, own)
    if (agent) return handle(ctx, agent, argument)
    // A name that nobody has: asking which one is meant would hide that.
    if (argument && own.length > 0) ctx.out.send(ctx.words.chat.notFound)
    return ask(ctx, command, own)
  })
  onAgentButton(router, command, (ctx, agent) => handle(ctx, agent, ''))
}

function theOne(ctx: BaalContext, own: readonly Agent[]): Agent | undefined {
  const current = currentAgentOf(ctx.ports.store)
  if (current) return own.find(({ id }) => id === current.agentId)
  return own.length === 1 ? own[0] : undefined
}

async function ask(ctx: BaalContext, command: string, own: readonly Agent[]): Promise<void> {
  const { words, out } = ctx
  if (own.length > 0) {
    const keyboard = own.map(({ id, name }) => [agentButton(name, command, id)])
    return out.show(words.list.choose, keyboard)
  }
  if (currentAgentOf(ctx.ports.store)) return out.refuse(words.chat.ownerOnly)
  return offerAgents(ctx, words.chat.noAgent)
}
