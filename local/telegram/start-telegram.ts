/**
 * A Telegram of one's own on this machine: the Bot API for the bot under test, and the people's side (`sim`, `/sim/…` and the
 * chat page at `/`).
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { runWebhookReply, serveBotApi } from './bot-api/api-server.ts'
import { type Clock, systemClock } from './clock.ts'
import { type RetryDelay, telegramRetryDelay } from './delivery/webhook.ts'
import { pageRoutes } from './sim/page-routes.ts'
import { Sim } from './sim/sim.ts'
import { simRoutes } from './sim/sim-routes.ts'
import { openWorld, type World } from './world.ts'

export interface TelegramOptions {
  /** 0 for any free one. */
  readonly port: number
  /** Without it nothing outlives `close`. */
  readonly dataDir?: string
  /** `<bot id>:<secret>`; the only bot there is. */
  readonly token: string
  readonly clock?: Clock
  /** Flood control; `off` still honours penalties ordered as faults. */
  readonly limits?: 'off' | 'real'
  /** Pause after the n-th failed delivery of an update. */
  readonly retryDelayMs?: RetryDelay
  /** Two people and a group with topics, where there is nobody yet. */
  readonly seed?: boolean
}

export interface Telegram {
  readonly url: string
  readonly sim: Sim
  close(): Promise<void>
}

/** The people that every new Telegram has. */
export const ALICE = 1001
export const BOB = 1002

export async function startTelegram(options: TelegramOptions): Promise<Telegram> {
  const world: World = openWorld({
    token: options.token,
    dataDir: options.dataDir,
    clock: options.clock ?? systemClock,
    limits: options.limits ?? 'real',
    retryDelayMs: options.retryDelayMs ?? telegramRetryDelay,
    onWebhookReply: (body) => {
      runWebhookReply(world, body).catch((error: unknown) => console.error(error))
    },
  })
  const sim = new Sim(world)
  if (options.seed !== false) seed(sim)
  const pages = getRequestListener(buildPages(sim).fetch)
  const server = createServer((request, response) => {
    handle(world, request, response, pages).catch((error: unknown) => {
      // A reader that went away is no news.
      if (!response.destroyed) console.error(error)
      response.destroy()
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    sim,
    async close() {
      world.polling.interrupt('server is shutting down')
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
      world.close()
    },
  }
}

type Listener = (request: IncomingMessage, response: ServerResponse) => unknown

async function handle(
  world: World,
  request: IncomingMessage,
  response: ServerResponse,
  pages: Listener,
): Promise<void> {
  if (!(await serveBotApi(world, request, response))) await pages(request, response)
}

const OWN_HOST = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/

function buildPages(sim: Sim): Hono {
  const app = new Hono()
  // Another website in the same browser must neither act for the people here nor read what they write.
  app.use(async (context, next) => {
    const host = context.req.header('host') ?? ''
    const origin = context.req.header('origin')
    if (!OWN_HOST.test(host) || (origin !== undefined && origin !== `http://${host}`)) {
      return context.json({ error: 'this page talks to itself only' }, 403)
    }
    return next()
  })
  app.route('/', pageRoutes())
  app.route('/sim', simRoutes(sim))
  return app
}

function seed(sim: Sim): void {
  if (sim.world.people.all().length > 0) return
  sim.addPerson({ id: ALICE, first_name: 'Alice', last_name: 'Martin', username: 'alice', language_code: 'en' })
  sim.addPerson({ id: BOB, first_name: 'Bob', username: 'bobby', language_code: 'en' })
  const group = sim.addGroup({
    title: 'Weekend project',
    members: [ALICE, BOB],
    forum: true,
    topics: ['Ideas', 'Shopping'],
    announce: false,
  })
  // Nobody has anything new to read in a group that was always there.
  for (const { message_id } of sim.messages(group.id)) {
    for (const reader of group.members) sim.world.messages.markRead(reader, group.id, message_id, message_id)
  }
}
