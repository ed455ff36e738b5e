/** /dashboard: for the operator, by Telegram id. Everybody else is told so and nothing more. */
import { dayOf } from '../../database/limits.ts'
import { loadMachineReport } from '../../database/machines-report.ts'
import { sumMetrics } from '../../database/metrics.ts'
import { findLastRollout, type Rollout } from '../../database/rollouts.ts'
import { loadOverview } from '../../database/usage-report.ts'
import { type DeploymentTimes, deploymentTimes } from '../../metrics/deployment-times.ts'
import { summarize } from '../../metrics/summary.ts'
import { CREDITS_PER_MACHINE_DAY } from '../../provision/aleph/credits.ts'
import { counts, renderMachines } from '../agents/machine-summary.ts'
import { lookUp } from '../catalogue/catalogue.ts'
import type { Catalogue } from '../catalogue/english.ts'
import { join, type Phrase } from '../catalogue/format.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { onCommand } from '../routing/on-command.ts'

const DAY_MS = 86_400_000
/** A day has few deployments, or none. */
const DAYS_SHOWN = 7

export function registerDashboard(router: Router): void {
  onCommand(router, 'dashboard', async (ctx) => {
    if (!isAdmin(ctx)) return ctx.out.refuse(ctx.words.chat.adminOnly)
    const { words, out } = ctx
    const { database, now } = ctx.ports
    const day = dayOf(now())
    const [overview, metrics, week, report, rollout] = await Promise.all([
      loadOverview(database, day),
      sumMetrics(database, day),
      sumMetrics(database, dayOf(now() - (DAYS_SHOWN - 1) * DAY_MS)),
      loadMachineReport(database, { failuresSince: now() - DAY_MS, defaultPrice: CREDITS_PER_MACHINE_DAY }),
      findLastRollout(database),
    ])
    const numbers = words.admin.dashboard({
      users: overview.users,
      messages: overview.messagesToday,
      agents: counts(overview.agents.map(({ status, count }) => [status, count])) || words.admin.none,
      machines: counts(overview.machines.map(({ state, count }) => [state, count])) || words.admin.none,
    })
    const lines = [numbers, ...renderMachines(report, words), ...(rollout ? [renderRollout(rollout, words)] : [])]
    const times = renderTimes(deploymentTimes(week), words)
    out.send(join([join(lines, '\n'), ...times, words.admin.today(summarize(metrics))], '\n\n'))
  })
}

export function isAdmin({ ports, user }: BaalContext): boolean {
  return ports.config.ADMIN_IDS.includes(user.id)
}

/** Nothing while there was nothing. */
function renderTimes(times: readonly DeploymentTimes[], { admin, deploy }: Catalogue): Phrase[] {
  if (times.length === 0) return []
  const lines = times.flatMap(({ kind, done, halfWithin, slowest }) => [
    admin.deploymentTimes({ kind: admin.deploymentKinds[kind], done, halfWithin }),
    ...(slowest ? [renderSlowest(slowest)] : []),
  ])
  return [join([admin.deployments({ days: DAYS_SHOWN }), ...lines], '\n')]

  function renderSlowest({ step, seconds }: { step: string; seconds: number }): string {
    return `· ${admin.slowestStep({ step: lookUp(deploy.steps, step) ?? deploy.stepOther, seconds: Math.round(seconds) })}`
  }
}

function renderRollout(
  { status, updated, total, failedAgentId, error }: Rollout,
  { admin, deploy }: Catalogue,
): string {
  if (status === 'running') return admin.rolloutRuns({ updated, total })
  if (status === 'done') return admin.rolloutDone({ updated, total })
  const reason = lookUp(deploy.errors, error ?? 'internal') ?? error ?? deploy.errors.internal
  return admin.rolloutStopped({ updated, total, agent: failedAgentId ?? '?', reason })
}
