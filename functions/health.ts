/** `GET /health`: whether the Worker and what it needs answer. For anyone, so it holds no secrets and no addresses. */
import { sql } from 'drizzle-orm'
import { Hono } from 'hono'
import type { Bindings } from './bindings.ts'
import { parseConfig } from './config.ts'
import { openDatabase } from './database/database.ts'
import { runnerHealth } from './provision/runner-client.ts'
import { STRANGER_PAUSE_S, strangerMayCall } from './strangers.ts'
import { VERSION } from './version.ts'

const CHECK_LIMIT_MS = 2_000

export const health = new Hono<{ Bindings: Bindings }>().get('/health', async (c) => {
  if (!(await strangerMayCall(c)))
    return c.json({ error: 'too_many_requests' }, 429, { 'retry-after': String(STRANGER_PAUSE_S) })
  const config = parseConfig(c.env)
  const database = openDatabase({ url: config.LIBSQL_URL, authToken: config.LIBSQL_AUTH_TOKEN })
  const [databaseOk, runnerOk] = await Promise.all([
    answers(database.run(sql`select 1`)),
    // A container that sleeps would be started by every look at it: only a runner of one's own is asked.
    config.DEPLOY_RUNNER_URL ? answers(runnerHealth(config, c.env)) : 'container',
  ])
  const status = databaseOk === 'ok' && runnerOk !== 'unreachable' ? 'ok' : 'degraded'
  return c.json({ status, version: VERSION, database: databaseOk, runner: runnerOk })
})

async function answers(check: Promise<unknown>): Promise<'ok' | 'unreachable'> {
  const late = new Promise<never>((_, reject) => setTimeout(() => reject(new Error('late')), CHECK_LIMIT_MS))
  return Promise.race([check, late]).then(
    () => 'ok',
    () => 'unreachable',
  )
}
