import { describe, expect, test } from 'vitest'
import { createProviderAccount } from './provider-account.ts'

const KEY = 'LTAI_0123456789abcdef'

function providerAnswering(answers: Readonly<Record<string, () => Response>>) {
  const asked: string[] = []
  const account = createProviderAccount({ LIBERTAI_BASE_URL: 'https://model.example/v1/' }, async (url, init) => {
    const { pathname } = new URL(String(url))
    asked.push(pathname)
    expect(new Headers(init?.headers).get('authorization')).toBe(`Bearer ${KEY}`)
    return (answers[pathname] ?? (() => new Response(null, { status: 404 })))()
  })
  return { account, asked }
}

describe('a person’s own key', () => {
  test('comes with its balance where the provider tells', async () => {
    const { account, asked } = providerAnswering({ '/v1/credits/balance': () => Response.json({ balance: '3.5' }) })
    expect(await account.check(KEY)).toEqual({ kind: 'valid', balance: 3.5 })
    expect(asked).toEqual(['/v1/credits/balance'])
  })

  test('is tried on the models where there is no balance', async () => {
    const { account } = providerAnswering({ '/v1/models': () => Response.json({ data: [] }) })
    expect(await account.check(KEY)).toEqual({ kind: 'valid' })
  })

  test('is valid with a balance in a form we do not know', async () => {
    const { account } = providerAnswering({ '/v1/credits/balance': () => Response.json({ balance: { eur: 1 } }) })
    expect(await account.check(KEY)).toEqual({ kind: 'valid' })
  })

  test.each([401, 403])('is refused with %i, on either route', async (status) => {
    const refuse = () => new Response(null, { status })
    expect(await providerAnswering({ '/v1/credits/balance': refuse }).account.check(KEY)).toEqual({ kind: 'refused' })
    expect(await providerAnswering({ '/v1/models': refuse }).account.check(KEY)).toEqual({ kind: 'refused' })
  })

  test('is neither valid nor refused while the provider is down', async () => {
    const down = providerAnswering({ '/v1/credits/balance': () => new Response(null, { status: 503 }) })
    expect(await down.account.check(KEY)).toEqual({ kind: 'unreachable' })
    const gone = createProviderAccount({ LIBERTAI_BASE_URL: 'https://model.example/v1' }, () =>
      Promise.reject(new TypeError('fetch failed')),
    )
    expect(await gone.check(KEY)).toEqual({ kind: 'unreachable' })
  })
})
