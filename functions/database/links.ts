/** Share links. A link is found by the hash of its token; the token itself is sealed for its owner's eyes. */
import { and, desc, eq, isNull } from 'drizzle-orm'
import type { Database } from './database.ts'
import { links } from './schema.ts'

export type Link = typeof links.$inferSelect

/** Safe to repeat: the same id is inserted once. */
export async function createLink(database: Database, link: typeof links.$inferInsert): Promise<void> {
  await database.insert(links).values(link).onConflictDoNothing()
}

export async function findLink(database: Database, id: string): Promise<Link | undefined> {
  const [row] = await database.select().from(links).where(eq(links.id, id)).limit(1)
  return row
}

export async function findLinkByToken(database: Database, tokenHash: string): Promise<Link | undefined> {
  const [row] = await database.select().from(links).where(eq(links.tokenHash, tokenHash)).limit(1)
  return row
}

/** Links that still open the agent's door, newest first. */
export async function listOpenLinks(database: Database, agentId: string, now: number): Promise<Link[]> {
  const rows = await database
    .select()
    .from(links)
    .where(and(eq(links.agentId, agentId), isNull(links.revokedAt)))
    .orderBy(desc(links.createdAt), desc(links.id))
  return rows.filter((link) => isOpen(link, now))
}

export function isOpen(link: Pick<Link, 'revokedAt' | 'expiresAt'>, now: number): boolean {
  return link.revokedAt === null && (link.expiresAt === null || link.expiresAt > now)
}

/** A paused link keeps its people and lets nobody through. Set, never toggled, so that it may be repeated. */
export async function pauseLink(database: Database, id: string, pausedAt: number | null): Promise<void> {
  await database.update(links).set({ pausedAt }).where(eq(links.id, id))
}

/** @returns whether this call closed it */
export async function revokeLink(database: Database, id: string, now: number): Promise<boolean> {
  const revoked = await database
    .update(links)
    .set({ revokedAt: now })
    .where(and(eq(links.id, id), isNull(links.revokedAt)))
    .returning({ id: links.id })
  return revoked.length > 0
}

export async function revokeLinksOf(database: Database, agentId: string, now: number): Promise<void> {
  await database
    .update(links)
    .set({ revokedAt: now })
    .where(and(eq(links.agentId, agentId), isNull(links.revokedAt)))
}
