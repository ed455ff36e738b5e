/** Who besides its owner may talk to an agent. The owner needs no row: `agents.owner_id` says it. */
import { and, desc, eq, ne, sql } from 'drizzle-orm'
import { isGone } from './agents.ts'
import type { Database } from './database.ts'
import type { Link } from './links.ts'
import { agentMembers, agents, links, messageCounts, users } from './schema.ts'

export type Member = typeof agentMembers.$inferSelect

/**
 * Lets a person in by a link: one statement, so that two people cannot both take the last place. Whoever is in already stays
 * in and moves to this link; whoever is blocked stays blocked.
 */
export async function joinByLink(
  database: Database,
  link: Pick<Link, 'id' | 'agentId' | 'maxPeople'>,
  person: { readonly userId: number; readonly now: number },
): Promise<'joined' | 'full' | 'blocked'> {
  const { userId, now } = person
  const joined = await database.all<{ role: string }>(sql`
    INSERT INTO agent_members (agent_id, user_id, role, link_id, joined_at)
    SELECT ${link.agentId}, ${userId}, 'visitor', ${link.id}, ${now}
    WHERE ${link.maxPeople} IS NULL
       OR (SELECT count(*) FROM agent_members
           WHERE link_id = ${link.id} AND role = 'visitor' AND user_id <> ${userId}) < ${link.maxPeople}
    ON CONFLICT (agent_id, user_id) DO UPDATE SET link_id = excluded.link_id WHERE role = 'visitor'
    RETURNING role`)
  if (joined.length > 0) return 'joined'
  const member = await findMember(database, link.agentId, userId)
  return member?.role === 'blocked' ? 'blocked' : 'full'
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

/** Visitors and blocked people of an agent with today's use, latest first. */
export async function listMembers(
  database: Database,
  agentId: string,
  day: string,
): Promise<{ userId: number; name: string; role: Member['role']; messagesToday: number }[]> {
  const rows = await database
    .select({
      userId: agentMembers.userId,
      name: users.firstName,
      role: agentMembers.role,
      messagesToday: messageCounts.count,
    })
    .from(agentMembers)
    .leftJoin(users, eq(users.id, agentMembers.userId))
    .leftJoin(
      messageCounts,
      and(
        eq(messageCounts.userId, agentMembers.userId),
        eq(messageCounts.scope, sql`'agent:' || ${agentMembers.agentId}`),
        eq(messageCounts.day, day),
      ),
    )
    .where(and(eq(agentMembers.agentId, agentId), ne(agentMembers.role, 'owner')))
    .orderBy(desc(agentMembers.lastMessageAt), desc(agentMembers.joinedAt))
  return rows.map((row) => ({ ...row, name: row.name || String(row.userId), messagesToday: row.messagesToday ?? 0 }))
}

/** Agents of others that a person was let into and that still exist. */
export async function listVisited(
  database: Database,
  userId: number,
): Promise<{ id: string; name: string; link: Link | null }[]> {
  const rows = await database
    .select({ id: agents.id, name: agents.name, status: agents.status, link: links })
    .from(agentMembers)
    .innerJoin(agents, eq(agents.id, agentMembers.agentId))
    .leftJoin(links, eq(links.id, agentMembers.linkId))
    .where(and(eq(agentMembers.userId, userId), eq(agentMembers.role, 'visitor')))
    .orderBy(desc(agentMembers.joinedAt))
  return rows.filter((row) => !isGone(row)).map(({ id, name, link }) => ({ id, name, link }))
}

/** @returns whether this call made the change */
export async function setMemberRole(
  database: Database,
  { agentId, userId }: { readonly agentId: string; readonly userId: number },
  change: { readonly from: 'visitor' | 'blocked'; readonly to: 'visitor' | 'blocked' },
): Promise<boolean> {
  const changed = await database
    .update(agentMembers)
    .set({ role: change.to })
    .where(and(eq(agentMembers.agentId, agentId), eq(agentMembers.userId, userId), eq(agentMembers.role, change.from)))
    .returning({ userId: agentMembers.userId })
  return changed.length > 0
}

export async function removeVisitor(database: Database, agentId: string, userId: number): Promise<void> {
  await database
    .delete(agentMembers)
    .where(and(eq(agentMembers.agentId, agentId), eq(agentMembers.userId, userId), eq(agentMembers.role, 'visitor')))
}

export async function noteMessage(database: Database, agentId: string, userId: number, now: number): Promise<void> {
  await database
    .update(agentMembers)
    .set({ lastMessageAt: now })
    .where(and(eq(agentMembers.agentId, agentId), eq(agentMembers.userId, userId)))
}
