/** Agents as their owners see them. Every change of state is a compare-and-set, so that two presses act once. */
import { and, asc, desc, eq, inArray, notInArray, sql } from 'drizzle-orm'
import type { Database } from './database.ts'
import { agents, deployments } from './schema.ts'

export type Agent = typeof agents.$inferSelect
export type AgentStatus = Agent['status']

/** An agent in one of these no longer exists for anybody. */
const GONE = ['deleting', 'deleted'] as const

export type NewAgent = Omit<
  typeof agents.$inferInsert,
  'status' | 'machineId' | 'url' | 'version' | 'createdAt' | 'updatedAt'
> & {
  readonly now: number
}

/**
 * Inserts an agent unless its owner already has as many as allowed: one statement, so that simultaneous requests cannot
 * both take the last place.
 * @returns `created` also when this very agent exists already (the same update handled again)
 */
export async function createAgent(
  database: Database,
  agent: NewAgent,
  limit: { readonly maxAgents: number },
): Promise<'created' | 'limit_reached'> {
  const inserted = await database.all<{ id: string }>(sql`
    INSERT INTO agents (id, owner_id, name, prompt, model, status, secret_sealed, inference_key_sealed,
                        inference_key_hash, created_at, updated_at)
    SELECT ${agent.id}, ${agent.ownerId}, ${agent.name}, ${agent.prompt}, ${agent.model}, 'creating',
           ${agent.secretSealed}, ${agent.inferenceKeySealed}, ${agent.inferenceKeyHash}, ${agent.now}, ${agent.now}
    WHERE (SELECT count(*) FROM agents WHERE owner_id = ${agent.ownerId} AND status NOT IN ('deleting', 'deleted'))
          < ${limit.maxAgents}
    ON CONFLICT (id) DO NOTHING
    RETURNING id`)
  if (inserted.length > 0) return 'created'
  const existing = await findAgent(database, agent.id)
  return existing?.ownerId === agent.ownerId ? 'created' : 'limit_reached'
}

/** @returns also agents that are being deleted; see `isGone` */
export async function findAgent(database: Database, id: string): Promise<Agent | undefined> {
  const [row] = await database.select().from(agents).where(eq(agents.id, id)).limit(1)
  return row
}

/** @returns `undefined` for another owner's agent as well: its existence is nobody else's business */
export async function findOwnAgent(database: Database, id: string, ownerId: number): Promise<Agent | undefined> {
  const agent = await findAgent(database, id)
  return agent && agent.ownerId === ownerId && !isGone(agent) ? agent : undefined
}

export function isGone({ status }: Pick<Agent, 'status'>): boolean {
  return status === 'deleting' || status === 'deleted'
}

/** Oldest first: the order people made them in. */
export async function listAgents(database: Database, ownerId: number): Promise<Agent[]> {
  return database
    .select()
    .from(agents)
    .where(and(eq(agents.ownerId, ownerId), notInArray(agents.status, [...GONE])))
    .orderBy(asc(agents.createdAt), asc(agents.id))
}

export async function saveAgentSettings(
  database: Database,
  id: string,
  settings: Partial<Pick<Agent, 'name' | 'prompt' | 'model'>>,
  now: number,
): Promise<void> {
  await database
    .update(agents)
    .set({ ...settings, updatedAt: now })
    .where(eq(agents.id, id))
}

/** @returns whether this call made the change */
export async function changeStatus(
  database: Database,
  id: string,
  { from, to, now }: { from: readonly AgentStatus[]; to: AgentStatus; now: number },
): Promise<boolean> {
  const changed = await database
    .update(agents)
    .set({ status: to, updatedAt: now })
    .where(and(eq(agents.id, id), inArray(agents.status, [...from])))
    .returning({ id: agents.id })
  return changed.length > 0
}

/**
 * What is to be done to an agent, written down before it is started, unless something else is being done to it: one statement, so
 * that simultaneous requests, from several chats too, begin one piece of work. A deletion waits for nothing.
 * @returns whether it is written down, also by a former call
 */
export async function recordDeployment(
  database: Database,
  {
    now,
    ...deployment
  }: Pick<typeof deployments.$inferInsert, 'id' | 'agentId' | 'kind' | 'chatName'> & { readonly now: number },
): Promise<boolean> {
  const { id, agentId, kind, chatName = null } = deployment
  const recorded = await database.all<{ id: string }>(sql`
    INSERT INTO deployments (id, agent_id, kind, status, chat_name, created_at, updated_at)
    SELECT ${id}, ${agentId}, ${kind}, 'running', ${chatName}, ${now}, ${now}
    WHERE ${kind} = 'destroy'
      OR NOT EXISTS (SELECT 1 FROM deployments WHERE agent_id = ${agentId} AND status = 'running')
    ON CONFLICT (id) DO NOTHING
    RETURNING id`)
  if (recorded.length > 0) return true
  const [known] = await database.select({ id: deployments.id }).from(deployments).where(eq(deployments.id, id)).limit(1)
  return known !== undefined
}

/** The deployment that works on an agent now. */
export async function findRunningDeployment(
  database: Database,
  agentId: string,
): Promise<{ id: string; kind: string } | undefined> {
  const [row] = await database
    .select({ id: deployments.id, kind: deployments.kind })
    .from(deployments)
    .where(and(eq(deployments.agentId, agentId), eq(deployments.status, 'running')))
    .limit(1)
  return row
}

/** The newest deployment that ended badly after the last good one, if any. */
export async function findLastFailure(
  database: Database,
  agentId: string,
): Promise<{ code: string | null; message: string | null } | undefined> {
  const [row] = await database
    .select({ status: deployments.status, code: deployments.errorCode, message: deployments.error })
    .from(deployments)
    .where(eq(deployments.agentId, agentId))
    .orderBy(desc(deployments.createdAt), desc(deployments.id))
    .limit(1)
  return row?.status === 'failed' ? { code: row.code, message: row.message } : undefined
}
