/** Keeps the pool at its size: fills it up, more of it when many agents are made, and lets old machines go. */
import { sql } from 'drizzle-orm'
import type { Database } from '../database/database.ts'
import { findStalledPoolMachines, listWarmInstances, recordPoolMachine, retireWarm } from '../database/machines-pool.ts'
import { deployments } from '../database/schema.ts'
import { log } from '../log.ts'
import type { ProvisionPorts } from './provision-ports.ts'

const HOUR_MS = 3_600_000
/** What was asked for within this time will be asked for again. */
const DEMAND_MS = HOUR_MS
/** Longer than any step takes. */
const STALLED_AFTER_MS = 3 * 60_000
/** Machines that one look orders: a pool that fails does not spend everything at once. */
const MAX_ORDERS = 5

export async function tendPool(ports: ProvisionPorts): Promise<void> {
  const { config, database, engine, now } = ports
  for (const machine of await findStalledPoolMachines(database, now() - STALLED_AFTER_MS)) {
    await engine.revive({ poolMachineId: machine.id, since: machine.createdAt })
  }
  if (!config.ALEPH_PRIVATE_KEY) return
  // A maximum that was left alone is no reason to have fewer than the minimum.
  const max = config.POOL_MAX_SIZE || config.POOL_MIN_SIZE
  const wanted = Math.min(max, config.POOL_MIN_SIZE + (await countDemand(database, now() - DEMAND_MS)))
  await retireSurplus(ports, max)
  for (let order = 0; order < MAX_ORDERS; order++) {
    const id = crypto.randomUUID().replaceAll('-', '').slice(0, 16)
    const machine = { id: `p-${id}`, name: `baal-pool-${id}`, now: now() }
    if (!(await recordPoolMachine(database, machine, { wanted, max }))) break
    await engine.start({ poolMachineId: machine.id, since: machine.now })
  }
}

async function retireSurplus({ config, database, now }: ProvisionPorts, max: number): Promise<void> {
  const warm = await listWarmInstances(database)
  const bornBefore = now() - config.POOL_MAX_AGE_HOURS * HOUR_MS
  for (const [index, { id, createdAt }] of warm.entries()) {
    const isSurplus = warm.length - index > max
    if ((isSurplus || createdAt < bornBefore) && (await retireWarm(database, id, now()))) {
      log('info', 'pool_machine_retired', { machine: id, reason: isSurplus ? 'surplus' : 'age' })
    }
  }
}

async function countDemand(database: Database, since: number): Promise<number> {
  const [row] = await database
    .select({ count: sql<number>`count(*)` })
    .from(deployments)
    .where(sql`${deployments.kind} = 'create' AND ${deployments.createdAt} > ${since}`)
  return row?.count ?? 0
}
