/** /dashboard: for the operator, by Telegram id. Everybody else is told so and nothing more. */
import { dayOf } from '../../database/limits.ts'
import { loadOverview } from '../../database/usage-report.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { onCommand } from '../routing/on-command.ts'

export function registerDashboard(router: Router): void {
  onCommand(router, 'dashboard', async (ctx) => {
    if (!isAdmin(ctx)) return ctx.out.refuse(ctx.words.chat.adminOnly)
    const { ports, words, out } = ctx
    const overview = await loadOverview(ports.database, dayOf(ports.now()))
    out.send(
      words.admin.dashboard({
        users: overview.users,
        messages: overview.messagesToday,
        agents: counts(overview.agents.map(({ status, count }) => [status, count])) || words.admin.none,
        machines: counts(overview.machines.map(({ state, count }) => [state, count])) || words.admin.none,
      }),
    )
  })
}

export function isAdmin({ ports, user }: BaalContext): boolean {
  return ports.config.ADMIN_IDS.includes(user.id)
}

export function counts(pairs: readonly (readonly [string, number])[]): string {
  return pairs.map(([name, count]) => `${count} ${name}`).join(', ')
}
