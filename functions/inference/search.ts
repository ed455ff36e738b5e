/** `POST /v1/search` `{query, count?}` → `{results: [{title, url, description}]}`: web search, with the key kept here. */
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { z } from 'zod'
import type { Config } from '../config.ts'
import { describeError, log } from '../log.ts'
import { type ApiFailure, renderFailure } from './api-failure.ts'
import { authenticate, type GatewayEnv } from './authenticate.ts'
import { reserve, usedUp } from './budget.ts'
import { rateLimit } from './rate-limit.ts'

const SEARCH_TIMEOUT_MS = 10_000
const RETRY_PAUSE_MS = 250
/** Brave's own limits. */
const MAX_QUERY_CHARS = 400
const MAX_RESULTS = 20
const MAX_BODY_BYTES = 16 * 1024
/** Counted beside the models, so that searches bind to the daily budget too. */
const COUNTED_AS = 'web-search'

const Query = z.object({
  query: z.string().trim().min(1).max(MAX_QUERY_CHARS),
  count: z.int().min(1).max(MAX_RESULTS).default(8),
})

/** Of Brave's answer only what an agent reads. */
const BraveAnswer = z.object({
  web: z
    .object({ results: z.array(z.object({ title: z.string(), url: z.string(), description: z.string().default('') })) })
    .optional(),
})

const NOT_CONFIGURED: ApiFailure = {
  status: 501,
  code: 'search_not_configured',
  message: 'There is no web search here: the operator has set no BRAVE_API_KEY.',
}
const UNREACHABLE: ApiFailure = {
  status: 502,
  code: 'search_unreachable',
  message: 'The web search does not answer.',
  canRetry: true,
}

export const search = new Hono<GatewayEnv>().post(
  '/v1/search',
  authenticate,
  rateLimit,
  bodyLimit({ maxSize: MAX_BODY_BYTES, onError: () => refuse('The request is too large.', 413) }),
  async (c) => {
    const { agent, config, database } = c.var
    if (!config.BRAVE_API_KEY) return renderFailure(NOT_CONFIGURED)
    const query = Query.safeParse(await c.req.json().catch(() => undefined))
    if (!query.success) return refuse(`query: 1 to ${MAX_QUERY_CHARS} characters; count: 1 to ${MAX_RESULTS}.`, 400)
    const now = Date.now()
    const reservation = await reserve({ agentId: agent.id, model: COUNTED_AS, bytes: 0 }, { database, config, now })
    if (!reservation) return renderFailure(usedUp(now))
    const found = await searchWeb(query.data, config, config.BRAVE_API_KEY)
    if (!('failure' in found)) return c.json({ results: found })
    c.executionCtx.waitUntil(reservation.refund())
    return renderFailure(found.failure)
  },
)

/** Once more when nothing came back, like the models. */
async function searchWeb(query: z.infer<typeof Query>, config: Config, key: string) {
  const first = await askBrave(query, config, key)
  if (!('failure' in first) || first.failure.status !== 502) return first
  await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE_MS))
  return askBrave(query, config, key)
}

async function askBrave({ query, count }: z.infer<typeof Query>, config: Config, key: string) {
  const address = new URL('/res/v1/web/search', config.BRAVE_SEARCH_URL)
  address.search = new URLSearchParams({ q: query, count: String(count), text_decorations: 'false' }).toString()
  try {
    const response = await fetch(address, {
      headers: { accept: 'application/json', 'x-subscription-token': key },
      signal: AbortSignal.timeout(SEARCH_TIMEOUT_MS),
    })
    if (response.ok) return BraveAnswer.parse(await response.json()).web?.results ?? []
    log('warn', 'search_refused', { status: response.status })
    return {
      failure: response.status === 429 ? { ...UNREACHABLE, status: 429 as const, code: 'search_busy' } : UNREACHABLE,
    }
  } catch (error) {
    log('warn', 'search_failed', { error: describeError(error) })
    return { failure: UNREACHABLE }
  }
}

function refuse(message: string, status: 400 | 413): Response {
  return renderFailure({ status, code: 'invalid_request', message })
}
