/** What an owner does with a share link: see it, pause it, open it again, close it for good. */
import { type Agent, findOwnAgent } from '../../database/agents.ts'
import { findLink, type Link, listOpenLinks, pauseLink, revokeLink } from '../../database/links.ts'
import { renderLink } from '../agents/link-screen.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'

/** A screen's worth; older links appear when these go. */
const SHOWN_LINKS = 10
const VERBS = ['show', 'pause', 'resume', 'revoke', 'close'] as const
type LinkVerb = (typeof VERBS)[number]

type ShowAll = (ctx: BaalContext, agent: Agent) => Promise<void>

export function isLinkVerb(word: string): word is LinkVerb {
  return VERBS.some((verb) => verb === word)
}

export async function openLinksOf({ ports }: BaalContext, agent: Agent): Promise<Link[]> {
  return (await listOpenLinks(ports.database, agent.id, ports.now())).slice(0, SHOWN_LINKS)
}

/** Buttons about a link of one of the presser's own agents. */
export function registerLinkButtons(router: Router, showAll: ShowAll): void {
  router.callbackQuery(/^l:(show|pause|resume|revoke):([a-z0-9]{1,32})$/, async (ctx) => {
    const [, verb = '', linkId = ''] = ctx.match
    const link = await findLink(ctx.ports.database, linkId)
    const agent = link && (await findOwnAgent(ctx.ports.database, link.agentId, ctx.user.id))
    if (link && agent && isLinkVerb(verb)) return actOnLink(ctx, { agent, link, verb }, showAll)
    ctx.out.toast(ctx.words.chat.notFound, true)
  })
}

export async function actOnLink(
  ctx: BaalContext,
  { agent, link, verb }: { readonly agent: Agent; readonly link: Link; readonly verb: LinkVerb },
  showAll: ShowAll,
): Promise<void> {
  const { ports, words, out } = ctx
  switch (verb) {
    case 'show':
      return showLink(ctx, agent, link)
    case 'pause':
    case 'resume': {
      const pausedAt = verb === 'pause' ? ports.now() : null
      await pauseLink(ports.database, link.id, pausedAt)
      out.toast(verb === 'pause' ? words.share.pausedNow : words.share.resumed)
      return showLink(ctx, agent, { ...link, pausedAt })
    }
    case 'revoke':
    case 'close':
      await revokeLink(ports.database, link.id, ports.now())
      out.toast(words.share.revoked)
      return showAll(ctx, agent)
  }
}

export async function showLink(ctx: BaalContext, agent: Agent, link: Link): Promise<void> {
  const { text, keyboard } = await renderLink(agent, link, ctx)
  ctx.out.show(text, keyboard)
}
