/**
 * /list: the agents of a person and those shared with them; one press (or `/list Rex`) opens a card with everything to be done
 * with it.
 */
import { type Agent, listAgents } from '../../database/agents.ts'
import { isOpen } from '../../database/links.ts'
import { listVisited, type VisitedAgent } from '../../database/members.ts'
import { MODELS } from '../../models.ts'
import { currentAgentOf } from '../agents/current-agent.ts'
import { isSameName } from '../agents/named-agent.ts'
import { bold, fmt, join, type Phrase } from '../catalogue/format.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { agentButton, button, commandButton, onAgentButton, privateChatButton, rows } from '../routing/buttons.ts'
import { onCommand } from '../routing/on-command.ts'

export function registerList(router: Router): void {
  onCommand(router, 'list', async (ctx, typed) => {
    if (!typed || ctx.inGroup) return showList(ctx)
    const named = (await listAgents(ctx.ports.database, ctx.user.id)).find(({ name }) => isSameName(name, typed))
    return named ? showCard(ctx, named) : ctx.out.send(ctx.words.chat.notFound)
  })
  onAgentButton(router, 'card', async (ctx, agent) => showCard(ctx, agent))
}

export async function showList(ctx: BaalContext): Promise<void> {
  const { ports, user, words, out } = ctx
  const own = await listAgents(ports.database, user.id)
  const visited = ctx.inGroup ? [] : await listVisited(ports.database, user.id)
  if (ctx.inGroup) {
    const keyboard = own.map(({ id, name }) => [agentButton(`💬 ${name}`, 'chat', id)])
    const bot = ports.bot.username
    if (own.length > 0) return out.show(words.list.choose, keyboard)
    return out.show(words.list.none, [[privateChatButton(words.buttons.create, { bot, start: 'create' })]])
  }
  const lines: Phrase[] = [bold(words.list.title), '']
  for (const agent of own) lines.push(fmt`${icon(agent)} ${bold(agent.name)}: ${words.statuses[agent.status]}`)
  if (own.length === 0) lines.push(words.list.none)
  if (visited.length > 0)
    lines.push('', bold(words.list.visited), '', ...visited.map((each) => describeVisited(each, ctx)))
  out.show(join(lines, '\n'), [
    ...rows(
      own.map(({ id, name }) => agentButton(name, 'card', id)),
      2,
    ),
    ...visited.flatMap(({ id, name, link }) => [
      [agentButton(`💬 ${name}`, 'chat', id), agentButton(words.buttons.leave, 'leave', id)],
      ...(link?.allowsCopy ? [[agentButton(words.buttons.copyAgent, 'copy', id)]] : []),
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
  if (currentAgentOf(ports.store)?.agentId === agent.id) lines.push('', list.current)
  const action = (label: string, verb: string) => agentButton(label, verb, agent.id)
  const repairOrRetry = agent.status === 'failed' ? action(buttons.retry, 'retry') : action(buttons.repair, 'repair')
  out.show(join(lines, '\n'), [
    [action(buttons.chat, 'chat'), action(buttons.customize, 'soul')],
    [action(buttons.memory, 'memory'), action(buttons.files, 'files')],
    [action(buttons.schedule, 'schedule'), action(buttons.share, 'share')],
    [action(buttons.update, 'update'), repairOrRetry],
    [agentButton(buttons.delete, 'delete', agent.id, 'danger')],
    [button(buttons.back, 'c:list')],
  ])
}

function describeVisited({ name, role, link }: VisitedAgent, { ports, words }: BaalContext): Phrase {
  const { list } = words
  if (!link || !isOpen(link, ports.now())) return `🔒 ${name}: ${list.closed}`
  if (role === 'waiting') return `✋ ${name}: ${list.waiting}`
  return link.pausedAt === null ? `👤 ${name}` : `⏸ ${name}: ${list.paused}`
}

function icon({ status }: Pick<Agent, 'status'>): string {
  if (status === 'running') return '🟢'
  return status === 'creating' ? '🟡' : '🔴'
}
