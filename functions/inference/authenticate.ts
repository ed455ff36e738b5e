/** Who calls the gateway: every route but none without a valid scoped key gets here. */
import { createMiddleware } from 'hono/factory'
import type { Bindings } from '../bindings.ts'
import { type Config, parseConfig } from '../config.ts'
import { type Database, openDatabase } from '../database/database.ts'
import { STRANGER_PAUSE_S } from '../strangers.ts'
import type { KeyHolder } from './agent-key.ts'
import { type ApiFailure, renderFailure } from './api-failure.ts'
import { callingAgent } from './calling-agent.ts'

export interface GatewayEnv {
  Bindings: Bindings
  Variables: { config: Config; database: Database; agent: KeyHolder }
}

const TOO_MANY_STRANGERS: ApiFailure = {
  status: 429,
  code: 'too_many_unknown_keys',
  message: 'From this address came too many unknown keys. Wait a minute.',
  retryAfterS: STRANGER_PAUSE_S,
  canRetry: true,
}

/** Asked of the database each time: a revoked key is refused at once. */
export const authenticate = createMiddleware<GatewayEnv>(async (c, next) => {
  const config = parseConfig(c.env)
  const database = openDatabase({ url: config.LIBSQL_URL, authToken: config.LIBSQL_AUTH_TOKEN })
  const agent = await callingAgent(c, database)
  if (agent === 'too_often') return renderFailure(TOO_MANY_STRANGERS)
  if (agent === 'unknown') {
    return renderFailure({ status: 401, code: 'invalid_api_key', message: 'This key is not valid (any more).' })
  }
  c.set('config', config)
  c.set('database', database)
  c.set('agent', agent)
  return next()
})
