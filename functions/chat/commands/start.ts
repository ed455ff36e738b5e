/** /start: the first run, a return, a group, or someone who comes by a link. */
import { type Agent, findAgent, isGone, listAgents } from '../../database/agents.ts'
import { dayOf } from '../../database/limits.ts'
import { findLinkByToken, isOpen } from '../../database/links.ts'
import { joinByLink } from '../../database/members.ts'
import { findUser } from '../../database/users.ts'
import { sha256Hex } from '../agents/create-agent.ts'
import { chooseAgent, currentAgentOf } from '../agents/current-agent.ts'
import { offerAgents, ownAgentButtons } from '../agents/offer-agents.ts'
import { talk } from '../agents/talk.ts'
import { languageOf, wordsFor } from '../catalogue/catalogue.ts'
import { fmt } from '../catalogue/format.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { agentButton, button, commandButton } from '../routing/buttons.ts'
import { onCommand } from '../routing/on-command.ts'
import { startCreate } from '../wizard/create-wizard.ts'
import { openWizard, wizardOwner } from '../wizard/run-wizard.ts'
import { showAccount } from './account.ts'
import { startCreation } from './create.ts'
import { showHelp } from './help.ts'
import { showList } from './list.ts'
import { explainLogin } from './login.ts'
import { askButtons } from './share-people.ts'

/** `t.me/<bot>?start=<word>`: what a group's button or a web page may open here. Tokens are longer. */
const PLACES: Readonly<Record<string, (ctx: BaalContext) => Promise<void> | void>> = {
  create: startCreation,
  list: showList,
  help: showHelp,
  account: showAccount,
  login: explainLogin,
}

export function registerStart(router: Router): void {
  onCommand(router, 'start', async (ctx, payload) => {
    if (ctx.inGroup) return ctx.out.send(ctx.words.start.group({ bot: ctx.ports.bot.username }))
    if (Object.hasOwn(PLACES, payload)) return PLACES[payload]?.(ctx)
    if (payload.length >= 16) return visit(ctx, payload)
    return greet(ctx)
  })
  router.callbackQuery(/^x:([0-2])$/, (ctx) => {
    const idea = ctx.words.start.examples[Number(ctx.match[1])]
    if (idea) openWizard(ctx, startCreate(wizardOwner(ctx), idea))
  })
  // For who was given a link and does not know what to write first.
  router.callbackQuery(/^a:hello:([a-z0-9]{1,32})$/, async (ctx) => {
    const { ports, words, out } = ctx
    if (currentAgentOf(ports.store)?.agentId !== ctx.match[1]) return out.toast(words.toasts.outdated)
    return talk(ctx, { message: words.visit.hello })
  })
}

async function greet(ctx: BaalContext): Promise<void> {
  const { ports, user, words, out } = ctx
  const own = await listAgents(ports.database, user.id)
  if (own.length > 0) return offerAgents(ctx, words.start.again({ name: user.firstName, agents: own.length }))
  out.send(fmt`${words.start.first({ name: user.firstName })}\n\n${words.start.privacy}\n\n${words.start.tryOne}`, {
    keyboard: [
      [{ ...commandButton(words.buttons.create, 'create'), style: 'primary' }],
      ...words.start.examples.map(({ label }, index) => [button(label, `x:${index}`)]),
    ],
  })
}

async function visit(ctx: BaalContext, token: string): Promise<void> {
  const { ports, user, words, out } = ctx
  const link = await findLinkByToken(ports.database, await sha256Hex(token))
  const agent = link && (await findAgent(ports.database, link.agentId))
  // One answer for all that is wrong with a link: it tells nobody which agents exist.
  const elsewhere = { keyboard: ownAgentButtons(words) }
  if (!link || !agent || isGone(agent)) return out.send(words.visit.closed, elsewhere)
  const current = { agentId: agent.id, chosenBy: user.id }
  if (agent.ownerId === user.id) {
    chooseAgent(ports.store, current)
    return out.send(words.visit.own({ agent: agent.name }))
  }
  if (!isOpen(link, ports.now())) return out.send(words.visit.closed, elsewhere)
  const joined = await joinByLink(ports.database, link, { userId: user.id, now: ports.now() })
  if (joined === 'waiting') {
    // Who is let in just goes on writing; who talks to another agent meanwhile is not taken away from it.
    if (!currentAgentOf(ports.store)) chooseAgent(ports.store, current)
    return knock(ctx, agent)
  }
  if (joined !== 'joined') return out.send(words.visit[joined], elsewhere)
  if (link.pausedAt !== null) return out.send(words.visit.paused({ agent: agent.name }))
  chooseAgent(ports.store, current)
  out.send(words.visit.welcome({ agent: agent.name }), {
    keyboard: [
      [agentButton(words.buttons.hello, 'hello', agent.id)],
      ...(link.allowsCopy ? [[agentButton(words.buttons.copyAgent, 'copy', agent.id)]] : []),
    ],
  })
}

/** The owner is asked, in the owner's language; once a day, however often the link is opened. */
async function knock({ ports, user, words, out }: BaalContext, agent: Agent): Promise<void> {
  const owner = await findUser(ports.database, agent.ownerId)
  const theirs = wordsFor(languageOf(owner ?? {}))
  await ports.tell(agent.ownerId, {
    key: `knock:${agent.id}:${user.id}:${dayOf(ports.now())}`,
    text: theirs.share.knocks({ name: user.firstName || String(user.id), agent: agent.name }),
    keyboard: askButtons(agent.id, user.id, theirs),
  })
  out.send(words.visit.waiting({ agent: agent.name }))
}
