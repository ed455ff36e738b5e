/** Every route of the Worker, and what holds for all of them. */
import { Hono } from 'hono'
import { agentPending } from './agent-pending.ts'
import { answerError, answerNotFound } from './answer-failure.ts'
import type { Bindings } from './bindings.ts'
import { health } from './health.ts'
import { inference } from './inference/inference.ts'
import { adminMetrics } from './metrics/admin-metrics.ts'
import { rekeyMachine } from './provision/rekey-machine.ts'
import { telegramWebhook } from './telegram-webhook.ts'

export const app = new Hono<{ Bindings: Bindings }>()

app.use(async (c, next) => {
  await next()
  c.header('x-content-type-options', 'nosniff')
  if (!c.res.headers.has('cache-control')) c.header('cache-control', 'no-store')
})
app
  .route('/', telegramWebhook)
  .route('/', health)
  .route('/', agentPending)
  .route('/', inference)
  .route('/', adminMetrics)
  .route('/', rekeyMachine)
app.notFound(answerNotFound(app))
app.onError(answerError)
