/** What only the operator may ask for: the bearer of `ADMIN_TOKEN`. Where none is set the address does not exist. */
import { createMiddleware } from 'hono/factory'
import type { Bindings } from './bindings.ts'
import { parseConfig } from './config.ts'
import { equalInConstantTime } from './constant-time.ts'

export const requireAdmin = createMiddleware<{ Bindings: Bindings }>(async (c, next) => {
  const { ADMIN_TOKEN } = parseConfig(c.env)
  if (!ADMIN_TOKEN) return c.json({ error: 'not_found' }, 404)
  const given = c.req.header('authorization') ?? ''
  if (!equalInConstantTime(given, `Bearer ${ADMIN_TOKEN}`)) return c.json({ error: 'unauthorized' }, 401)
  await next()
})
