/** How often one agent may call within a minute: far above any turn, below what a loop gone wild would do. */
import { createMiddleware } from 'hono/factory'
import { renderFailure } from './api-failure.ts'
import type { GatewayEnv } from './authenticate.ts'

const PERIOD_S = 60

/** Counted by the platform beside the Worker, so it costs no round trip; the daily budget is the exact one. */
export const rateLimit = createMiddleware<GatewayEnv>(async (c, next) => {
  const { success } = (await c.env.INFERENCE_RATE?.limit({ key: c.var.agent.id })) ?? { success: true }
  if (success) return next()
  return renderFailure({
    status: 429,
    code: 'rate_limit_exceeded',
    message: 'This agent asks too often. Wait a minute.',
    retryAfterS: PERIOD_S,
    canRetry: true,
  })
})
