/** Asks the model provider about a person's own key: its balance where the provider tells, else whether it opens anything. */
import { z } from 'zod'
import type { Config } from '../../config.ts'
import type { ProviderAccount } from '../handling.ts'

const CHECK_TIMEOUT_MS = 8_000

/** LibertAI's `GET /credits/balance`; the field's name is read leniently, since other providers lack the route altogether. */
const Balance = z.object({ balance: z.coerce.number().optional().catch(undefined) })

export function createProviderAccount(
  { LIBERTAI_BASE_URL }: Pick<Config, 'LIBERTAI_BASE_URL'>,
  request: typeof fetch = (...call) => fetch(...call),
): ProviderAccount {
  const base = LIBERTAI_BASE_URL.replace(/\/$/, '')
  const get = (path: string, key: string) =>
    request(`${base}${path}`, {
      headers: { authorization: `Bearer ${key}` },
      signal: AbortSignal.timeout(CHECK_TIMEOUT_MS),
    })
  return {
    async check(key) {
      try {
        const asked = await get('/credits/balance', key)
        if (asked.ok) {
          const balance = Balance.safeParse(await asked.json().catch(() => undefined)).data?.balance
          return balance === undefined ? { kind: 'valid' } : { kind: 'valid', balance }
        }
        await asked.body?.cancel()
        if (isRefusal(asked.status)) return { kind: 'refused' }
        if (asked.status !== 404 && asked.status !== 405) return { kind: 'unreachable' }
        const models = await get('/models', key)
        await models.body?.cancel()
        if (models.ok) return { kind: 'valid' }
        return { kind: isRefusal(models.status) ? 'refused' : 'unreachable' }
      } catch {
        // No answer in time is an outcome here; the key must not reach a log with the error.
        return { kind: 'unreachable' }
      }
    },
  }
}

function isRefusal(status: number): boolean {
  return status === 401 || status === 403
}
