/** The Worker's entry: routes (`app.ts`), scheduled work, and the classes the platform starts. */
import { sweepPending } from './agent-pending.ts'
import { app } from './app.ts'
import type { Bindings } from './bindings.ts'
import { parseConfig } from './config.ts'
import { openDatabase } from './database/database.ts'
import { forgetEndedRows } from './database/ended-rows.ts'
import { forgetOldCounts } from './database/limits.ts'
import { foldOldMetrics } from './database/metrics.ts'
import { foldOldUsage } from './database/usage.ts'
import { forgetPeople } from './forget-people.ts'
import { describeError, log } from './log.ts'
import { pokeChats } from './poke-chats.ts'
import { runScheduled } from './provision/scheduled.ts'

export { Chat } from './chat/chat.ts'
export { DeployRunner } from './provision/deploy-runner-container.ts'
export { Snapshots } from './provision/snapshots.ts'
export { Provision } from './provision/workflow.ts'

/** The rarer of wrangler.toml's two crons: what only covers for something that was lost. */
const SWEEP_CRON = '*/15 * * * *'

export default {
  fetch: app.fetch,
  async scheduled(controller, env) {
    const config = parseConfig(env)
    await attempt('provision', () => runScheduled(controller.cron, env))
    const ports = {
      config,
      database: openDatabase({ url: config.LIBSQL_URL, authToken: config.LIBSQL_AUTH_TOKEN }),
      env,
    }
    await attempt('forget', () => forgetPeople(ports, Date.now()))
    if (controller.cron !== SWEEP_CRON) return
    await attempt('pending', () => sweepPending(ports, Date.now()))
    await attempt('chats', () => pokeChats(ports, Date.now()))
    if (isFirstOfDay(controller.scheduledTime)) {
      await attempt('usage', () => foldOldUsage(ports.database, Date.now()))
      await attempt('counts', () => forgetOldCounts(ports.database, Date.now()))
      await attempt('ended', () => forgetEndedRows(ports.database, Date.now()))
    }
    await attempt('metrics', () => foldOldMetrics(ports.database, Date.now()))
  },
} satisfies ExportedHandler<Bindings>

/** A look at a whole table is dear: once a day is often enough, and tomorrow makes up for what was missed. */
function isFirstOfDay(scheduledTime: number): boolean {
  const time = new Date(scheduledTime)
  return time.getUTCHours() === 0 && time.getUTCMinutes() < 15
}

/** One sweep that fails does not keep the others from their work. */
async function attempt(sweep: string, work: () => Promise<void>): Promise<void> {
  await work().catch((error: unknown) => log('error', 'sweep_failed', { sweep, error: describeError(error) }))
}
