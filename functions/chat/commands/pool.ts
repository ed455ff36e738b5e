/** /pool: the machines that are paid for, for the operator. */
import { dayOf } from '../../database/limits.ts'
import { loadOverview } from '../../database/usage-report.ts'
import type { Router } from '../routing/baal-context.ts'
import { onCommand } from '../routing/on-command.ts'
import { counts, isAdmin } from './dashboard.ts'

export function registerPool(router: Router): void {
  onCommand(router, 'pool', async (ctx) => {
    if (!isAdmin(ctx)) return ctx.out.refuse(ctx.words.chat.adminOnly)
    const { ports, words, out } = ctx
    const { machines } = await loadOverview(ports.database, dayOf(ports.now()))
    out.send(
      words.admin.pool({
        machines: counts(machines.map(({ state, count }) => [state, count])) || words.admin.none,
        min: ports.config.POOL_MIN_SIZE,
        max: ports.config.POOL_MAX_SIZE,
        hours: ports.config.POOL_MAX_AGE_HOURS,
      }),
    )
  })
}
