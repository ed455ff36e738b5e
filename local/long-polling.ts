/**
 * A real bot without a public address: updates are fetched and handed to the local webhook, one at a time, and taken off
 * Telegram's queue only once the webhook has them.
 */
import type { Api } from 'grammy'
import { GrammyError } from 'grammy'

/** Telegram holds an empty `getUpdates` open this long. */
const POLL_S = 30
const RETRY_MS = 2_000

export interface LongPollingOptions {
  readonly api: Api
  readonly webhookUrl: string
  readonly secret: string
  readonly allowedUpdates: readonly string[]
  readonly onProblem: (problem: string) => void
}

export function startLongPolling({ api, webhookUrl, secret, allowedUpdates, onProblem }: LongPollingOptions) {
  const stopped = new AbortController()
  const finished = poll()

  async function poll(): Promise<void> {
    let offset = 0
    while (!stopped.signal.aborted) {
      try {
        const updates = await api.raw.getUpdates(
          { offset, timeout: POLL_S, allowed_updates: allowedUpdates as never },
          stopped.signal as never,
        )
        for (const update of updates) {
          await deliver(update)
          offset = update.update_id + 1
        }
      } catch (error) {
        if (stopped.signal.aborted) return
        onProblem(error instanceof GrammyError ? error.description : 'Telegram cannot be reached; trying again.')
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      }
    }
  }

  async function deliver(update: unknown): Promise<void> {
    while (!stopped.signal.aborted) {
      try {
        const response = await fetch(webhookUrl, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': secret },
          body: JSON.stringify(update),
          signal: AbortSignal.any([stopped.signal, AbortSignal.timeout(60_000)]),
        })
        await response.body?.cancel()
        if (response.ok) return
        onProblem(`The Worker answered ${response.status} to an update; trying again.`)
      } catch {
        if (stopped.signal.aborted) return
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }

  return {
    async stop() {
      stopped.abort()
      await finished
    },
  }
}
