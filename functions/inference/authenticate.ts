/** Who calls the gateway: every route but none without a valid scoped key gets here. */
import { createMiddleware } from 'hono/factory'
import type { Bindings } from '../bindings.ts'
import { type Config, parseConfig } from '../config.ts'
import { type Database, openDatabase } from '../database/database.ts'
import { agentByInferenceKey, type KeyHolder } from './agent-key.ts'
import { renderFailure } from './api-failure.ts'

export interface GatewayEnv {
  Bindings: Bindings
  Variables: { config: Config; database: Database; agent: KeyHolder }
}

/** Asked of the database each time: a revoked key is refused at once. */
export const authenticate = createMiddleware<GatewayEnv>(async (c, next) => {
  const config = parseConfig(c.env)
  const database = openDatabase({ url: config.LIBSQL_URL, authToken: config.LIBSQL_AUTH_TOKEN })
  const agent = await agentByInferenceKey(database, c.req.header('authorization'))
  if (!agent) {
    return renderFailure({ status: 401, code: 'invalid_api_key', message: 'This key is not valid (any more).' })
  }
  c.set('config', config)
  c.set('database', database)
  c.set('agent', agent)
  return next()
})
