/** What an agent is told, and what is counted, when something behind the gateway does not work. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type GatewayHarness, REAL_KEY, SEARCH_KEY, startGateway } from './testing/gateway-harness.ts'
import { answer, beginStream, type FakeProvider, startFakeProvider, words } from './testing/provider.fake.ts'

let gateway: GatewayHarness
let elsewhere: FakeProvider

beforeAll(async () => {
  elsewhere = await startFakeProvider()
  gateway = await startGateway({ LIBERTAI_FALLBACK_URL: `${elsewhere.url}/v1`, LIBERTAI_TIMEOUT_S: '3' })
})
afterAll(async () => {
  await gateway.close()
  await elsewhere.close()
})

const HI = { model: 'qwen3-coder-next', messages: [{ role: 'user' as const, content: 'hi' }] }

async function newAgent(id: string): Promise<OpenAI> {
  return new OpenAI({ baseURL: gateway.baseUrl, apiKey: await gateway.addAgent({ id }), maxRetries: 0 })
}

const failure = (request: Promise<unknown>) => request.catch((error: unknown) => error)
const usageIs = (agentId: string, expected: object) =>
  vi.waitFor(async () => expect((await gateway.usageOf(agentId))[0]).toMatchObject(expected), { timeout: 10_000 })

describe('a second address of the provider', () => {
  test.each([
    ['is down', answer(503, 'down')],
    ['is busy', answer(429, { error: { message: 'slow down' } })],
    ['does not answer in time', () => undefined],
  ])('takes over when the first %s', async (_, behaviour) => {
    const agent = await newAgent(`over-${elsewhere.seen.length}`)
    gateway.provider.next(behaviour)
    const before = elsewhere.seen.length
    expect((await agent.chat.completions.create(HI)).choices[0]?.message.content).toBe('one two three')
    expect(elsewhere.seen.length).toBe(before + 1)
    expect(elsewhere.seen.at(-1)?.authorization).toBe(`Bearer ${REAL_KEY}`)
  })

  test('is not asked what the first one found wrong with the request', async () => {
    gateway.provider.next(answer(400, { error: { message: 'too long' } }))
    const before = elsewhere.seen.length
    expect(await failure((await newAgent('wrong')).chat.completions.create(HI))).toMatchObject({ status: 400 })
    expect(elsewhere.seen.length).toBe(before)
  })

  test('is not asked once a word was sent', async () => {
    gateway.provider.next((response) => {
      beginStream(response)
      response.write('data: {"choices":[{"index":0,"delta":{"content":"half"}}]}\n\n', () => response.destroy())
    })
    const before = elsewhere.seen.length
    const stream = await (await newAgent('half')).chat.completions.create({ ...HI, stream: true })
    await expect(Array.fromAsync(stream)).rejects.toMatchObject({ code: 'provider_broke_off' })
    expect(elsewhere.seen.length).toBe(before)
    await usageIs('half', { requests: 1, completionTokens: 1 })
  })

  test('that is slow as well is told as a slow model, and costs nothing', async () => {
    gateway.provider.next(() => undefined)
    elsewhere.next(() => undefined)
    const error = await failure((await newAgent('patient')).chat.completions.create(HI))
    expect(error).toMatchObject({ status: 504, code: 'provider_slow', type: 'server_error' })
    await usageIs('patient', { requests: 0, promptTokens: 0 })
  })
})

describe('a whole answer that breaks off', () => {
  test('is an error in OpenAI’s form, and its prompt stays counted', async () => {
    gateway.provider.next((response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
      response.write('{"choices":[', () => response.destroy())
    })
    const agent = await newAgent('torn')
    const messages = [{ role: 'user' as const, content: 'x'.repeat(4_000) }]
    expect(await failure(agent.chat.completions.create({ ...HI, messages }))).toMatchObject({
      status: 502,
      code: 'provider_broke_off',
    })
    await usageIs('torn', { requests: 1, promptTokens: expect.toSatisfy((tokens: number) => tokens > 1_000) })
  })
})

describe('curl', () => {
  const curl = async (...args: string[]) => (await promisify(execFile)('curl', ['-sS', '-N', ...args])).stdout

  test('reads a whole answer, a stream of events, and a refusal', async () => {
    const key = await gateway.addAgent({ id: 'curl' })
    const ask = (body: object, bearer = key) =>
      curl(
        ...['-H', `authorization: Bearer ${bearer}`, '-H', 'content-type: application/json'],
        ...['-d', JSON.stringify(body), `${gateway.baseUrl}/chat/completions`],
      )
    expect(JSON.parse(await ask(HI)).choices[0].message.content).toBe('one two three')
    const lines = (await ask({ ...HI, stream: true })).split('\n').filter((line) => line !== '')
    expect(lines.every((line) => line.startsWith('data: '))).toBe(true)
    expect(lines.at(-1)).toBe('data: [DONE]')
    expect(JSON.parse(await ask(HI, 'bk-nobody-has-this-key-000000'))).toMatchObject({
      error: { type: 'authentication_error', code: 'invalid_api_key' },
    })
  })
})

describe('an agent that asks without end', () => {
  test('is told to wait a minute, and nobody else is', async () => {
    const wild = await gateway.addAgent({ id: 'wild' })
    const calm = await newAgent('calm')
    const ask = () => fetch(`${gateway.baseUrl}/models`, { headers: { authorization: `Bearer ${wild}` } })
    let refused: Response | undefined
    // The limit is 240 a minute; a minute may end in between.
    for (let asked = 0; asked < 600 && !refused; asked += 20) {
      const answers = await Promise.all(Array.from({ length: 20 }, ask))
      refused = answers.find(({ status }) => status === 429)
      await Promise.all(answers.filter((response) => response !== refused).map((response) => response.text()))
    }
    expect(await refused?.json()).toMatchObject({ error: { code: 'rate_limit_exceeded', type: 'rate_limit_error' } })
    expect(refused?.headers.get('retry-after')).toBe('60')
    expect((await calm.models.list()).data.length).toBeGreaterThan(0)
  })
})

describe('a web search', () => {
  const search = (key: string, body: object) =>
    fetch(`${gateway.baseUrl}/search`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify(body),
    })

  test('is asked once more when it failed, and counted once', async () => {
    const key = await gateway.addAgent({ id: 'searching' })
    gateway.provider.next(answer(500, SEARCH_KEY), answer(200, { web: { results: [] } }))
    expect(await (await search(key, { query: 'x' })).json()).toEqual({ results: [] })
    await usageIs('searching', { requests: 1 })
  })

  test.each([
    [429, 1, 429, 'search_busy'],
    [503, 2, 502, 'search_unreachable'],
    [401, 2, 502, 'search_unreachable'],
  ])('refused with %i is told in OpenAI’s form, costs nothing and shows no key', async (status, times, told, code) => {
    const key = await gateway.addAgent({ id: `search-${status}` })
    for (let asked = 0; asked < times; asked++) gateway.provider.next(answer(status, { key: SEARCH_KEY }))
    const response = await search(key, { query: 'x' })
    expect(response.status).toBe(told)
    const text = await response.text()
    expect(JSON.parse(text).error.code).toBe(code)
    expect(text + gateway.logs()).not.toContain(SEARCH_KEY)
    await usageIs(`search-${status}`, { requests: 0 })
  })
})

test('no real key was in any log', () => {
  gateway.provider.next(words('x'))
  for (const secret of [REAL_KEY, SEARCH_KEY]) expect(gateway.logs()).not.toContain(secret)
})
