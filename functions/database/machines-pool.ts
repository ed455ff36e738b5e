/** The pool: machines that are prepared before anybody asks. Warm only after `prepare`; taken by one compare-and-set. */
import { and, asc, eq, gt, inArray, isNotNull, isNull, like, lt, notInArray, or, sql } from 'drizzle-orm'
import type { Database } from './database.ts'
import type { Machine } from './machines.ts'
import { agents, machines } from './schema.ts'

/** Of machines that were ordered for nobody yet. */
export const POOL_ID_PREFIX = 'p-'

/**
 * Takes one warm machine for an agent, those that cost nothing first, then the oldest. One statement: however many ask at
 * once, no machine is taken twice. Asked again, the same agent gets the machine it has already taken.
 * @param unfailedSince hosts that could not carry an agent later than this are left alone
 */
export async function claimMachine(
  database: Database,
  { agentId, now, unfailedSince = now }: { agentId: string; now: number; unfailedSince?: number },
): Promise<string | null> {
  const taken = await database.all<{ id: string }>(sql`
    UPDATE machines SET state = 'claimed', agent_id = ${agentId}, updated_at = ${now}
    WHERE id = (SELECT id FROM machines WHERE state = 'warm' AND coalesce(failed_at, 0) <= ${unfailedSince}
                ORDER BY kind = 'ssh' DESC, created_at, id LIMIT 1)
      AND state = 'warm'
      AND NOT EXISTS (SELECT 1 FROM machines WHERE agent_id = ${agentId} AND state = 'claimed')
    RETURNING id`)
  if (taken[0]) return taken[0].id
  const [own] = await database
    .select({ id: machines.id })
    .from(machines)
    .where(and(eq(machines.agentId, agentId), eq(machines.state, 'claimed')))
    .limit(1)
  return own?.id ?? null
}

/**
 * Records one more machine for the pool unless it has enough of them, ready or under way: one statement, so that sweeps that
 * overlap do not fill it twice.
 * @returns whether it was recorded
 */
export async function recordPoolMachine(
  database: Database,
  machine: { id: string; name: string; now: number },
  { wanted, max }: { wanted: number; max: number },
): Promise<boolean> {
  const { id, name, now } = machine
  const recorded = await database.all<{ id: string }>(sql`
    INSERT INTO machines (id, kind, name, state, created_at, updated_at)
    SELECT ${id}, 'aleph', ${name}, 'recorded', ${now}, ${now}
    WHERE (SELECT count(*) FROM machines WHERE ${FREE_OR_COMING}) < ${wanted}
      AND (SELECT count(*) FROM machines WHERE kind = 'aleph' AND ${FREE_OR_COMING}) < ${max}
    RETURNING id`)
  return recorded.length > 0
}

/** Of nobody, and ready or on the way to be. A host of the operator's counts once it is ready. */
const FREE_OR_COMING = sql.raw(
  `agent_id IS NULL AND (state = 'warm' OR kind = 'aleph' AND state IN ('recorded', 'created', 'placed', 'preparing'))`,
)

/** Machines of the pool that failed before they were of use, or as they were. */
export async function loadPoolFailures(
  database: Database,
  since: number,
): Promise<{ count: number; lastAt: number | undefined }> {
  const [row] = await database
    .select({ count: sql<number>`count(*)`, lastAt: sql<number | null>`max(${machines.failedAt})` })
    .from(machines)
    .where(
      and(
        like(machines.id, `${POOL_ID_PREFIX}%`),
        isNull(machines.agentId),
        isNotNull(machines.failure),
        gt(machines.failedAt, since),
      ),
    )
  return { count: row?.count ?? 0, lastAt: row?.lastAt ?? undefined }
}

/** Warm machines that are paid for, oldest first. */
export async function listWarmInstances(database: Database): Promise<Machine[]> {
  return database
    .select()
    .from(machines)
    .where(and(eq(machines.kind, 'aleph'), eq(machines.state, 'warm')))
    .orderBy(asc(machines.createdAt), asc(machines.id))
}

/** Takes a warm machine out, unless somebody claims it in the same moment. */
export async function retireWarm(database: Database, id: string, now: number): Promise<boolean> {
  const retired = await database
    .update(machines)
    .set({ state: 'destroying', updatedAt: now })
    .where(and(eq(machines.id, id), eq(machines.state, 'warm')))
    .returning({ id: machines.id })
  return retired.length > 0
}

/** Machines for the pool that have not moved for a while, and hosts that were registered a moment ago. */
export async function findStalledPoolMachines(database: Database, untouchedSince: number): Promise<Machine[]> {
  return database
    .select()
    .from(machines)
    .where(
      and(
        isNull(machines.agentId),
        sql`${machines.state} IN ('recorded', 'created', 'placed', 'preparing')`,
        or(lt(machines.updatedAt, untouchedSince), eq(machines.updatedAt, machines.createdAt)),
        or(lt(machines.updatedAt, untouchedSince), eq(machines.kind, 'ssh')),
      ),
    )
    .limit(50)
}

/**
 * A host of the operator's own. Registered again after it was removed, it comes back as new, but for one thing: it may never have
 * been wiped, so it begins with that. @returns false when it is known
 */
export async function registerHost(
  database: Database,
  host: { id: string; name: string; sshHost: string; sshPort: number; sshUser: string; url: string; now: number },
): Promise<boolean> {
  const { now, id, name, ...address } = host
  const fresh = { ...address, state: 'preparing' as const, hostKey: null, failure: null, failedAt: null, goneAt: null }
  const registered = await database
    .insert(machines)
    .values({ ...fresh, id, name, kind: 'ssh', createdAt: now, updatedAt: now })
    .onConflictDoUpdate({
      target: machines.name,
      set: { ...fresh, state: 'destroying', createdAt: now, updatedAt: now },
      setWhere: eq(machines.state, 'gone'),
    })
    .returning({ id: machines.id })
  return registered.length > 0
}

/**
 * Takes a host out of the pool for good. One at which the runner has seen another machine, as after it was set up anew, is let go
 * of although it is in use: its agent is not on it any more.
 * @returns false while an agent lives on it, or when there is no such host
 */
export async function unregisterHost(database: Database, name: string, now: number): Promise<boolean> {
  const host = and(eq(machines.name, name), eq(machines.kind, 'ssh'))
  const isFree = and(isNull(machines.agentId), sql`${machines.state} IN ('warm', 'preparing', 'destroying')`)
  const isAnother = and(eq(machines.state, 'in_use'), eq(machines.failure, 'host_key_mismatch'))
  const lost = database.select({ id: machines.id }).from(machines).where(and(host, isAnother))
  const [, removed] = await database.batch([
    database
      .update(agents)
      .set({ status: 'failed', machineId: null, updatedAt: now })
      .where(and(inArray(agents.machineId, lost), notInArray(agents.status, ['deleting', 'deleted']))),
    database
      .update(machines)
      .set({ state: 'gone', goneAt: now, agentId: null, updatedAt: now })
      .where(and(host, or(isFree, isAnother)))
      .returning({ id: machines.id }),
  ])
  return removed.length > 0
}
