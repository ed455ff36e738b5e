/**
 * How long deployments spend in each step, as counters of all together. Counted from row to row, so that it holds whatever died in
 * between; a step that begins again is one, with all its time.
 */
import { sql } from 'drizzle-orm'
import type { CounterName } from '../metrics/metric-names.ts'
import type { Database } from './database.ts'
import { dayOf } from './limits.ts'

/** Statements for the transaction that moves a running deployment on. @param next the step that begins; absent: it ends */
export function countStep(database: Database, id: string, { next, now }: { next?: string; now: number }) {
  const isLeft = next === undefined ? sql`1` : sql`step <> ${next}`
  const add = (name: CounterName, value: ReturnType<typeof sql>) =>
    database.run(sql`
      INSERT INTO metrics (day, name, labels, value)
      SELECT ${dayOf(now)}, ${name}, 'kind="' || kind || '",step="' || step || '"', ${value}
      FROM deployments WHERE id = ${id} AND status = 'running'
      ON CONFLICT (day, name, labels) DO UPDATE SET value = value + excluded.value`)
  return [
    add('baal_deployment_steps_total', sql`${isLeft}`),
    // Reports of steps may overtake each other.
    add('baal_deployment_step_seconds_total', sql`max(0, ${now} - updated_at) / 1000.0`),
  ] as const
}
