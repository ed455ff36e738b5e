/** How the Worker answers an update for no chat, with our secret and without: it is taken, and nobody hears of it. */
import { botIdOf } from '../../functions/bot-id.ts'

const CALL_LIMIT_MS = 15_000

export interface WebhookAddress {
  readonly PUBLIC_URL: string
  readonly TELEGRAM_BOT_TOKEN: string
  readonly TELEGRAM_WEBHOOK_SECRET: string
}

export async function tryWebhook(address: WebhookAddress): Promise<{ ours: number; stranger: number }> {
  const post = async (secret: string): Promise<number> => {
    const response = await fetch(`${address.PUBLIC_URL}/telegram/${botIdOf(address.TELEGRAM_BOT_TOKEN)}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': secret },
      body: JSON.stringify({ update_id: 0 }),
      signal: AbortSignal.timeout(CALL_LIMIT_MS),
    })
    await response.body?.cancel()
    return response.status
  }
  return { ours: await post(address.TELEGRAM_WEBHOOK_SECRET), stranger: await post('a-stranger') }
}
