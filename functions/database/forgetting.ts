/** People who want to be forgotten: noted first, erased when nothing of theirs runs any more. */
import { and, asc, eq, inArray, isNotNull, like, ne, or } from 'drizzle-orm'
import type { Database } from './database.ts'
import {
  agentMembers,
  agents,
  deployments,
  links,
  machines,
  messageCounts,
  personChats,
  usage,
  users,
} from './schema.ts'

export async function requestForgetting(database: Database, userId: number, now: number): Promise<void> {
  await database.update(users).set({ forgetAt: now }).where(eq(users.id, userId))
}

export async function findForgetting(database: Database, limit: number): Promise<number[]> {
  const rows = await database
    .select({ id: users.id })
    .from(users)
    .where(isNotNull(users.forgetAt))
    .orderBy(asc(users.forgetAt))
    .limit(limit)
  return rows.map(({ id }) => id)
}

/** Also those that are deleted: their rows are still there. */
export async function listAllAgents(database: Database, ownerId: number) {
  return database.select({ id: agents.id, status: agents.status }).from(agents).where(eq(agents.ownerId, ownerId))
}

export async function hasMachines(database: Database, agentIds: readonly string[]): Promise<boolean> {
  if (agentIds.length === 0) return false
  const [row] = await database
    .select({ id: machines.id })
    .from(machines)
    .where(and(inArray(machines.agentId, [...agentIds]), ne(machines.state, 'gone')))
    .limit(1)
  return row !== undefined
}

/** Written on first contact: from then on it is known where their words lie. */
export async function notePersonChat(database: Database, userId: number, chatName: string): Promise<void> {
  await database.insert(personChats).values({ userId, chatName }).onConflictDoNothing()
}

export async function listPersonChats(database: Database, userId: number): Promise<string[]> {
  const rows = await database.select().from(personChats).where(eq(personChats.userId, userId))
  return rows.map(({ chatName }) => chatName)
}

/** Agents of others that this person may talk to. */
export async function listMemberships(database: Database, userId: number): Promise<string[]> {
  const rows = await database
    .select({ agentId: agentMembers.agentId })
    .from(agentMembers)
    .where(eq(agentMembers.userId, userId))
  return rows.map(({ agentId }) => agentId)
}

/** Every row that is theirs, at once: half of a person is never left. */
export async function erasePerson(database: Database, userId: number, agentIds: readonly string[]): Promise<void> {
  const own = [...agentIds, '']
  await database.batch([
    database.delete(links).where(inArray(links.agentId, own)),
    database.delete(agentMembers).where(or(eq(agentMembers.userId, userId), inArray(agentMembers.agentId, own))),
    database.delete(deployments).where(inArray(deployments.agentId, own)),
    database.delete(usage).where(inArray(usage.agentId, own)),
    database.delete(messageCounts).where(
      or(
        eq(messageCounts.userId, userId),
        inArray(
          messageCounts.scope,
          own.map((id) => `agent:${id}`),
        ),
        like(messageCounts.scope, `last:%:${userId}`),
      ),
    ),
    database.delete(personChats).where(eq(personChats.userId, userId)),
    database.delete(agents).where(eq(agents.ownerId, userId)),
    database.delete(users).where(eq(users.id, userId)),
  ])
}
