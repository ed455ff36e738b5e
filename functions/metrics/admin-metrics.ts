/** `GET /admin/metrics`: everything that is counted, for Prometheus. Where no token is set the address does not exist. */
import { Hono } from 'hono'
import type { Bindings } from '../bindings.ts'
import { parseConfig } from '../config.ts'
import { equalInConstantTime } from '../constant-time.ts'
import { openDatabase } from '../database/database.ts'
import { sumMetrics } from '../database/metrics.ts'
import { readGauges } from './gauges.ts'
import { modelCost } from './model-cost.ts'
import { PROMETHEUS_CONTENT_TYPE, renderPrometheus } from './render-prometheus.ts'

export const adminMetrics = new Hono<{ Bindings: Bindings }>().get('/admin/metrics', async (c) => {
  const config = parseConfig(c.env)
  if (!config.ADMIN_TOKEN) return c.json({ error: 'not_found' }, 404)
  const given = c.req.header('authorization') ?? ''
  if (!equalInConstantTime(given, `Bearer ${config.ADMIN_TOKEN}`)) return c.json({ error: 'unauthorized' }, 401)
  const database = openDatabase({ url: config.LIBSQL_URL, authToken: config.LIBSQL_AUTH_TOKEN })
  const [sums, gauges] = await Promise.all([sumMetrics(database), readGauges(database, Date.now())])
  const cost = modelCost(sums, config.MODEL_PRICES)
  return c.text(renderPrometheus(sums, [...gauges, cost]), 200, {
    'content-type': PROMETHEUS_CONTENT_TYPE,
    'cache-control': 'no-store',
  })
})
