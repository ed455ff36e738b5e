/**
 * /share: who may talk to an agent. Everything its buttons do can be typed: `/share new 7d 5p 30m web ask copy`,
 * `/share show 1`, `/share pause 1`, `/share resume 1`, `/share close 1`, `/share people`, `/share admit Vic`,
 * `/share refuse Vic`, `/share block Vic`, `/share unblock Vic`.
 */
import type { Agent } from '../../database/agents.ts'
import { createShareLink } from '../agents/create-share-link.ts'
import { describeLink } from '../agents/link-terms.ts'
import { join, type Phrase } from '../catalogue/format.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { agentButton, button, onAgentButton } from '../routing/buttons.ts'
import { onAgentCommand } from '../routing/on-agent-command.ts'
import { openWizard, wizardOwner } from '../wizard/run-wizard.ts'
import { parseTerms, startShare } from '../wizard/share-wizard.ts'
import { actOnLink, isLinkVerb, openLinksOf, registerLinkButtons, showLink } from './share-links.ts'
import { actOnPersonNamed, isMemberVerb, registerMemberButtons, showPeople } from './share-people.ts'

export function registerShare(router: Router): void {
  onAgentCommand(router, 'share', shareCommand, { takesArgument: true })
  onAgentButton(router, 'newlink', async (ctx, agent) => {
    openWizard(ctx, startShare(wizardOwner(ctx), { agentId: agent.id, agentName: agent.name }))
  })
  onAgentButton(router, 'people', showPeople)
  registerLinkButtons(router, showShare)
  registerMemberButtons(router)
}

async function shareCommand(ctx: BaalContext, agent: Agent, typed: string): Promise<void> {
  const [, verb = '', rest = ''] = /^(\S*)\s*(.*)$/s.exec(typed.trim()) ?? []
  const wanted = verb.toLowerCase()
  if (wanted === '') return showShare(ctx, agent)
  if (wanted === 'people') return showPeople(ctx, agent)
  if (wanted === 'new') return createFromWords(ctx, agent, rest)
  if (isMemberVerb(wanted)) return actOnPersonNamed(ctx, agent, wanted, rest)
  const link = (await openLinksOf(ctx, agent))[Number(rest) - 1]
  if (link && isLinkVerb(wanted)) return actOnLink(ctx, { agent, link, verb: wanted }, showShare)
  if (!isLinkVerb(wanted)) return ctx.out.send(ctx.words.share.typed())
  ctx.out.send(ctx.words.share.noSuchLink)
  return showShare(ctx, agent)
}

async function createFromWords(ctx: BaalContext, agent: Agent, typed: string): Promise<void> {
  const terms = parseTerms(typed)
  if (!terms) return ctx.out.send(ctx.words.share.typed())
  return showLink(ctx, agent, await createShareLink(agent, terms, ctx.ports))
}

async function showShare(ctx: BaalContext, agent: Agent): Promise<void> {
  const { ports, words, out } = ctx
  const { share, buttons } = words
  const links = await openLinksOf(ctx, agent)
  const lines: Phrase[] = [share.title({ agent: agent.name }), '']
  if (links.length === 0) lines.push(share.onlyYou)
  links.forEach((link, index) => {
    lines.push(share.number({ number: index + 1 }), describeLink(link, words, ports.now()).join(' · '), '')
  })
  out.show(join(lines, '\n'), [
    ...links.map((link, index) => [button(share.number({ number: index + 1 }), `l:show:${link.id}`)]),
    [agentButton(buttons.newLink, 'newlink', agent.id), agentButton(buttons.people, 'people', agent.id)],
    [agentButton(buttons.back, 'card', agent.id)],
  ])
}
