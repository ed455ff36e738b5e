import { eq } from 'drizzle-orm'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { agents } from '../database/schema.ts'
import { type GatewayHarness, REAL_KEY, SEARCH_KEY, startGateway } from './testing/gateway-harness.ts'
import { answer, beginStream, endStream, sendChunk, words } from './testing/provider.fake.ts'

let gateway: GatewayHarness
let key: string
let openai: OpenAI

beforeAll(async () => {
  gateway = await startGateway({ AGENT_DAILY_REQUESTS: '60', AGENT_DAILY_TOKENS: '1000000' })
  key = await gateway.addAgent({ id: 'rosa' })
  openai = client(key)
})
afterAll(() => gateway.close())

function client(apiKey: string, options: { maxRetries?: number } = {}): OpenAI {
  return new OpenAI({ baseURL: gateway.baseUrl, apiKey, maxRetries: 0, ...options })
}

const MESSAGES = [{ role: 'user' as const, content: 'hi' }]
const HI = { model: 'qwen3-coder-next', messages: MESSAGES }
const lastSeen = () => gateway.provider.seen.at(-1)

async function newAgent(id: string, ownerId?: number): Promise<OpenAI> {
  return client(await gateway.addAgent({ id, ...(ownerId === undefined ? {} : { ownerId }) }))
}

const usageIs = (agentId: string, expected: object) =>
  vi.waitFor(async () => expect((await gateway.usageOf(agentId))[0]).toMatchObject(expected), { timeout: 10_000 })

async function refusal(request: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  const error = await request.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof OpenAI.APIError)) throw new Error(`no refusal but ${String(error)}`)
  return error
}

describe('an answer', () => {
  test('comes through whole with the real key put in', async () => {
    const completion = await openai.chat.completions.create(HI)
    expect(completion.choices[0]?.message.content).toBe('one two three')
    expect(lastSeen()).toMatchObject({ path: '/v1/chat/completions', authorization: `Bearer ${REAL_KEY}` })
    expect(lastSeen()?.body).toEqual(HI)
  })

  test('streams, with the usage for a client that asks and without for one that does not', async () => {
    for (const include_usage of [true, false]) {
      const stream = await openai.chat.completions.create({
        ...HI,
        stream: true,
        ...(include_usage ? { stream_options: { include_usage } } : {}),
      })
      const chunks: OpenAI.ChatCompletionChunk[] = []
      for await (const chunk of stream) chunks.push(chunk)
      expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe('one two three')
      expect(chunks.some((chunk) => chunk.usage)).toBe(include_usage)
      expect(lastSeen()?.body.stream_options).toEqual({ include_usage: true })
    }
  })

  test('passes on each word as it comes', async () => {
    const { promise: heard, resolve } = Promise.withResolvers<void>()
    gateway.provider.next(async (response) => {
      beginStream(response)
      sendChunk(response, 'first')
      await heard
      endStream(response, true)
    })
    const stream = await openai.chat.completions.create({ ...HI, stream: true })
    let text = ''
    // Would wait for ever if the first word were held back until the end.
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? ''
      if (text === 'first') resolve()
    }
    expect(text).toBe('first')
  })

  test('goes through for fifty streams at once, none mixed with another', async () => {
    const agent = await newAgent('busy')
    const texts = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const stream = await agent.chat.completions.create({
          ...HI,
          messages: [{ role: 'user', content: `echo ${index}` }],
          stream: true,
        })
        let text = ''
        for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
        return text
      }),
    )
    expect(texts).toEqual(Array.from({ length: 50 }, () => 'one two three'))
    await usageIs('busy', { requests: 50, promptTokens: 50_000, cachedTokens: 45_000, completionTokens: 150 })
  })
})

describe('what is asked', () => {
  test('keeps its messages and known parameters and loses what is unknown', async () => {
    const messages = [
      { role: 'system', content: 'S', name: 'x' },
      { role: 'user', content: [{ type: 'text', text: 'u' }] },
      {
        content: null,
        role: 'assistant',
        reasoning_content: 'r',
        tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'c', content: 'done' },
    ]
    const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } }]
    const known = { model: 'glm-4.7', messages, tools, tool_choice: 'auto', max_tokens: 100, temperature: 0.5 }
    await openai.chat.completions.create({
      ...known,
      user: 'u',
      metadata: {},
      store: true,
      api_base: 'http://evil',
      stream: false,
    } as never)
    expect(lastSeen()?.body).toEqual({ ...known, stream: false })
    expect(JSON.stringify(lastSeen()?.body.messages)).toBe(JSON.stringify(messages))
  })

  test.each([
    ['a model that is not offered', { model: 'gemma-3' }, 404, 'model_not_found'],
    ['no messages', { messages: [] }, 400, 'invalid_request'],
    ['a role that does not exist', { messages: [{ role: 'root', content: 'x' }] }, 400, 'invalid_request'],
    ['several answers', { n: 5 }, 400, 'invalid_request'],
    ['more tokens than fit', { max_tokens: 1_000_000 }, 400, 'invalid_request'],
    ['a negative limit', { max_tokens: -1 }, 400, 'invalid_request'],
  ])('is refused with %s', async (_, change, status, code) => {
    const before = gateway.provider.seen.length
    expect(await refusal(openai.chat.completions.create({ ...HI, ...change } as never))).toMatchObject({ status, code })
    expect(gateway.provider.seen.length).toBe(before)
  })

  test('is refused when it is no JSON or too large', async () => {
    const post = (body: string) =>
      fetch(`${gateway.baseUrl}/chat/completions`, {
        method: 'POST',
        body,
        headers: { authorization: `Bearer ${key}` },
      })
    expect((await post('{"half')).status).toBe(400)
    expect((await post('null')).status).toBe(400)
    const large = await post(JSON.stringify({ ...HI, padding: 'x'.repeat(4 * 1024 * 1024) }))
    expect([large.status, ((await large.json()) as { error: { code: string } }).error.code]).toEqual([
      413,
      'request_too_large',
    ])
  })
})

describe('a key', () => {
  test.each([[''], ['bk-short'], [`bk-${'x'.repeat(40)}`], [REAL_KEY], ["bk-' OR 1=1 --xxxxxxxxxxx"]])(
    'that nobody holds (%s) opens nothing',
    async (given) => {
      const headers = { authorization: `Bearer ${given}` }
      for (const path of ['/chat/completions', '/search']) {
        expect(
          (await fetch(gateway.baseUrl + path, { method: 'POST', headers, body: JSON.stringify(HI) })).status,
        ).toBe(401)
      }
      expect((await fetch(`${gateway.baseUrl}/models`, { headers })).status).toBe(401)
    },
  )

  test('is refused at once when its agent is deleted', async () => {
    const agent = await newAgent('leaving')
    await agent.models.list()
    await gateway.database.update(agents).set({ status: 'deleting' }).where(eq(agents.id, 'leaving'))
    expect((await refusal(agent.chat.completions.create(HI))).status).toBe(401)
  })

  test('of the owner is used in place of the operator’s, and its refusal is told as theirs', async () => {
    await gateway.giveOwnerKey(77, 'owners-own-key-abcdef')
    const agent = await newAgent('own', 77)
    await agent.chat.completions.create(HI)
    expect(lastSeen()?.authorization).toBe('Bearer owners-own-key-abcdef')
    gateway.provider.next(answer(401, { error: { message: 'bad key' } }))
    expect(await refusal(agent.chat.completions.create(HI))).toMatchObject({ status: 403, code: 'owner_key_refused' })
  })
})

describe('use', () => {
  test('is counted per agent, day and model, cached tokens too', async () => {
    const agent = await newAgent('counted')
    await agent.chat.completions.create(HI)
    for await (const _ of await agent.chat.completions.create({ ...HI, stream: true }));
    const day = new Date().toISOString().slice(0, 10)
    await usageIs('counted', {
      day,
      model: HI.model,
      requests: 2,
      promptTokens: 2000,
      cachedTokens: 1800,
      completionTokens: 6,
    })
  })

  test('is bound by the daily budget: of many at once exactly as many pass as are left', async () => {
    const agent = await newAgent('bound')
    const results = await Promise.all(
      Array.from({ length: 80 }, () =>
        agent.chat.completions.create(HI).then(
          () => 200,
          (error) => error,
        ),
      ),
    )
    expect(results.filter((result) => result === 200)).toHaveLength(60)
    expect(results.find((result) => result !== 200)).toMatchObject({ status: 429, code: 'budget_exceeded' })
    await usageIs('bound', { requests: 60, promptTokens: 60_000 })
  })

  test('is bound in tokens too', async () => {
    const agent = await newAgent('thirsty')
    gateway.provider.next(answer(200, { choices: [], usage: { prompt_tokens: 1_000_000, completion_tokens: 1 } }))
    await agent.chat.completions.create(HI)
    await usageIs('thirsty', { promptTokens: 1_000_000 })
    expect(await refusal(agent.chat.completions.create(HI))).toMatchObject({ status: 429, code: 'budget_exceeded' })
  })

  test('costs nothing when the provider gave nothing', async () => {
    const agent = await newAgent('unlucky')
    gateway.provider.next(answer(429, { error: { message: 'slow down' } }, { 'retry-after': '7' }))
    const error = await refusal(agent.chat.completions.create(HI))
    expect(error).toMatchObject({ status: 429, code: 'provider_busy' })
    expect(error.headers?.get('retry-after')).toBe('7')
    await usageIs('unlucky', { requests: 0, promptTokens: 0 })
  })
})

describe('a provider in trouble', () => {
  test('is asked once more when it failed before a word was sent', async () => {
    gateway.provider.next(answer(503, 'upstream down'), words('again'))
    const completion = await openai.chat.completions.create(HI)
    expect(completion.choices[0]?.message.content).toBe('again')
  })

  test('that breaks off in an answer ends it with an error, not as if it were whole', async () => {
    gateway.provider.next((response) => {
      beginStream(response)
      response.write('data: {"choices":[{"index":0,"delta":{"content":"half"}}]}\n\ndata: {"choi', () =>
        response.destroy(),
      )
    })
    const stream = await openai.chat.completions.create({ ...HI, stream: true })
    await expect(
      (async () => {
        for await (const _ of stream);
      })(),
    ).rejects.toThrow()
  })

  test('says what is wrong with the request, so that an agent can shorten it', async () => {
    const message = "This model's maximum context length is 98304 tokens. However, you requested 100000 tokens."
    gateway.provider.next(answer(400, { error: { message } }))
    const error = await refusal(openai.chat.completions.create(HI))
    expect(error.status).toBe(400)
    expect(error.message).toContain('maximum context length is 98304')
  })
})

describe('the real keys', () => {
  test('appear in no answer and no log, even where the provider repeats them', async () => {
    const repeated = [
      answer(401, { error: { message: `Incorrect API key provided: ${REAL_KEY}` } }),
      answer(400, { error: { message: `Key ${REAL_KEY} may not; try sk-abc***xyz` } }),
      answer(500, REAL_KEY),
      answer(500, REAL_KEY),
      answer(402, { detail: REAL_KEY }),
    ]
    gateway.provider.next(...repeated)
    const answers: string[] = []
    for (let index = 0; index < 4; index++) {
      const response = await fetch(`${gateway.baseUrl}/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}` },
        body: JSON.stringify(HI),
      })
      expect(response.ok).toBe(false)
      answers.push(await response.text(), JSON.stringify([...response.headers]))
    }
    const all = answers.join('\n') + gateway.logs()
    expect(all).toContain('[key]')
    for (const secret of [REAL_KEY, SEARCH_KEY, key, 'sk-abc']) expect(all).not.toContain(secret)
  })
})

describe('the other routes', () => {
  test('list the offered models', async () => {
    const { data } = await openai.models.list()
    expect(data.map(({ id }) => id)).toEqual(['qwen3-coder-next', 'glm-4.7'])
    expect((await openai.models.retrieve('glm-4.7')).id).toBe('glm-4.7')
  })

  test('search the web with a key the agent never sees', async () => {
    gateway.provider.next(
      answer(200, { web: { results: [{ title: 'T', url: 'https://example.org', description: 'D', thumbnail: {} }] } }),
    )
    const agent = await gateway.addAgent({ id: 'searcher' })
    const response = await search(agent, { query: 'lighthouses', count: 3 })
    expect(await response.json()).toEqual({ results: [{ title: 'T', url: 'https://example.org', description: 'D' }] })
    expect(lastSeen()?.path).toContain('q=lighthouses&count=3')
    await usageIs('searcher', { model: 'web-search', requests: 1 })
    expect((await search(agent, { query: '' })).status).toBe(400)
  })

  test('say 404 and 405 in JSON', async () => {
    const at = async (path: string, method: string) => {
      const response = await fetch(gateway.baseUrl + path, { method })
      return [response.status, await response.json()]
    }
    expect(await at('/nothing', 'GET')).toEqual([404, { error: 'not_found' }])
    expect(await at('/chat/completions', 'GET')).toEqual([405, { error: 'method_not_allowed' }])
  })

  const search = (agentKey: string, body: object) =>
    fetch(`${gateway.baseUrl}/search`, {
      method: 'POST',
      headers: { authorization: `Bearer ${agentKey}` },
      body: JSON.stringify(body),
    })
})
