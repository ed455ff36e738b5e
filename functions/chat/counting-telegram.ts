/** Telegram's client with every call counted: what came of it, and how long it took. */
import type { Metrics } from '../metrics/metrics-buffer.ts'
import type { TelegramClient } from './telegram-client.ts'
import { classifyFailure } from './telegram-failure.ts'

export function countingTelegram(client: TelegramClient, metrics: Metrics): TelegramClient {
  const counted = Object.entries(client).map(([method, call]) => [
    method,
    async (...parameters: unknown[]) => {
      const startedAt = Date.now()
      try {
        const answer = await Reflect.apply(call, client, parameters)
        metrics.count('baal_telegram_calls_total', { method, result: 'ok' })
        return answer
      } catch (error) {
        metrics.count('baal_telegram_calls_total', { method, result: classifyFailure(error).kind })
        throw error
      } finally {
        metrics.observe('baal_telegram_call_seconds', Date.now() - startedAt)
      }
    },
  ])
  return Object.fromEntries(counted) as TelegramClient
}
