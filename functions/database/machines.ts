/**
 * Machines: a row exists before anything is paid for, and until it is confirmed gone. Every change of state is a compare-and-set
 * on the states it may come from: two who want different things of a machine cannot both have their way.
 */
import { and, eq, inArray, isNotNull, ne, notInArray, sql } from 'drizzle-orm'
import type { Database } from './database.ts'
import { machines } from './schema.ts'

export type Machine = typeof machines.$inferSelect
export type MachineState = Machine['state']

/** What is known about a machine, apart from its state. */
export type MachineFacts = Partial<Omit<Machine, 'id' | 'kind' | 'name' | 'state' | 'createdAt' | 'updatedAt'>>

/** A machine on its way to one agent, which nobody uses yet. */
const ON_ITS_WAY = ['recorded', 'created', 'placed', 'claimed'] as const satisfies MachineState[]

/** Written down before it is ordered; a second try of the same work finds the same row. */
export async function recordMachine(
  database: Database,
  machine: { id: string; name: string; agentId: string | null; now: number },
): Promise<void> {
  const { now, ...row } = machine
  await database
    .insert(machines)
    .values({ ...row, kind: 'aleph', state: 'recorded', createdAt: now, updatedAt: now })
    .onConflictDoNothing()
}

export async function findMachine(database: Database, id: string): Promise<Machine | undefined> {
  const [row] = await database.select().from(machines).where(eq(machines.id, id)).limit(1)
  return row
}

/** Everything that is or was about to be the agent's, except what is on its way out. */
export async function findMachinesOf(database: Database, agentId: string): Promise<Machine[]> {
  return database
    .select()
    .from(machines)
    .where(and(eq(machines.agentId, agentId), notInArray(machines.state, ['destroying', 'gone'])))
}

/** @returns false when the machine was in none of the states it may come from: somebody else has decided about it */
export async function moveMachine(
  database: Database,
  id: string,
  move: { from: readonly MachineState[]; to: MachineState; facts?: MachineFacts; now: number },
): Promise<boolean> {
  const moved = await database
    .update(machines)
    .set({ ...move.facts, state: move.to, updatedAt: move.now })
    .where(and(eq(machines.id, id), inArray(machines.state, [...move.from])))
    .returning({ id: machines.id })
  return moved.length > 0
}

/** Facts only; a machine that is gone keeps those of its end. */
export async function noteMachine(database: Database, id: string, facts: MachineFacts, now: number): Promise<void> {
  await database
    .update(machines)
    .set({ ...facts, updatedAt: now })
    .where(and(eq(machines.id, id), ne(machines.state, 'gone')))
}

/** Nobody's any more, and on its way out. @param failure when it is to blame: counted, and its node avoided for a while */
export async function giveUpMachine(
  database: Database,
  id: string,
  { failure, now }: { failure?: string | undefined; now: number },
): Promise<boolean> {
  const states: MachineState[] = ['recorded', 'created', 'placed', 'preparing', 'warm', 'claimed', 'in_use', 'failed']
  return moveMachine(database, id, {
    from: [...states, 'destroying'],
    to: 'destroying',
    facts: { agentId: null, ...(failure ? { failure, failedAt: now } : {}) },
    now,
  })
}

/** Gives up every machine on its way to this agent. @returns their ids */
export async function giveUpUnfinished(
  database: Database,
  agentId: string,
  { failure, now }: { failure?: string | undefined; now: number },
): Promise<string[]> {
  const rows = await database
    .update(machines)
    .set({
      state: 'destroying',
      agentId: null,
      updatedAt: now,
      ...(failure ? { failure, failedAt: now } : {}),
    })
    .where(and(eq(machines.agentId, agentId), inArray(machines.state, [...ON_ITS_WAY])))
    .returning({ id: machines.id })
  return rows.map(({ id }) => id)
}

/** Everything that may cost money: what may have been ordered and is not confirmed gone. */
const isPaid = and(isNotNull(machines.itemHash), notInArray(machines.state, ['recorded', 'gone']))

export async function countPaidMachines(database: Database): Promise<number> {
  const [row] = await database.select({ count: sql<number>`count(*)` }).from(machines).where(isPaid)
  return row?.count ?? 0
}

/** What is paid for now, as the network said when it was ordered. @param defaultPrice credits a day, where it was never told */
export function selectPaidMachines(database: Database, defaultPrice: number) {
  const price = sql<number>`coalesce(sum(coalesce(${machines.creditsPerDay}, ${defaultPrice})), 0)`.mapWith(Number)
  return database.select({ count: sql<number>`count(*)`, creditsPerDay: price }).from(machines).where(isPaid)
}

/** Nodes that failed lately, by hash. @param failures those that a node is to blame for */
export async function findFailingNodes(
  database: Database,
  { since, failures }: { since: number; failures: readonly string[] },
): Promise<Set<string>> {
  const rows = await database
    .selectDistinct({ crnHash: machines.crnHash })
    .from(machines)
    .where(
      and(isNotNull(machines.crnHash), inArray(machines.failure, [...failures]), sql`${machines.failedAt} > ${since}`),
    )
  return new Set(rows.flatMap(({ crnHash }) => (crnHash ? [crnHash] : [])))
}
