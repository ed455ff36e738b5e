/** What cron does for machines: push what stands still, tend the pool, give back what nobody wants, put agents' state aside. */
import { describeError, log } from '../log.ts'
import { nudgeStalled } from './nudge.ts'
import type { ProvisionPorts } from './provision-ports.ts'
import { takeDueSnapshots } from './snapshot-sweep.ts'
import { destroyUnwanted, forgetOrphans } from './sweep.ts'
import { tendPool } from './tend-pool.ts'

/** The rarer of wrangler.toml's two crons. */
export const ORPHAN_CRON = '*/15 * * * *'

export async function tendMachines(cron: string, ports: ProvisionPorts): Promise<void> {
  if (cron === ORPHAN_CRON) {
    await attempt('orphans', () => forgetOrphans(ports))
    await attempt('snapshots', () => takeDueSnapshots(ports))
    return
  }
  await attempt('nudge', () => nudgeStalled(ports))
  await attempt('pool', () => tendPool(ports))
  await attempt('destroy', () => destroyUnwanted(ports))
}

/** One sweep that fails does not keep the others from their work. */
async function attempt(what: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    log('error', 'scheduled_failed', { what, error: describeError(error) })
  }
}
