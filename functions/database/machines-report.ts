/** Sums over machines for operators: what is ready, what it costs, and which nodes let us down. */
import { and, asc, eq, isNotNull, ne, sql } from 'drizzle-orm'
import type { Database } from './database.ts'
import { selectPaidMachines } from './machines.ts'
import { machines } from './schema.ts'

export interface MachineReport {
  readonly states: readonly { readonly state: string; readonly count: number }[]
  /** When the oldest machine that waits in the pool was made. */
  readonly oldestWarm: number | undefined
  readonly paid: number
  readonly creditsPerDay: number
  /** Newest kinds of trouble first by how often they came. */
  readonly failures: readonly { readonly node: string; readonly failure: string; readonly count: number }[]
  readonly hosts: readonly { readonly name: string; readonly state: string; readonly failure: string | null }[]
}

/** @param defaultPrice credits a day of a machine whose price was never told */
export async function loadMachineReport(
  database: Database,
  { failuresSince, defaultPrice }: { failuresSince: number; defaultPrice: number },
): Promise<MachineReport> {
  const count = sql<number>`count(*)`
  const [states, warm, paid, failures, hosts] = await database.batch([
    database
      .select({ state: machines.state, count })
      .from(machines)
      .where(ne(machines.state, 'gone'))
      .groupBy(machines.state),
    database
      .select({ oldest: sql<number | null>`min(${machines.createdAt})` })
      .from(machines)
      .where(eq(machines.state, 'warm')),
    selectPaidMachines(database, defaultPrice),
    database
      .select({
        node: sql<string>`coalesce(${machines.crnUrl}, ${machines.sshHost}, 'no node')`,
        failure: sql<string>`${machines.failure}`,
        count,
      })
      .from(machines)
      .where(and(isNotNull(machines.failure), sql`${machines.failedAt} > ${failuresSince}`))
      .groupBy(sql`1, 2`)
      .orderBy(sql`3 DESC, 1`)
      .limit(10),
    database
      .select({ name: machines.name, state: machines.state, failure: machines.failure })
      .from(machines)
      .where(and(eq(machines.kind, 'ssh'), ne(machines.state, 'gone')))
      .orderBy(asc(machines.name))
      .limit(20),
  ])
  return {
    states,
    oldestWarm: warm[0]?.oldest ?? undefined,
    paid: paid[0]?.count ?? 0,
    creditsPerDay: paid[0]?.creditsPerDay ?? 0,
    failures,
    hosts,
  }
}
