/** The counters of `metrics/`: added to in one statement, read as sums, folded when their day is long over. */
import { and, eq, gte, lt, ne, sql } from 'drizzle-orm'
import type { Increment } from '../metrics/metrics-buffer.ts'
import type { Database } from './database.ts'
import { DAY_MS, dayOf } from './limits.ts'
import { metrics } from './schema.ts'

/** Days that stay apart, for who looks back. */
const KEPT_DAYS = 30
const FOLDED = ''

export function addMetrics(database: Database, increments: readonly Increment[], now: number) {
  const day = dayOf(now)
  return database
    .insert(metrics)
    .values(increments.map((increment) => ({ ...increment, day })))
    .onConflictDoUpdate({
      target: [metrics.day, metrics.name, metrics.labels],
      set: { value: sql`${metrics.value} + excluded.value` },
    })
}

/** @param sinceDay only counts of this day and later; everything there ever was when absent */
export async function sumMetrics(database: Database, sinceDay?: string): Promise<Increment[]> {
  return database
    .select({ name: metrics.name, labels: metrics.labels, value: sql<number>`sum(${metrics.value})`.mapWith(Number) })
    .from(metrics)
    .where(sinceDay === undefined ? undefined : gte(metrics.day, sinceDay))
    .groupBy(metrics.name, metrics.labels)
    .orderBy(metrics.name, metrics.labels)
}

/** Sums stay what they are. Safe to repeat: what was folded is not there to be folded again. */
export async function foldOldMetrics(database: Database, now: number): Promise<void> {
  const before = dayOf(now - KEPT_DAYS * DAY_MS)
  const isOld = and(ne(metrics.day, FOLDED), lt(metrics.day, before))
  const [oldest] = await database.select({ day: metrics.day }).from(metrics).where(isOld).limit(1)
  if (!oldest) return
  await database.batch([
    database.run(sql`
      INSERT INTO metrics (day, name, labels, value)
      SELECT ${FOLDED}, name, labels, value FROM metrics WHERE day = ${oldest.day}
      ON CONFLICT (day, name, labels) DO UPDATE SET value = value + excluded.value`),
    database.delete(metrics).where(eq(metrics.day, oldest.day)),
  ])
}
