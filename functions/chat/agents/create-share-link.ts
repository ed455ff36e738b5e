/** A link that lets others talk to an agent. The token is the whole right: random, kept as a hash, sealed for its owner. */
import type { VisitorTools } from '../../../agent-vm/protocol.ts'
import type { Agent } from '../../database/agents.ts'
import { DAY_MS } from '../../database/limits.ts'
import { createLink, findLink, type Link } from '../../database/links.ts'
import type { HandlerPorts } from '../handling.ts'
import { randomSecret, sha256Hex } from './create-agent.ts'

/** 128 bits, 22 characters: within what `/start` payloads allow (64), beyond guessing. */
const TOKEN_BYTES = 16

/** 0: without that limit. */
export interface LinkTerms {
  readonly days: number
  readonly people: number
  readonly messages: number
  /** What the visitors' turns may use. */
  readonly tools: VisitorTools
  /** 1: the owner lets each person in. */
  readonly ask: 0 | 1
  /** 1: visitors may make an agent of their own after this one. */
  readonly copy: 0 | 1
}

/** Safe to repeat for the same update: the first link stays. */
export async function createShareLink(
  agent: Pick<Agent, 'id'>,
  { days, people, messages, tools, ask, copy }: LinkTerms,
  { database, seal, ids, now }: Pick<HandlerPorts, 'database' | 'seal' | 'ids' | 'now'>,
): Promise<Link> {
  const id = ids('link')
  const token = randomSecret(TOKEN_BYTES)
  const link: Link = {
    id,
    agentId: agent.id,
    tokenHash: await sha256Hex(token),
    tokenSealed: await seal.seal(token, { what: 'link-token', id }),
    expiresAt: days ? now() + days * DAY_MS : null,
    maxPeople: people || null,
    messagesPerDay: messages || null,
    tools,
    needsApproval: ask,
    allowsCopy: copy,
    pausedAt: null,
    revokedAt: null,
    createdAt: now(),
  }
  await createLink(database, link)
  return (await findLink(database, id)) ?? link
}

export async function linkAddress(
  link: Pick<Link, 'id' | 'tokenSealed'>,
  { seal, bot }: Pick<HandlerPorts, 'seal' | 'bot'>,
): Promise<string> {
  const token = await seal.open(link.tokenSealed, { what: 'link-token', id: link.id })
  return `https://t.me/${bot.username}?start=${token}`
}
