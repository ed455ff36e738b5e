/** /share: links to an agent, and who came by them. */
import { type Agent, findOwnAgent } from '../../database/agents.ts'
import { dayOf } from '../../database/limits.ts'
import { findLink, type Link, listOpenLinks, revokeLink } from '../../database/links.ts'
import { listMembers, setMemberRole } from '../../database/members.ts'
import { renderLink, renderTerms } from '../agents/link-screen.ts'
import { clip, join, type Phrase } from '../catalogue/format.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { agentButton, button, onAgentButton } from '../routing/buttons.ts'
import { onAgentCommand } from '../routing/on-agent-command.ts'
import { openWizard, wizardOwner } from '../wizard/run-wizard.ts'
import { startShare } from '../wizard/share-wizard.ts'

/** A screen's worth; older links and people appear when these go. */
const SHOWN_LINKS = 10
const SHOWN_PEOPLE = 20

export function registerShare(router: Router): void {
  onAgentCommand(router, 'share', showShare)
  onAgentButton(router, 'newlink', async (ctx, agent) => {
    openWizard(ctx, startShare(wizardOwner(ctx), { agentId: agent.id, agentName: agent.name }))
  })
  onAgentButton(router, 'people', showPeople)
  onLinkButton(router, 'show', async (ctx, agent, link) => {
    const { text, keyboard } = await renderLink(agent, link, ctx)
    ctx.out.show(text, keyboard)
  })
  onLinkButton(router, 'revoke', async (ctx, agent, link) => {
    const { ports, words, out } = ctx
    await revokeLink(ports.database, link.id, ports.now())
    out.toast(words.share.revoked)
    return showShare(ctx, agent)
  })
  onMemberButton(router, 'block', { from: 'visitor', to: 'blocked' })
  onMemberButton(router, 'unblock', { from: 'blocked', to: 'visitor' })
}

async function showShare(ctx: BaalContext, agent: Agent): Promise<void> {
  const { ports, words, out } = ctx
  const { share, buttons } = words
  const links = (await listOpenLinks(ports.database, agent.id, ports.now())).slice(0, SHOWN_LINKS)
  const lines: Phrase[] = [share.title({ agent: agent.name }), '']
  if (links.length === 0) lines.push(share.onlyYou)
  links.forEach((link, index) => void lines.push(`🔗 ${index + 1}. ${renderTerms(link, ctx)}`))
  out.show(join(lines, '\n'), [
    ...links.map((link, index) => [button(`🔗 ${index + 1}`, `l:show:${link.id}`)]),
    [agentButton(buttons.newLink, 'newlink', agent.id), agentButton(buttons.people, 'people', agent.id)],
    [agentButton(buttons.back, 'card', agent.id)],
  ])
}

async function showPeople({ ports, words, out }: BaalContext, agent: Agent): Promise<void> {
  const { share, buttons } = words
  const people = (await listMembers(ports.database, agent.id, dayOf(ports.now()))).slice(0, SHOWN_PEOPLE)
  const lines: Phrase[] = [share.title({ agent: agent.name }), '']
  if (people.length === 0) lines.push(share.noPeople)
  for (const { name, role, messagesToday } of people) {
    lines.push(share.person({ name: clip(name, 64), messages: messagesToday, blocked: role === 'blocked' }))
  }
  out.show(join(lines, '\n'), [
    ...people.map(({ userId, name, role }) =>
      role === 'blocked'
        ? [button(buttons.unblock(clip(name, 24)), `m:unblock:${agent.id}:${userId}`)]
        : [button(buttons.block(clip(name, 24)), `m:block:${agent.id}:${userId}`)],
    ),
    [agentButton(buttons.back, 'share', agent.id)],
  ])
}

/** A button about a link of one of the presser's own agents. */
function onLinkButton(
  router: Router,
  verb: string,
  handle: (ctx: BaalContext, agent: Agent, link: Link) => Promise<void>,
): void {
  router.callbackQuery(new RegExp(`^l:${verb}:([a-z0-9]{1,32})$`), async (ctx) => {
    const link = await findLink(ctx.ports.database, ctx.match[1] ?? '')
    const agent = link && (await findOwnAgent(ctx.ports.database, link.agentId, ctx.user.id))
    if (link && agent) return handle(ctx, agent, link)
    ctx.out.toast(ctx.words.chat.notFound, true)
  })
}

function onMemberButton(
  router: Router,
  verb: string,
  change: { readonly from: 'visitor' | 'blocked'; readonly to: 'visitor' | 'blocked' },
): void {
  router.callbackQuery(new RegExp(`^m:${verb}:([a-z0-9]{1,32}):(\\d{1,16})$`), async (ctx) => {
    const { ports, user, words, out } = ctx
    const agent = await findOwnAgent(ports.database, ctx.match[1] ?? '', user.id)
    if (!agent) return out.toast(words.chat.notFound, true)
    const changed = await setMemberRole(ports.database, { agentId: agent.id, userId: Number(ctx.match[2]) }, change)
    out.toast(changed ? words.toasts.saved : words.toasts.nothing)
    return showPeople(ctx, agent)
  })
}
