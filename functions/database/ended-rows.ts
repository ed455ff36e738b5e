/**
 * Rows of machines that are gone and of deployments that ended: kept for who looks back, then deleted.
 *
 * Why the time is safe: an instance never depended on such a row. `gone` is only what the network has confirmed as forgotten, and
 * the orphan sweep asks for rows that are not gone: an instance that were to show up after all (an order that was late) is an
 * orphan with the row and without it, known as ours by its name, and forgotten. Nothing orders under the old id again: a
 * Workflow acts only while its deployment runs, which is hours, or while its machine's row is there, and what Telegram repeats
 * comes within days. Failing nodes, the pool's pauses, the operator's screens and the doctor look back a day at most.
 */
import { and, eq, lt, sql } from 'drizzle-orm'
import type { Database } from './database.ts'
import { DAY_MS } from './limits.ts'
import { machines } from './schema.ts'

const KEPT_DAYS = 90

/** Safe to repeat. Reads every row that ended. */
export async function forgetEndedRows(database: Database, now: number): Promise<void> {
  const before = now - KEPT_DAYS * DAY_MS
  await database.batch([
    // A host of the operator's own keeps its row: added again it is wiped first, because the row says that it was here before.
    database
      .delete(machines)
      .where(and(eq(machines.kind, 'aleph'), eq(machines.state, 'gone'), lt(machines.goneAt, before))),
    // The last one of an agent that there is stays: it says why the agent does not run, however long ago that was.
    database.run(sql`
      DELETE FROM deployments WHERE status IN ('done', 'failed') AND updated_at < ${before}
      AND (NOT EXISTS (SELECT 1 FROM agents WHERE id = deployments.agent_id AND status <> 'deleted')
           OR EXISTS (SELECT 1 FROM deployments AS later WHERE later.agent_id = deployments.agent_id
                      AND (later.created_at, later.id) > (deployments.created_at, deployments.id)))`),
  ])
}
