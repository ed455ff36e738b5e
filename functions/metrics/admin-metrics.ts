/** `GET /admin/metrics`: everything that is counted, for Prometheus. */
import { Hono } from 'hono'
import { requireAdmin } from '../admin-guard.ts'
import type { Bindings } from '../bindings.ts'
import { parseConfig } from '../config.ts'
import { openDatabase } from '../database/database.ts'
import { sumMetrics } from '../database/metrics.ts'
import { readGauges } from './gauges.ts'
import { modelCost } from './model-cost.ts'
import { PROMETHEUS_CONTENT_TYPE, renderPrometheus } from './render-prometheus.ts'

export const adminMetrics = new Hono<{ Bindings: Bindings }>().get('/admin/metrics', requireAdmin, async (c) => {
  const config = parseConfig(c.env)
  const database = openDatabase({ url: config.LIBSQL_URL, authToken: config.LIBSQL_AUTH_TOKEN })
  const [sums, gauges] = await Promise.all([sumMetrics(database), readGauges(database, Date.now())])
  const cost = modelCost(sums, config.MODEL_PRICES)
  return c.text(renderPrometheus(sums, [...gauges, cost]), 200, {
    'content-type': PROMETHEUS_CONTENT_TYPE,
    'cache-control': 'no-store',
  })
})
