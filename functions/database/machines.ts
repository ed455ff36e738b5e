/** Machines: a row exists before anything is paid for, and until it is confirmed gone. */
import { and, eq, inArray, isNotNull, lt, notInArray, sql } from 'drizzle-orm'
import type { Database } from './database.ts'
import { machines } from './schema.ts'

export type Machine = typeof machines.$inferSelect

/** Written down before it is ordered; a second try of the same deployment finds the same row. */
export async function recordMachine(
  database: Database,
  machine: { id: string; name: string; agentId: string; now: number },
): Promise<void> {
  await database
    .insert(machines)
    .values({
      id: machine.id,
      kind: 'aleph',
      name: machine.name,
      state: 'recorded',
      agentId: machine.agentId,
      createdAt: machine.now,
      updatedAt: machine.now,
    })
    .onConflictDoNothing()
}

export async function findMachine(database: Database, id: string): Promise<Machine | undefined> {
  const [row] = await database.select().from(machines).where(eq(machines.id, id)).limit(1)
  return row
}

export async function findMachineOrderedFor(database: Database, agentId: string): Promise<string | null> {
  const [row] = await database
    .select({ id: machines.id })
    .from(machines)
    .where(and(eq(machines.agentId, agentId), notInArray(machines.state, ['gone'])))
    .limit(1)
  return row?.id ?? null
}

export async function updateMachine(
  database: Database,
  id: string,
  changes: Partial<Omit<Machine, 'id' | 'kind' | 'name' | 'createdAt'>>,
  now: number,
): Promise<void> {
  await database
    .update(machines)
    .set({ ...changes, updatedAt: now })
    .where(and(eq(machines.id, id), notInArray(machines.state, ['gone'])))
}

/** Everything that may cost money: what is ordered and not yet confirmed gone. */
export async function countPaidMachines(database: Database): Promise<number> {
  const [row] = await database
    .select({ count: sql<number>`count(*)` })
    .from(machines)
    .where(and(isNotNull(machines.itemHash), notInArray(machines.state, ['recorded', 'gone'])))
  return row?.count ?? 0
}

/** Machines that must go, and those of attempts that ended without anybody taking them. */
export async function findMachinesToDestroy(database: Database, untouchedSince: number): Promise<Machine[]> {
  return database
    .select()
    .from(machines)
    .where(and(inArray(machines.state, ['failed', 'destroying']), lt(machines.updatedAt, untouchedSince)))
    .limit(50)
}

export async function findKnownItemHashes(database: Database, itemHashes: readonly string[]): Promise<Set<string>> {
  if (itemHashes.length === 0) return new Set()
  const rows = await database
    .select({ itemHash: machines.itemHash })
    .from(machines)
    .where(and(inArray(machines.itemHash, [...itemHashes]), notInArray(machines.state, ['gone'])))
  return new Set(rows.flatMap(({ itemHash }) => (itemHash ? [itemHash] : [])))
}
