/** Who besides its owner may talk to an agent. The owner needs no row: `agents.owner_id` says it. */
import { and, desc, eq, gte, inArray, ne, sql } from 'drizzle-orm'
import { isGone } from './agents.ts'
import type { Database } from './database.ts'
import type { Link } from './links.ts'
import { agentMembers, agents, links, messageCounts, users } from './schema.ts'

export type Member = typeof agentMembers.$inferSelect

/** More would only fill the owner's chat with questions. */
const MAX_WAITING = 20

type Opening = Pick<Link, 'id' | 'agentId' | 'maxPeople' | 'needsApproval'>

/**
 * Lets a person in by a link, or puts them before its door: one statement, so that two people cannot both take the last
 * place. Whoever is in by this link stays in, by another moves to it; whoever is blocked stays blocked.
 */
export async function joinByLink(
  database: Database,
  { id, agentId, maxPeople, needsApproval }: Opening,
  person: { readonly userId: number; readonly now: number },
): Promise<'joined' | 'waiting' | 'full' | 'blocked'> {
  const { userId, now } = person
  const role = needsApproval ? 'waiting' : 'visitor'
  const others = (as: string) =>
    sql`(SELECT count(*) FROM agent_members WHERE link_id = ${id} AND role = ${as} AND user_id <> ${userId})`
  const joined = await database.all<{ role: string }>(sql`
    INSERT INTO agent_members (agent_id, user_id, role, link_id, joined_at)
    SELECT ${agentId}, ${userId}, ${role}, ${id}, ${now}
    WHERE (${maxPeople} IS NULL OR ${others('visitor')} < ${maxPeople})
      AND (${role} = 'visitor' OR ${others('waiting')} < ${MAX_WAITING})
    ON CONFLICT (agent_id, user_id) DO UPDATE
      SET link_id = excluded.link_id,
          role = CASE WHEN role = 'visitor' AND link_id = excluded.link_id THEN role ELSE excluded.role END
      WHERE role IN ('visitor', 'waiting')
    RETURNING role`)
  if (joined.length > 0) return joined[0]?.role === 'waiting' ? 'waiting' : 'joined'
  const member = await findMember(database, agentId, userId)
  return member?.role === 'blocked' ? 'blocked' : 'full'
}

/** Lets in someone who waits, unless the link has let in as many as it may: one statement, like joining. */
export async function admitMember(
  database: Database,
  { agentId, userId }: { readonly agentId: string; readonly userId: number },
): Promise<'admitted' | 'full' | 'not_waiting'> {
  const admitted = await database.all(sql`
    UPDATE agent_members SET role = 'visitor'
    WHERE agent_id = ${agentId} AND user_id = ${userId} AND role = 'waiting'
      AND NOT EXISTS (
        SELECT 1 FROM links l WHERE l.id = agent_members.link_id AND l.max_people IS NOT NULL
          AND (SELECT count(*) FROM agent_members o WHERE o.link_id = l.id AND o.role = 'visitor') >= l.max_people)
    RETURNING user_id`)
  if (admitted.length > 0) return 'admitted'
  return (await findMember(database, agentId, userId))?.role === 'waiting' ? 'full' : 'not_waiting'
}

export async function findMember(database: Database, agentId: string, userId: number): Promise<Member | undefined> {
  const [row] = await database
    .select()
    .from(agentMembers)
    .where(and(eq(agentMembers.agentId, agentId), eq(agentMembers.userId, userId)))
    .limit(1)
  return row
}

/** A member together with the link that let them in, in one round trip: asked for every message of a visitor. */
export async function findMembership(
  database: Database,
  agentId: string,
  userId: number,
): Promise<{ member: Member; link: Link | null } | undefined> {
  const [row] = await database
    .select({ member: agentMembers, link: links })
    .from(agentMembers)
    .leftJoin(links, eq(links.id, agentMembers.linkId))
    .where(and(eq(agentMembers.agentId, agentId), eq(agentMembers.userId, userId)))
    .limit(1)
  return row
}

export interface MemberUse {
  readonly userId: number
  readonly name: string
  readonly role: Member['role']
  readonly messagesToday: number
  /** Since `sinceDay`, today included. */
  readonly messages: number
}

/** Everybody who came by a link, with their use: those who wait first, then the latest. */
export async function listMembers(
  database: Database,
  agentId: string,
  { day, sinceDay }: { readonly day: string; readonly sinceDay: string },
): Promise<MemberUse[]> {
  const rows = await database
    .select({
      userId: agentMembers.userId,
      name: users.firstName,
      role: agentMembers.role,
      messagesToday: sql<number>`coalesce(sum(CASE WHEN ${messageCounts.day} = ${day} THEN ${messageCounts.count} END), 0)`,
      messages: sql<number>`coalesce(sum(${messageCounts.count}), 0)`,
    })
    .from(agentMembers)
    .leftJoin(users, eq(users.id, agentMembers.userId))
    .leftJoin(
      messageCounts,
      and(
        eq(messageCounts.userId, agentMembers.userId),
        eq(messageCounts.scope, sql`'agent:' || ${agentMembers.agentId}`),
        gte(messageCounts.day, sinceDay),
      ),
    )
    .where(and(eq(agentMembers.agentId, agentId), ne(agentMembers.role, 'owner')))
    .groupBy(agentMembers.userId)
    .orderBy(
      desc(eq(agentMembers.role, 'waiting')),
      desc(agentMembers.lastMessageAt),
      desc(agentMembers.joinedAt),
      desc(agentMembers.userId),
    )
  return rows.map((row) => ({ ...row, name: row.name || String(row.userId) }))
}

export interface VisitedAgent {
  readonly id: string
  readonly name: string
  readonly role: Member['role']
  readonly link: Link | null
}

/** Agents of others that a person was let into, or waits to be, and that still exist. */
export async function listVisited(database: Database, userId: number): Promise<VisitedAgent[]> {
  const rows = await database
    .select({ id: agents.id, name: agents.name, status: agents.status, role: agentMembers.role, link: links })
    .from(agentMembers)
    .innerJoin(agents, eq(agents.id, agentMembers.agentId))
    .leftJoin(links, eq(links.id, agentMembers.linkId))
    .where(and(eq(agentMembers.userId, userId), inArray(agentMembers.role, ['visitor', 'waiting'])))
    .orderBy(desc(agentMembers.joinedAt))
  return rows.filter((row) => !isGone(row)).map(({ id, name, role, link }) => ({ id, name, role, link }))
}

export interface RoleChange {
  readonly from: readonly Exclude<Member['role'], 'owner'>[]
  readonly to: 'visitor' | 'blocked'
}

/** @returns whether this call made the change */
export async function setMemberRole(
  database: Database,
  { agentId, userId }: { readonly agentId: string; readonly userId: number },
  change: RoleChange,
): Promise<boolean> {
  const changed = await database
    .update(agentMembers)
    .set({ role: change.to })
    .where(
      and(
        eq(agentMembers.agentId, agentId),
        eq(agentMembers.userId, userId),
        inArray(agentMembers.role, [...change.from]),
      ),
    )
    .returning({ userId: agentMembers.userId })
  return changed.length > 0
}

/** Somebody leaves. A block stays: leaving must not undo it. */
export async function removeVisitor(database: Database, agentId: string, userId: number): Promise<void> {
  await database
    .delete(agentMembers)
    .where(and(eq(agentMembers.agentId, agentId), eq(agentMembers.userId, userId), ne(agentMembers.role, 'blocked')))
}

export async function noteMessage(database: Database, agentId: string, userId: number, now: number): Promise<void> {
  await database
    .update(agentMembers)
    .set({ lastMessageAt: now })
    .where(and(eq(agentMembers.agentId, agentId), eq(agentMembers.userId, userId)))
}
