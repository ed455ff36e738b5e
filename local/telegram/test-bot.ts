/** For tests: a Telegram with a bot on its other side that records what it is sent and answers as it is told. */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Api } from 'grammy'
import type { Update } from 'grammy/types'
import { ALICE, startTelegram, type Telegram, type TelegramOptions } from './start-telegram.ts'

export const TOKEN = '7000000001:AAtestTESTtestTESTtestTEST'

export interface Received {
  readonly update: Update
  readonly headers: IncomingHttpHeaders
  /** Ends the request that brought it. */
  readonly reply: (status?: number, headers?: Record<string, string>, body?: string) => void
  readonly hangUp: () => void
}

export interface TestBot extends Telegram {
  readonly api: Api
  readonly webhookUrl: string
  readonly received: Received[]
  /** What the bot does with each update; answers 200 at once by default. */
  onUpdate: (received: Received) => void
  /** The n-th update that arrived, waiting for it. */
  nth(n: number): Promise<Received>
}

export async function startTestBot(options: Partial<TelegramOptions> = {}): Promise<TestBot> {
  const telegram = await startTelegram({ port: 0, token: TOKEN, limits: 'off', ...options })
  const received: Received[] = []
  const waiting: (() => void)[] = []
  const server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = []
    for await (const chunk of request) chunks.push(chunk)
    const item: Received = {
      update: JSON.parse(Buffer.concat(chunks).toString()),
      headers: request.headers,
      reply: (status = 200, headers = {}, body = '{}') => response.writeHead(status, headers).end(body),
      hangUp: () => response.destroy(),
    }
    received.push(item)
    bot.onUpdate(item)
    for (const wake of waiting.splice(0)) wake()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const bot: TestBot = {
    ...telegram,
    api: new Api(TOKEN, { apiRoot: telegram.url }),
    webhookUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    onUpdate: (item) => item.reply(),
    async nth(n) {
      while (received.length <= n) await new Promise<void>((resolve) => waiting.push(resolve))
      return received[n] as Received
    },
    async close() {
      await telegram.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return bot
}

/** A person who has pressed Start, so that the bot may write. */
export async function startWithAlice(options: Partial<TelegramOptions> = {}): Promise<TestBot> {
  const bot = await startTestBot(options)
  bot.sim.start(ALICE)
  return bot
}

/** The description of Telegram's refusal. */
export async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call
  } catch (error) {
    return error instanceof Error && 'description' in error ? String(error.description) : String(error)
  }
  return 'was accepted'
}

/** A call without grammY's types, for what it would not let through. */
export async function call(bot: TestBot, method: string, params: unknown, init: RequestInit = {}) {
  const response = await fetch(`${bot.url}/bot${TOKEN}/${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(params),
    ...init,
  })
  const body = (await response.json()) as {
    ok: boolean
    error_code?: number
    description?: string
    parameters?: object
    result?: unknown
  }
  return { status: response.status, body }
}
