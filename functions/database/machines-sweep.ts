/** What the sweeps look for: machines that nobody works on or wants any more, and instances that no row knows. */
import { and, eq, inArray, isNotNull, lt, ne, notExists, or, sql } from 'drizzle-orm'
import type { Database } from './database.ts'
import type { Machine } from './machines.ts'
import { agents, deployments, machines } from './schema.ts'

const PER_SWEEP = 50

/** On their way out, and not touched by their own Workflow for a while. */
export async function findMachinesToDestroy(database: Database, untouchedSince: number): Promise<Machine[]> {
  return database
    .select()
    .from(machines)
    .where(and(inArray(machines.state, ['failed', 'destroying']), lt(machines.updatedAt, untouchedSince)))
    .orderBy(machines.updatedAt)
    .limit(PER_SWEEP)
}

/**
 * Left behind: on the way to an agent that nobody works on any more, for the pool since long ago, or in use by an agent that
 * lives elsewhere or no more. A row without any instance is among them.
 */
export async function findAbandoned(
  database: Database,
  { untouchedSince, pooledSince }: { untouchedSince: number; pooledSince: number },
): Promise<string[]> {
  const worked = database
    .select({ one: sql`1` })
    .from(deployments)
    .where(and(eq(deployments.agentId, machines.agentId), eq(deployments.status, 'running')))
  const livesHere = database
    .select({ one: sql`1` })
    .from(agents)
    .where(and(eq(agents.id, machines.agentId), eq(agents.machineId, machines.id), ne(agents.status, 'deleted')))
  const coming = sql`${machines.state} IN ('recorded', 'created', 'placed', 'preparing')`
  const rows = await database
    .select({ id: machines.id })
    .from(machines)
    .where(
      or(
        and(
          isNotNull(machines.agentId),
          inArray(machines.state, ['recorded', 'created', 'placed', 'claimed', 'in_use']),
          lt(machines.updatedAt, untouchedSince),
          notExists(worked),
          notExists(livesHere),
        ),
        // A host of the operator's own stays: it only waits to be prepared.
        and(sql`${machines.agentId} IS NULL`, eq(machines.kind, 'aleph'), coming, lt(machines.createdAt, pooledSince)),
      ),
    )
    .limit(PER_SWEEP)
  return rows.map(({ id }) => id)
}

/** Rows of instances that should exist: by hash. */
export async function listLiveInstances(database: Database): Promise<Map<string, Machine>> {
  const rows = await database
    .select()
    .from(machines)
    .where(and(isNotNull(machines.itemHash), inArray(machines.state, ['warm', 'claimed', 'in_use'])))
  return new Map(rows.flatMap((row) => (row.itemHash ? [[row.itemHash, row] as const] : [])))
}

/** Which of these instances have a row that still answers for them, by hash or, where the hash was lost, by name. */
export async function findKnownInstances(
  database: Database,
  instances: readonly { itemHash: string; name: string }[],
): Promise<{ byHash: Set<string>; lostHash: Map<string, string> }> {
  const byHash = new Set<string>()
  const lostHash = new Map<string, string>()
  // SQLite binds a few hundred values at most.
  for (let from = 0; from < instances.length; from += 200) {
    const some = instances.slice(from, from + 200)
    const rows = await database
      .select({ id: machines.id, name: machines.name, itemHash: machines.itemHash })
      .from(machines)
      .where(
        and(
          ne(machines.state, 'gone'),
          or(
            inArray(
              machines.itemHash,
              some.map(({ itemHash }) => itemHash),
            ),
            inArray(
              machines.name,
              some.map(({ name }) => name),
            ),
          ),
        ),
      )
    for (const { id, name, itemHash } of rows) {
      if (itemHash) byHash.add(itemHash)
      else lostHash.set(name, id)
    }
  }
  return { byHash, lostHash }
}

/** The network has taken the instance away: the machine is on its way out, and its agent needs another one. */
export async function buryMachine(
  database: Database,
  machine: Pick<Machine, 'id'>,
  { failure, now }: { failure: string; now: number },
): Promise<void> {
  await database.batch([
    database
      .update(machines)
      .set({ state: 'destroying', failure, failedAt: now, agentId: null, updatedAt: now })
      .where(and(eq(machines.id, machine.id), ne(machines.state, 'gone'))),
    database
      .update(agents)
      .set({ status: 'failed', machineId: null, updatedAt: now })
      .where(and(eq(agents.machineId, machine.id), eq(agents.status, 'running'))),
  ])
}
