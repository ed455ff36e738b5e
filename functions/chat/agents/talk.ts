/** From a person's words to a turn: who may talk, is the agent up, are there messages left. */
import type { Message } from 'grammy/types'
import { findAgent, isGone, listAgents } from '../../database/agents.ts'
import { notePersonChat } from '../../database/forgetting.ts'
import { millisecondsLeftToday, takeMessage, type Withdrawal } from '../../database/limits.ts'
import { listVisited, noteMessage } from '../../database/members.ts'
import { findUser } from '../../database/users.ts'
import { renderSpan } from '../catalogue/duration.ts'
import type { HandlerPorts } from '../handling.ts'
import type { BaalContext } from '../routing/baal-context.ts'
import { agentButton, commandButton } from '../routing/buttons.ts'
import { type Access, findAccess } from './access.ts'
import { chooseAgent, currentAgentOf, hasLeft, leaveAgent } from './current-agent.ts'
import { offerAgents, ownAgentButtons } from './offer-agents.ts'
import { nameTopic } from './topic-name.ts'

type Allowed = Extract<Access, { kind: 'owner' | 'visitor' }>

export interface Said {
  readonly message: string
  readonly source?: Message | undefined
  /** All the messages a former turn was gathered from, when it is asked again. */
  readonly sources?: readonly Message[] | undefined
  /** The former turn itself. */
  readonly retryOf?: string | undefined
}

export async function talk(ctx: BaalContext, said: Said): Promise<void> {
  const access = await findCurrentAccess(ctx)
  if (!access) return offerAgents(ctx, ctx.words.chat.noAgent)
  const allowed = await admit(ctx, access)
  if (!allowed || !(await withinLimits(ctx, allowed))) return
  const { user, out, inGroup } = ctx
  if (allowed.kind === 'visitor' && !inGroup) {
    await noteMessage(ctx.ports.database, allowed.agent.id, user.id, ctx.ports.now())
  }
  nameTopic(ctx, said.message)
  out.turn({
    agentId: allowed.agent.id,
    user: {
      id: user.id,
      name: user.firstName,
      role: allowed.kind,
      ...(allowed.kind === 'visitor' ? { tools: allowed.tools } : {}),
      ...(user.timezone === null ? {} : { timezone: user.timezone }),
    },
    message: said.message,
    ...(said.source ? { source: said.source } : {}),
    ...(said.sources ? { sources: said.sources } : {}),
    ...(said.retryOf === undefined ? {} : { retryOf: said.retryOf }),
    ...(user.quiet ? { quiet: true } : {}),
    // In a group nobody knows what the others' apps show.
    ...(user.richText === 'never' || inGroup ? {} : { rich: user.richText }),
  })
}

/** A new topic is another conversation: with the one agent there is, or the group's, nobody wants to be asked which. */
async function takeOnlyAgent({ ports, user, inGroup }: BaalContext): Promise<void> {
  const { store, chat, database } = ports
  if (chat.threadId === undefined || currentAgentOf(store) || hasLeft(store)) return
  if (inGroup) return takeGroupAgent(ports)
  const [only, ...others] = [...(await listAgents(database, user.id)), ...(await listVisited(database, user.id))]
  if (only && others.length === 0) chooseAgent(store, { agentId: only.id, chosenBy: user.id })
}

async function takeGroupAgent({ store, chat, database, group }: HandlerPorts): Promise<void> {
  const current = await group?.agent()
  const agent = current && (await findAgent(database, current.agentId))
  if (!agent || isGone(agent) || agent.ownerId !== current.chosenBy) return
  // Its owner may never write here, and must be found here all the same when they want to be forgotten.
  await notePersonChat(database, current.chosenBy, chat.name)
  chooseAgent(store, current)
}

/** What this person may do with the agent of this chat. @returns `undefined` when the chat has none */
export async function findCurrentAccess(ctx: BaalContext): Promise<Access | undefined> {
  await takeOnlyAgent(ctx)
  const { ports, user, inGroup } = ctx
  const current = currentAgentOf(ports.store)
  if (!current) return undefined
  return findAccess(ports.database, {
    agentId: current.agentId,
    userId: user.id,
    now: ports.now(),
    ...(inGroup ? { group: { chosenBy: current.chosenBy } } : {}),
  })
}

/** Says why not, when the agent cannot be talked to. */
export async function admit(ctx: BaalContext, access: Access): Promise<Allowed | undefined> {
  const { words, out, ports, inGroup } = ctx
  const elsewhere = inGroup ? {} : { keyboard: ownAgentButtons(words) }
  switch (access.kind) {
    case 'none':
      leaveAgent(ports.store)
      await offerAgents(ctx, words.chat.gone)
      return undefined
    case 'blocked':
      out.send(words.visit.blocked, elsewhere)
      return undefined
    case 'waiting':
      out.send(words.visit.waiting({ agent: access.agent.name }))
      return undefined
    case 'link_paused':
      out.send(words.visit.paused({ agent: access.agent.name }))
      return undefined
    case 'link_closed':
      out.send(words.chat.linkClosed({ agent: access.agent.name }), elsewhere)
      return undefined
    case 'owner':
    case 'visitor':
      return isUp(ctx, access) ? access : undefined
  }
}

function isUp({ words, out }: BaalContext, { kind, agent }: Allowed): boolean {
  if (agent.status === 'running') return true
  if (agent.status === 'creating') {
    out.send(words.chat.starting({ agent: agent.name }))
    return false
  }
  const keyboard =
    kind === 'owner'
      ? [[agentButton(words.buttons.retry, 'retry', agent.id), agentButton(words.buttons.delete, 'delete', agent.id)]]
      : []
  out.send(words.chat.failed({ agent: agent.name }), { keyboard })
  return false
}

async function withinLimits(ctx: BaalContext, access: Allowed): Promise<boolean> {
  const { ports, user, words, out } = ctx
  const now = ports.now()
  const freeTier = ports.config.FREE_TIER_DAILY_MESSAGES
  // An agent's model calls are paid by its owner's key where there is one: then we only count.
  const payer = access.agent.ownerId === user.id ? user : await findUser(ports.database, access.agent.ownerId)
  const isFree = (payer?.apiKeySealed ?? null) === null
  const limits: Withdrawal['limits'] = [
    { scope: 'user', ...(isFree ? { max: freeTier } : {}) },
    ...(access.kind === 'visitor' ? [{ scope: `agent:${access.agent.id}` as const, max: access.messagesPerDay }] : []),
  ]
  const taken = await takeMessage(ports.database, {
    userId: user.id,
    now,
    limits,
    source: { chatName: ports.chat.name, updateId: ctx.update.update_id },
  })
  if (taken.kind === 'taken') return true
  const left = renderSpan(millisecondsLeftToday(now), words)
  if (taken.scope === 'user') {
    out.send(words.limits.freeTier({ max: freeTier, left }), {
      keyboard: [[commandButton(words.buttons.useOwnKey, 'login')]],
    })
  } else {
    const max = access.kind === 'visitor' ? (access.messagesPerDay ?? 0) : 0
    out.send(words.limits.link({ max, left }), ctx.inGroup ? {} : { keyboard: ownAgentButtons(words) })
  }
  return false
}
