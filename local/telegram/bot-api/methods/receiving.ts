/** How the bot gets its updates: webhook or long polling, never both. */
import { z } from 'zod'
import { ApiError, badRequest } from '../../api-error.ts'
import type { Webhook } from '../../delivery/webhook.ts'
import { getMe, type World } from '../../world.ts'
import { type CallContext, defineMethod } from '../method.ts'
import { flag, inputFile, integer, json } from '../parameters.ts'

const DEFAULT_CONNECTIONS = 40
const MAX_CONNECTIONS = 100
const MAX_SECRET = 256
const PORTS = ['443', '80', '88', '8443', '']

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]'])

const allowedUpdates = json(z.array(z.string())).optional()

export const receivingMethods = [
  defineMethod({ name: 'getMe', params: z.strictObject({}), run: (_, { world }) => getMe(world) }),

  defineMethod({
    name: 'setWebhook',
    params: z.strictObject({
      url: z.string().default(''),
      certificate: inputFile.optional(),
      ip_address: z.string().optional(),
      max_connections: integer.optional(),
      allowed_updates: allowedUpdates,
      drop_pending_updates: flag.optional(),
      secret_token: z.string().optional(),
    }),
    run(params, { world }) {
      if (params.url === '') return removeWebhook(world, params.drop_pending_updates)
      checkWebhook(params.url, params.secret_token ?? '')
      world.polling.interrupt('terminated by setWebhook request')
      if (params.drop_pending_updates) drop(world)
      world.updates.allow(params.allowed_updates)
      const webhook: Webhook = {
        url: params.url,
        max_connections: Math.min(Math.max(params.max_connections || DEFAULT_CONNECTIONS, 1), MAX_CONNECTIONS),
        ...(params.secret_token ? { secret_token: params.secret_token } : {}),
        ...(params.ip_address ? { ip_address: params.ip_address } : {}),
      }
      world.webhook.set(webhook)
      return true
    },
  }),

  defineMethod({
    name: 'deleteWebhook',
    params: z.strictObject({ drop_pending_updates: flag.optional() }),
    run: (params, { world }) => removeWebhook(world, params.drop_pending_updates),
  }),

  defineMethod({
    name: 'getWebhookInfo',
    params: z.strictObject({}),
    run(_, { world }) {
      const { webhook, lastError } = world.webhook
      const allowed = world.updates.allowed()
      return {
        url: webhook?.url ?? '',
        has_custom_certificate: false,
        pending_update_count: world.updates.count(),
        ...(webhook ? { max_connections: webhook.max_connections } : {}),
        ...(webhook?.ip_address ? { ip_address: webhook.ip_address } : {}),
        ...(lastError ? { last_error_date: lastError.date, last_error_message: lastError.message } : {}),
        ...(allowed.length > 0 ? { allowed_updates: allowed } : {}),
      }
    },
  }),

  defineMethod({
    name: 'getUpdates',
    params: z.strictObject({
      offset: integer.optional(),
      limit: integer.optional(),
      timeout: integer.optional(),
      allowed_updates: allowedUpdates,
    }),
    run(params, { world, signal }: CallContext) {
      if (world.webhook.webhook) {
        throw new ApiError(
          409,
          "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
        )
      }
      world.updates.allow(params.allowed_updates)
      return world.polling.poll({
        offset: params.offset ?? 0,
        limit: Math.min(Math.max(params.limit ?? 100, 1), 100),
        timeoutS: params.timeout ?? 0,
        signal,
      })
    },
  }),

  defineMethod({ name: 'logOut', params: z.strictObject({}), run: () => true }),
  defineMethod({ name: 'close', params: z.strictObject({}), run: () => true }),
]

function checkWebhook(address: string, secret: string): void {
  if (!URL.canParse(address)) throw badRequest('invalid webhook URL specified')
  const url = new URL(address)
  // A bot on this machine is reached without TLS and on any port, as a local Bot API server does it.
  if (!LOOPBACK.has(url.hostname)) {
    if (url.protocol !== 'https:') throw badRequest('bad webhook: An HTTPS URL must be provided for webhook')
    if (!PORTS.includes(url.port))
      throw badRequest('bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443')
    throw badRequest('bad webhook: this stand-in delivers to this machine only')
  }
  if (secret.length > MAX_SECRET) throw badRequest('secret token is too long')
  if (!/^[\w-]*$/.test(secret)) throw badRequest('secret token contains unallowed characters')
}

function removeWebhook(world: World, dropPending: boolean | undefined): true {
  if (dropPending) drop(world)
  world.webhook.set(undefined)
  return true
}

function drop(world: World): void {
  world.updates.clear()
  world.webhook.forget()
}
