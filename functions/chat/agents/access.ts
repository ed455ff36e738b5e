/** Who may talk to an agent, and as whom. Asked again for every message: a closed link or a block counts at once. */
import type { VisitorTools } from '../../../agent-vm/protocol.ts'
import { type Agent, findAgent, isGone } from '../../database/agents.ts'
import type { Database } from '../../database/database.ts'
import { isOpen, type Link } from '../../database/links.ts'
import { findMembership, type Member } from '../../database/members.ts'

export type Access =
  | { readonly kind: 'owner'; readonly agent: Agent }
  | {
      readonly kind: 'visitor'
      readonly agent: Agent
      readonly tools: VisitorTools
      readonly messagesPerDay: number | undefined
      /** May make an agent of their own after it. */
      readonly mayCopy: boolean
    }
  | { readonly kind: 'blocked' | 'link_closed' | 'link_paused' | 'waiting'; readonly agent: Agent }
  /** No such agent, or nothing that this person may know of. */
  | { readonly kind: 'none' }

export interface AccessQuestion {
  readonly agentId: string
  readonly userId: number
  readonly now: number
  /** In a group: who brought the agent there. */
  readonly group?: { readonly chosenBy: number } | undefined
}

export async function findAccess(database: Database, question: AccessQuestion): Promise<Access> {
  const agent = await findAgent(database, question.agentId)
  if (!agent || isGone(agent)) return { kind: 'none' }
  if (agent.ownerId === question.userId && !question.group) return { kind: 'owner', agent }
  const membership =
    agent.ownerId === question.userId ? undefined : await findMembership(database, agent.id, question.userId)
  return decideAccess(agent, membership, question)
}

/**
 * In a group everybody talks as a visitor, the owner too: the conversation there is read by all, so the owner's memory and
 * files stay out of it.
 */
export function decideAccess(
  agent: Agent,
  membership: { readonly member: Member; readonly link: Link | null } | undefined,
  { group, now }: Pick<AccessQuestion, 'group' | 'now'>,
): Access {
  if (membership?.member.role === 'blocked') return { kind: 'blocked', agent }
  if (group && group.chosenBy === agent.ownerId) {
    return { kind: 'visitor', agent, tools: 'workspace', messagesPerDay: undefined, mayCopy: false }
  }
  const { member, link } = membership ?? {}
  if (member?.role !== 'visitor' && member?.role !== 'waiting') return { kind: 'none' }
  if (!link || !isOpen(link, now)) return { kind: 'link_closed', agent }
  if (member.role === 'waiting') return { kind: 'waiting', agent }
  if (link.pausedAt !== null) return { kind: 'link_paused', agent }
  const { tools, messagesPerDay, allowsCopy } = link
  return { kind: 'visitor', agent, tools, messagesPerDay: messagesPerDay ?? undefined, mayCopy: allowsCopy === 1 }
}
