/** Keeps the pool at its size: fills it up, more of it when many agents are made, and lets old machines go. */
import { sql } from 'drizzle-orm'
import type { Database } from '../database/database.ts'
import {
  findStalledPoolMachines,
  listWarmInstances,
  loadPoolFailures,
  POOL_ID_PREFIX,
  recordPoolMachine,
  retireWarm,
} from '../database/machines-pool.ts'
import { deployments } from '../database/schema.ts'
import { log } from '../log.ts'
import { instanceName } from './instance-name.ts'
import { poolSize } from './pool-size.ts'
import type { ProvisionPorts } from './provision-ports.ts'

const HOUR_MS = 3_600_000
/** What was asked for within this time will be asked for again. */
const DEMAND_MS = HOUR_MS
/** Longer than any step takes. */
const STALLED_AFTER_MS = 3 * 60_000
/** Machines that one look orders. */
const MAX_ORDERS = 5
/** A pool whose machines fail orders one at a time, with a pause that doubles from a minute to half an hour. */
const FAILURES_COUNT_MS = 2 * HOUR_MS
const MINUTE_MS = 60_000
const MAX_PAUSE_MS = 30 * MINUTE_MS

export async function tendPool(ports: ProvisionPorts): Promise<void> {
  const { config, database, engine, now } = ports
  for (const machine of await findStalledPoolMachines(database, now() - STALLED_AFTER_MS)) {
    await engine.revive({ poolMachineId: machine.id, since: machine.createdAt })
  }
  if (!config.ALEPH_PRIVATE_KEY) return
  const { min, max } = poolSize(config)
  const wanted = Math.min(max, min + (await countDemand(database, now() - DEMAND_MS)))
  await retireSurplus(ports, max)
  const failures = await loadPoolFailures(database, now() - FAILURES_COUNT_MS)
  if (now() - (failures.lastAt ?? 0) < Math.min(MAX_PAUSE_MS, MINUTE_MS * 2 ** failures.count)) return
  const maxOrders = failures.count > 0 ? 1 : MAX_ORDERS
  for (let order = 0; order < maxOrders; order++) {
    const id = `${POOL_ID_PREFIX}${crypto.randomUUID().replaceAll('-', '').slice(0, 16)}`
    const machine = { id, name: await instanceName(config, id), now: now() }
    if (!(await recordPoolMachine(database, machine, { wanted, max }))) break
    await engine.start({ poolMachineId: machine.id, since: machine.now })
  }
}

async function retireSurplus({ config, database, now }: ProvisionPorts, max: number): Promise<void> {
  const warm = await listWarmInstances(database)
  // 0: of any age, or each would be given back as soon as it is there.
  const maxAgeMs = (config.POOL_MAX_AGE_HOURS || Number.POSITIVE_INFINITY) * HOUR_MS
  for (const [index, { id, createdAt }] of warm.entries()) {
    const isSurplus = warm.length - index > max
    if ((isSurplus || now() - createdAt > maxAgeMs) && (await retireWarm(database, id, now()))) {
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
