/** /list: the agents of a person and those shared with them; one press opens a card with everything to be done with it. */
import { type Agent, listAgents } from '../../database/agents.ts'
import { listVisited, removeVisitor } from '../../database/members.ts'
import { MODELS } from '../../models.ts'
import { findAccess } from '../agents/access.ts'
import { chooseAgent, currentAgentOf, leaveAgent } from '../agents/current-agent.ts'
import { bold, fmt, join, type Phrase } from '../catalogue/format.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { agentButton, button, commandButton, onAgentButton, rows } from '../routing/buttons.ts'
import { onCommand } from '../routing/on-command.ts'

export function registerList(router: Router): void {
  onCommand(router, 'list', showList)
  onAgentButton(router, 'card', async (ctx, agent) => showCard(ctx, agent))
  router.callbackQuery(/^a:chat:([a-z0-9]{1,32})$/, (ctx) => openChat(ctx, ctx.match[1] ?? ''))
  router.callbackQuery(/^a:leave:([a-z0-9]{1,32})$/, async (ctx) => {
    const agentId = ctx.match[1] ?? ''
    await removeVisitor(ctx.ports.database, agentId, ctx.user.id)
    leaveAgent(ctx.ports.store, agentId)
    return showList(ctx)
  })
}

export async function showList(ctx: BaalContext): Promise<void> {
  const { ports, user, words, out } = ctx
  const own = await listAgents(ports.database, user.id)
  const visited = ctx.inGroup ? [] : await listVisited(ports.database, user.id)
  if (ctx.inGroup) {
    const keyboard = own.map(({ id, name }) => [agentButton(`💬 ${name}`, 'chat', id)])
    return out.show(own.length > 0 ? words.list.choose : words.list.none, keyboard)
  }
  const lines: Phrase[] = [bold(words.list.title), '']
  for (const agent of own) lines.push(fmt`${icon(agent)} ${bold(agent.name)}: ${words.statuses[agent.status]}`)
  if (own.length === 0) lines.push(words.list.none)
  if (visited.length > 0) lines.push('', bold(words.list.visited), '', ...visited.map(({ name }) => `👤 ${name}`))
  out.show(join(lines, '\n'), [
    ...rows(
      own.map(({ id, name }) => agentButton(name, 'card', id)),
      2,
    ),
    ...visited.map(({ id, name }) => [
      agentButton(`💬 ${name}`, 'chat', id),
      agentButton(words.buttons.leave, 'leave', id),
    ]),
    [commandButton(words.buttons.create, 'create')],
  ])
}

function showCard({ ports, words, out }: BaalContext, agent: Agent): void {
  const { list, buttons } = words
  const model = MODELS.find(({ id }) => id === agent.model)?.label ?? agent.model
  const lines: Phrase[] = [
    bold(agent.name),
    '',
    fmt`${list.status}: ${icon(agent)} ${words.statuses[agent.status]}`,
    fmt`${list.model}: ${model}`,
  ]
  if (agent.version) lines.push(fmt`${list.version}: ${agent.version}`)
  if (currentAgentOf(ports.store)?.agentId === agent.id) lines.push('', list.current)
  const action = (label: string, verb: string) => agentButton(label, verb, agent.id)
  const repairOrRetry = agent.status === 'failed' ? action(buttons.retry, 'retry') : action(buttons.repair, 'repair')
  out.show(join(lines, '\n'), [
    [action(buttons.chat, 'chat'), action(buttons.customize, 'soul')],
    [action(buttons.share, 'share'), action(buttons.update, 'update')],
    [repairOrRetry, agentButton(buttons.delete, 'delete', agent.id, 'danger')],
    [button(buttons.back, 'c:list')],
  ])
}

/** The agent of this chat from now on: one's own, or one that was shared. */
async function openChat(ctx: BaalContext, agentId: string): Promise<void> {
  const { ports, user, words, out, inGroup } = ctx
  const access = await findAccess(ports.database, { agentId, userId: user.id, now: ports.now() })
  if (access.kind === 'blocked') return out.toast(words.visit.blocked, true)
  if (access.kind === 'link_closed') return out.toast(words.chat.linkClosed({ agent: access.agent.name }).text, true)
  // Into a group only an owner may bring an agent.
  if (access.kind === 'none' || (inGroup && access.kind !== 'owner')) return out.toast(words.chat.notFound, true)
  const { agent } = access
  chooseAgent(ports.store, { agentId, chosenBy: user.id })
  if (inGroup) return out.send(words.chat.groupPrivate({ agent: agent.name }))
  out.toast(words.chat.now({ agent: agent.name }).text)
  out.send(words.chat.now({ agent: agent.name }))
}

function icon({ status }: Pick<Agent, 'status'>): string {
  if (status === 'running') return '🟢'
  return status === 'creating' ? '🟡' : '🔴'
}
