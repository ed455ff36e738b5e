/** The Worker's entry: routes (`app.ts`), scheduled work, and the classes the platform starts. */
import { sweepPending } from './agent-pending.ts'
import { app } from './app.ts'
import type { Bindings } from './bindings.ts'
import { parseConfig } from './config.ts'
import { openDatabase } from './database/database.ts'
import { foldOldMetrics } from './database/metrics.ts'
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
    await attempt('metrics', () => foldOldMetrics(ports.database, Date.now()))
  },
} satisfies ExportedHandler<Bindings>

/** One sweep that fails does not keep the others from their work. */
async function attempt(sweep: string, work: () => Promise<void>): Promise<void> {
  await work().catch((error: unknown) => log('error', 'sweep_failed', { sweep, error: describeError(error) }))
}
