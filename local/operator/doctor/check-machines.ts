import type { Database } from '../../../functions/database/database.ts'
import { loadMachineReport, type MachineReport } from '../../../functions/database/machines-report.ts'
import { findLastRollout } from '../../../functions/database/rollouts.ts'
import { CREDITS_PER_MACHINE_DAY } from '../../../functions/provision/aleph/credits.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, warn } = findingsOf('machines')
const DAY_MS = 86_400_000
/** A node that lets us down now and then is replaced without anybody's help. */
const MANY_FAILURES = 5

/** What the sweeps and the pool do not settle by themselves. */
export async function checkMachines(database: Database, now = Date.now()): Promise<Finding[]> {
  const [report, rollout] = await Promise.all([
    loadMachineReport(database, { failuresSince: now - DAY_MS, defaultPrice: CREDITS_PER_MACHINE_DAY }),
    findLastRollout(database),
  ])
  const states = report.states.map(({ state, count }) => `${count} ${state}`).join(', ') || 'none yet'
  const stopped =
    rollout?.status === 'stopped'
      ? [
          warn(
            `the last update of all agents stopped after ${rollout.updated} of ${rollout.total} at ${rollout.failedAgentId ?? '?'}: ${rollout.error}`,
            'That agent runs as before or says why not; correct it, then /update all.',
          ),
        ]
      : []
  return [ok(states), ...checkHosts(report), ...checkFailures(report), ...stopped]
}

function checkHosts({ hosts }: MachineReport): Finding[] {
  return hosts.flatMap(({ name, state, failure }) =>
    failure ? [warn(`the host ${name} is ${state}: ${failure}`, hintFor(failure))] : [],
  )
}

function hintFor(failure: string): string {
  switch (failure) {
    case 'host_key_mismatch':
      return 'Another machine answers there. Set up anew by you: /repair its agent, /pool remove, /pool add.'
    case 'auth_failed':
      return 'It does not let the runner in: put the public half of SSH_PRIVATE_KEY into its authorized_keys.'
    case 'unreachable_outside':
      return 'Its agent ran and nobody reached it: does the name in /pool add lead there?'
    default:
      return 'It is tried again by itself; the log of the Worker says more.'
  }
}

function checkFailures({ failures }: MachineReport): Finding[] {
  const total = failures.reduce((sum, { count }) => sum + count, 0)
  if (total < MANY_FAILURES) return []
  const worst = failures.slice(0, 3).map(({ node, failure, count }) => `${count} × ${failure} (${node})`)
  return [warn(`${total} machines failed in 24 hours: ${worst.join(', ')}`, '/pool names them all.')]
}
