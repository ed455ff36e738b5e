import { z } from 'zod'
import type { Config } from '../../../functions/config.ts'
import { MODELS } from '../../../functions/models.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, warn, fail } = findingsOf('model')
const CALL_LIMIT_MS = 15_000
/** In the provider's credits (dollars at LibertAI). */
const LOW_BALANCE = 5

const ModelList = z.object({ data: z.array(z.object({ id: z.string() })) })
const Balance = z.object({ balance: z.coerce.number().optional() })

export async function checkModel({ LIBERTAI_API_KEY, LIBERTAI_BASE_URL }: Config): Promise<Finding[]> {
  const get = (path: string) =>
    fetch(`${LIBERTAI_BASE_URL.replace(/\/$/, '')}${path}`, {
      headers: { authorization: `Bearer ${LIBERTAI_API_KEY}` },
      signal: AbortSignal.timeout(CALL_LIMIT_MS),
    })
  try {
    const response = await get('/models')
    if (response.status === 401 || response.status === 403) {
      return [
        fail(
          'the key is refused',
          'Make a new one at https://console.libertai.io, put it into .prod.vars, npm run deploy.',
        ),
      ]
    }
    const offered = new Set(ModelList.parse(await response.json()).data.map(({ id }) => id))
    const missing = MODELS.filter(({ id }) => !offered.has(id))
    return [
      missing.length === 0
        ? ok(`the key is taken; ${MODELS.map(({ id }) => id).join(' and ')} are served`)
        : fail(
            `${missing.map(({ id }) => id).join(' and ')} is not served any more`,
            'Agents with it are silent: functions/models.ts names what is offered.',
          ),
      ...(await checkBalance(get)),
    ]
  } catch {
    return [
      fail(`${new URL(LIBERTAI_BASE_URL).host} does not answer as it should`, 'Wait, or correct LIBERTAI_BASE_URL.'),
    ]
  }
}

async function checkBalance(get: (path: string) => Promise<Response>): Promise<Finding[]> {
  const response = await get('/credits/balance')
  const balance = response.ok
    ? Balance.safeParse(await response.json().catch(() => undefined)).data?.balance
    : undefined
  // Other providers do not tell.
  if (balance === undefined) return []
  if (balance <= 0) return [fail('the balance is used up', 'Top up at https://console.libertai.io.')]
  if (balance < LOW_BALANCE)
    return [warn(`the balance is ${balance.toFixed(2)}`, 'Top up at https://console.libertai.io.')]
  return [ok(`the balance is ${balance.toFixed(2)}`)]
}
