import { Api, GrammyError } from 'grammy'
import { botIdOf } from '../../../functions/bot-id.ts'
import { isWebhookAsWanted } from '../../../functions/chat/bot-profile.ts'
import type { Config } from '../../../functions/config.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, warn, fail } = findingsOf('telegram')
/** More than this wait only when the Worker does not keep up, or does not answer. */
const MANY_PENDING = 100
const RECENT_ERROR_MS = 3_600_000
const LOOPBACK = /^https?:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/]?/

export async function checkTelegram(config: Config): Promise<Finding[]> {
  const api = new Api(config.TELEGRAM_BOT_TOKEN, { apiRoot: config.TELEGRAM_API_ROOT, timeoutSeconds: 20 })
  try {
    const me = await api.getMe()
    return [ok(`the token is @${me.username}'s`), ...(await checkWebhook(api, config))]
  } catch (error) {
    if (error instanceof GrammyError && [401, 404].includes(error.error_code)) {
      return [fail('the bot token is refused', 'Ask @BotFather for /token, then npm run deploy.')]
    }
    return [fail('Telegram does not answer', 'Check the network, and TELEGRAM_API_ROOT if it is set.')]
  }
}

async function checkWebhook(api: Api, config: Config): Promise<Finding[]> {
  const info = await api.getWebhookInfo()
  const botPath = `/telegram/${botIdOf(config.TELEGRAM_BOT_TOKEN)}`
  const polls = !info.url && LOOPBACK.test(config.PUBLIC_URL)
  const isAsWanted = polls || (await isWebhookAsWanted({ api, publicUrl: config.PUBLIC_URL, botPath }))
  const findings = [
    isAsWanted
      ? ok(polls ? 'no webhook: npm start fetches the updates' : `updates go to ${info.url}`)
      : fail(
          info.url ? `updates go to ${info.url}, or not all of them` : 'there is no webhook: no update arrives',
          'npm run deploy sets it.',
        ),
  ]
  if (info.pending_update_count > MANY_PENDING) {
    findings.push(
      warn(
        `${info.pending_update_count} updates wait`,
        'See whether the Worker answers (below), and npx wrangler tail.',
      ),
    )
  }
  const failedAt = (info.last_error_date ?? 0) * 1_000
  if (Date.now() - failedAt < RECENT_ERROR_MS) {
    const minutes = Math.round((Date.now() - failedAt) / 60_000)
    findings.push(
      warn(
        `${minutes} min ago an update could not be delivered: ${info.last_error_message}`,
        hintFor(info.last_error_message),
      ),
    )
  }
  return findings
}

function hintFor(message = ''): string {
  if (message.includes('401')) return 'Telegram and the Worker know different secrets: npm run deploy sets both.'
  return 'It is tried again by itself. If it goes on: npx wrangler tail.'
}
