/**
 * Puts the state of running agents aside once a day, and first after an hour, a few at a time; drawn by lot, so that silent ones
 * do not keep others from it.
 */
import { sql } from 'drizzle-orm'
import { agents } from '../database/schema.ts'
import { takeSnapshot } from './move-state.ts'
import type { ProvisionPorts } from './provision-ports.ts'

const EVERY_MS = 24 * 3_600_000
/** Until then a machine that dies takes all of its agent with it. */
const FIRST_AFTER_MS = 3_600_000
const PER_SWEEP = 10

export async function takeDueSnapshots(ports: ProvisionPorts): Promise<void> {
  const { database, now } = ports
  const due = await database
    .select({ id: agents.id })
    .from(agents)
    .where(
      sql`${agents.status} = 'running' AND coalesce(${agents.snapshotAt} + ${EVERY_MS}, ${agents.createdAt} + ${FIRST_AFTER_MS}) < ${now()}`,
    )
    .orderBy(sql`random()`)
    .limit(PER_SWEEP)
  for (const { id } of due) await takeSnapshot(ports, id)
}
