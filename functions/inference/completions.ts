/** `POST /v1/chat/completions`: the agent's request with the real key put in, its answer as it comes, its use counted. */
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { describeError, log } from '../log.ts'
import { sealFor } from '../seal.ts'
import { type ApiFailure, renderFailure } from './api-failure.ts'
import { authenticate, type GatewayEnv } from './authenticate.ts'
import { type Reservation, reserve, usedUp } from './budget.ts'
import { type ChatRequest, MAX_REQUEST_BYTES, parseChatRequest } from './chat-request.ts'
import { meterStream } from './metered-stream.ts'
import { askProvider } from './provider.ts'
import { rateLimit } from './rate-limit.ts'
import { readUsage } from './stream-usage.ts'

const TOO_LARGE: ApiFailure = {
  status: 413,
  code: 'request_too_large',
  message: `The request is larger than ${MAX_REQUEST_BYTES} bytes, which is too long for any offered model.`,
}
const KEY_UNREADABLE: ApiFailure = {
  status: 500,
  code: 'owner_key_unreadable',
  message: 'The owner’s key cannot be read. They can give it again with /login.',
}

const BROKE_OFF: ApiFailure = {
  status: 502,
  code: 'provider_broke_off',
  message: 'The model broke off in its answer.',
  canRetry: true,
}

export const completions = new Hono<GatewayEnv>().post(
  '/v1/chat/completions',
  authenticate,
  rateLimit,
  bodyLimit({ maxSize: MAX_REQUEST_BYTES, onError: () => renderFailure(TOO_LARGE) }),
  async (c) => {
    const parsed = parseChatRequest(await c.req.json().catch(() => undefined))
    if ('failure' in parsed) return renderFailure(parsed.failure)
    const key = await keyFor(c)
    if (!key) return renderFailure(KEY_UNREADABLE)
    const { agent, config, database } = c.var
    const now = Date.now()
    const { model, body } = parsed.request
    const reservation = await reserve({ agentId: agent.id, model, bytes: body.length }, { database, config, now })
    return reservation ? forward(c, parsed.request, key, reservation) : renderFailure(usedUp(now))
  },
)

interface RealKey {
  readonly key: string
  readonly isOwnersKey: boolean
}

/** Who gave a key of their own pays with it. */
async function keyFor(c: Context<GatewayEnv>): Promise<RealKey | undefined> {
  const { agent, config } = c.var
  if (agent.ownerKeySealed === null) return { key: config.LIBERTAI_API_KEY, isOwnersKey: false }
  try {
    const seal = sealFor(config)
    const context = { what: 'user-key', id: String(agent.ownerId) } as const
    return { key: await seal.open(agent.ownerKeySealed, context), isOwnersKey: true }
  } catch (error) {
    // The operator's key is no stand-in: its bill would be the operator's.
    log('error', 'owner_key_unreadable', { agent: agent.id, error: describeError(error) })
    return undefined
  }
}

async function forward(
  c: Context<GatewayEnv>,
  request: ChatRequest,
  { key, isOwnersKey }: RealKey,
  reservation: Reservation,
): Promise<Response> {
  const gone = new AbortController()
  c.req.raw.signal.addEventListener('abort', () => gone.abort(), { once: true })
  const { LIBERTAI_BASE_URL, LIBERTAI_FALLBACK_URL, LIBERTAI_TIMEOUT_S } = c.var.config
  const answer = await askProvider({
    baseUrl: LIBERTAI_BASE_URL,
    fallbackUrl: LIBERTAI_FALLBACK_URL,
    timeoutMs: LIBERTAI_TIMEOUT_S * 1000,
    key,
    isOwnersKey,
    body: request.body,
    signal: gone.signal,
  })
  if ('failure' in answer) {
    // Who leaves while the provider reads the prompt has had it read.
    c.executionCtx.waitUntil(gone.signal.aborted ? reservation.settle(undefined, 0) : reservation.refund())
    return renderFailure(answer.failure)
  }
  if (!request.streams || !answer.response.body) {
    const late = setTimeout(() => gone.abort(), LIBERTAI_TIMEOUT_S * 1000)
    return passWhole(c, answer.response, reservation).finally(() => clearTimeout(late))
  }
  const { body, used } = meterStream(answer.response.body, {
    showUsage: request.wantsUsage,
    onCancel: () => gone.abort(),
  })
  // Begun now, or a client that leaves would take the counting with it.
  c.executionCtx.waitUntil(used.then(({ usage, events }) => reservation.settle(usage, events)))
  // Exactly this type, without a charset: proxies compress, and so hold back, what they do not take for a stream of events.
  const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-store, no-transform' }
  return new Response(body, { headers })
}

async function passWhole(c: Context<GatewayEnv>, response: Response, reservation: Reservation): Promise<Response> {
  try {
    const text = await response.text()
    c.executionCtx.waitUntil(reservation.settle(readUsage(text), 0))
    return new Response(text, { headers: { 'content-type': 'application/json' } })
  } catch (error) {
    // It was read and answered in part: that is paid for, so it stays counted.
    c.executionCtx.waitUntil(reservation.settle(undefined, 0))
    log('warn', 'provider_broke_off', { agent: c.var.agent.id, error: describeError(error) })
    return renderFailure(BROKE_OFF)
  }
}
