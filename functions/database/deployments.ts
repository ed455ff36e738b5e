/** Deployments as provisioning sees them: what is to be done, how far it is, how it ended. */
import { and, eq, lt, ne, notExists, notInArray, sql } from 'drizzle-orm'
import { observation } from '../metrics/histogram.ts'
import type { Database } from './database.ts'
import { dayOf } from './limits.ts'
import { agents, deployments } from './schema.ts'
import { countStep } from './step-times.ts'

export type Deployment = typeof deployments.$inferSelect

export async function findDeployment(database: Database, id: string): Promise<Deployment | undefined> {
  const [row] = await database.select().from(deployments).where(eq(deployments.id, id)).limit(1)
  return row
}

/** @returns false when the deployment is not running any more: its Workflow must stop */
export async function saveStep(
  database: Database,
  id: string,
  step: string,
  machineId: string | undefined,
  now: number,
): Promise<boolean> {
  const [, , saved] = await database.batch([
    ...countStep(database, id, { next: step, now }),
    database
      .update(deployments)
      .set({ step, ...(machineId ? { machineId } : {}), updatedAt: now })
      .where(and(eq(deployments.id, id), eq(deployments.status, 'running')))
      .returning({ id: deployments.id }),
  ])
  return saved.length > 0
}

/** Ends whatever else is being done to the agent: its Workflow stops at its next step. */
export async function supersedeOthers(
  database: Database,
  { id, agentId }: Pick<Deployment, 'id' | 'agentId'>,
  now: number,
): Promise<void> {
  await database
    .update(deployments)
    .set({ status: 'failed', errorCode: 'superseded', error: 'another deployment has taken over', updatedAt: now })
    .where(and(eq(deployments.agentId, agentId), ne(deployments.id, id), eq(deployments.status, 'running')))
}

/** The agent and its deployment change together, and are counted once: nobody sees one without the other. */
export async function finishDeployment(
  database: Database,
  deployment: Pick<Deployment, 'id' | 'agentId' | 'kind' | 'createdAt'>,
  agent: Partial<typeof agents.$inferInsert>,
  outcome: { status: 'done' } | { status: 'failed'; errorCode: string; error: string },
  now: number,
): Promise<void> {
  await database.batch([
    database
      .update(agents)
      .set({ ...agent, updatedAt: now })
      .where(
        deployment.kind === 'destroy'
          ? eq(agents.id, deployment.agentId)
          : // An agent that was deleted meanwhile stays deleted.
            and(eq(agents.id, deployment.agentId), notInArray(agents.status, ['deleting', 'deleted'])),
      ),
    ...(outcome.status === 'done' ? countDone(database, deployment, now) : []),
    ...countStep(database, deployment.id, { now }),
    database
      .update(deployments)
      .set({ ...outcome, step: outcome.status, updatedAt: now })
      .where(and(eq(deployments.id, deployment.id), eq(deployments.status, 'running'))),
  ])
}

/** Only while it runs: a step that is repeated does not count again. */
function countDone(database: Database, deployment: Pick<Deployment, 'id' | 'kind' | 'createdAt'>, now: number) {
  const { id, kind, createdAt } = deployment
  return observation('baal_deployment_seconds', now - createdAt, { kind }).map(({ name, labels, value }) =>
    database.run(sql`
      INSERT INTO metrics (day, name, labels, value)
      SELECT ${dayOf(now)}, ${name}, ${labels}, ${value} FROM deployments WHERE id = ${id} AND status = 'running'
      ON CONFLICT (day, name, labels) DO UPDATE SET value = value + excluded.value`),
  )
}

/** Agents whose deletion ended before they were gone, and that nothing is being done to. */
export async function findUndeleted(database: Database, untouchedSince: number): Promise<string[]> {
  const worked = database
    .select({ one: sql`1` })
    .from(deployments)
    .where(and(eq(deployments.agentId, agents.id), eq(deployments.status, 'running')))
  const rows = await database
    .select({ id: agents.id })
    .from(agents)
    .where(and(eq(agents.status, 'deleting'), lt(agents.updatedAt, untouchedSince), notExists(worked)))
    .limit(50)
  return rows.map(({ id }) => id)
}

/** Running deployments that have not moved for a while: their Workflow may need a push, or never have begun. */
export async function findStalled(database: Database, untouchedSince: number): Promise<Deployment[]> {
  return database
    .select()
    .from(deployments)
    .where(and(eq(deployments.status, 'running'), lt(deployments.updatedAt, untouchedSince)))
    .limit(50)
}
