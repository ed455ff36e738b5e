/** Updates of all agents, and which agents those are. */
import { and, asc, desc, eq, inArray, sql } from 'drizzle-orm'
import type { Database } from './database.ts'
import { agents, deployments, rollouts } from './schema.ts'

export type Rollout = typeof rollouts.$inferSelect

/** One statement: however many begin at once, one does. @returns the one that runs already, or this one, now written down */
export async function beginRollout(
  database: Database,
  { id, startedBy, now }: { id: string; startedBy: number; now: number },
): Promise<Rollout> {
  await database.run(sql`
    INSERT INTO rollouts (id, status, started_by, created_at, updated_at)
    SELECT ${id}, 'running', ${startedBy}, ${now}, ${now} WHERE NOT EXISTS (SELECT 1 FROM rollouts WHERE status = 'running')
    ON CONFLICT (id) DO NOTHING`)
  const row = { id, status: 'running' as const, startedBy, createdAt: now, updatedAt: now }
  const begun = (await findRollout(database, id)) ?? (await findRunningRollout(database))
  return begun ?? { ...row, total: 0, updated: 0, failedAgentId: null, error: null }
}

export async function findRollout(database: Database, id: string): Promise<Rollout | undefined> {
  const [row] = await database.select().from(rollouts).where(eq(rollouts.id, id)).limit(1)
  return row
}

export async function findRunningRollout(database: Database): Promise<Rollout | undefined> {
  const [row] = await database.select().from(rollouts).where(eq(rollouts.status, 'running')).limit(1)
  return row
}

export async function findLastRollout(database: Database): Promise<Rollout | undefined> {
  const [row] = await database.select().from(rollouts).orderBy(desc(rollouts.createdAt)).limit(1)
  return row
}

export async function saveRollout(
  database: Database,
  id: string,
  changes: Partial<Omit<Rollout, 'id' | 'startedBy' | 'createdAt'>>,
  now: number,
): Promise<void> {
  await database
    .update(rollouts)
    .set({ ...changes, updatedAt: now })
    .where(and(eq(rollouts.id, id), eq(rollouts.status, 'running')))
}

/** Agents that run now, in a stable order. */
export async function listRunningAgents(database: Database): Promise<{ id: string; ownerId: number }[]> {
  return database
    .select({ id: agents.id, ownerId: agents.ownerId })
    .from(agents)
    .where(eq(agents.status, 'running'))
    .orderBy(asc(agents.createdAt), asc(agents.id))
}

/** How these deployments stand. */
export async function readOutcomes(
  database: Database,
  ids: readonly string[],
): Promise<{ id: string; agentId: string; status: string; errorCode: string | null }[]> {
  if (ids.length === 0) return []
  return database
    .select({
      id: deployments.id,
      agentId: deployments.agentId,
      status: deployments.status,
      errorCode: deployments.errorCode,
    })
    .from(deployments)
    .where(inArray(deployments.id, [...ids]))
}
