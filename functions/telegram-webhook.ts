/**
 * `POST /telegram/<bot id>`: Telegram hands over an update. It is answered only once the update is durable in its chat, so
 * that Telegram repeats what we lost; an update that is not for us is answered all the same, or it would block its queue.
 */
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { z } from 'zod'
import type { Bindings } from './bindings.ts'
import { botIdOf } from './bot-id.ts'
import { chatNameOf } from './chat/chat-name.ts'
import { parseConfig } from './config.ts'
import { equalInConstantTime } from './constant-time.ts'
import { describeError, log } from './log.ts'

/** Telegram's updates are far smaller. */
const MAX_UPDATE_BYTES = 1024 * 1024
/** What is ours to read at once; everything else is the handler's. */
const Update = z.looseObject({ update_id: z.int().nonnegative() })

export const telegramWebhook = new Hono<{ Bindings: Bindings }>().post(
  '/telegram/:bot',
  async (c, next) => {
    const config = parseConfig(c.env)
    const secret = c.req.header('x-telegram-bot-api-secret-token') ?? ''
    if (!equalInConstantTime(secret, config.TELEGRAM_WEBHOOK_SECRET)) return c.json({ error: 'unauthorized' }, 401)
    if (c.req.param('bot') !== String(botIdOf(config.TELEGRAM_BOT_TOKEN))) return c.json({ error: 'not_found' }, 404)
    return next()
  },
  bodyLimit({ maxSize: MAX_UPDATE_BYTES, onError: (c) => c.json({ error: 'too_large' }, 413) }),
  async (c) => {
    const update = Update.safeParse(await c.req.json().catch(() => undefined))
    if (!update.success) return c.json({ error: 'malformed_update' }, 400)
    const name = chatNameOf(update.data, Number(c.req.param('bot')))
    if (!name) return c.json({ ok: true, result: 'ignored' })
    try {
      return c.json({ ok: true, result: await c.env.CHAT.getByName(name).enqueue(update.data) })
    } catch (error) {
      log('error', 'enqueue_failed', { update: update.data.update_id, chat: name, error: describeError(error) })
      return c.json({ error: 'not_durable' }, 503)
    }
  },
)
