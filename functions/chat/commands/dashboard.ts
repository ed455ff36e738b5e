/** /dashboard: for the operator, by Telegram id. Everybody else is told so and nothing more. */
import { dayOf } from '../../database/limits.ts'
import { sumMetrics } from '../../database/metrics.ts'
import { loadOverview } from '../../database/usage-report.ts'
import { summarize } from '../../metrics/summary.ts'
import { join } from '../catalogue/format.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { onCommand } from '../routing/on-command.ts'

export function registerDashboard(router: Router): void {
  onCommand(router, 'dashboard', async (ctx) => {
    if (!isAdmin(ctx)) return ctx.out.refuse(ctx.words.chat.adminOnly)
    const { ports, words, out } = ctx
    const day = dayOf(ports.now())
    const overview = await loadOverview(ports.database, day)
    const today = summarize(await sumMetrics(ports.database, day))
    const numbers = words.admin.dashboard({
      users: overview.users,
      messages: overview.messagesToday,
      agents: counts(overview.agents.map(({ status, count }) => [status, count])) || words.admin.none,
      machines: counts(overview.machines.map(({ state, count }) => [state, count])) || words.admin.none,
    })
    out.send(join([numbers, words.admin.today(today)], '\n\n'))
  })
}

export function isAdmin({ ports, user }: BaalContext): boolean {
  return ports.config.ADMIN_IDS.includes(user.id)
}

export function counts(pairs: readonly (readonly [string, number])[]): string {
  return pairs.map(([name, count]) => `${count} ${name}`).join(', ')
}
