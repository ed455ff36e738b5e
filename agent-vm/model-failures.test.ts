import { afterEach, describe, expect, test } from 'vitest'
import type { Reply } from './model/model.fake.ts'
import { type AgentUnderTest, plain, reasonOf, startTestAgent, textsOf } from './testing/agent-under-test.ts'

let agent: AgentUnderTest

afterEach(() => agent.close())

async function run(script: readonly Reply[], env: Record<string, string> = {}) {
  agent = await startTestAgent({ script, env })
  const events = await agent.chat('hi')
  const error = plain(events).find(({ type }) => type === 'error')
  return { events, texts: textsOf(events), reason: reasonOf(events), error, requests: agent.model.calls.length }
}

describe('failures that pass', () => {
  test.each<[string, Reply]>([
    ['a 500', { status: 500 }],
    ['a 503', { status: 503 }],
    ['a 429', { status: 429 }],
    ['a connection cut before the answer', { cutAfter: 0, pieces: ['x'] }],
    ['a connection cut in the answer', { cutAfter: 1, pieces: ['par', 'tial'] }],
  ])('%s is asked again and the answer shown once', async (_name, failure) => {
    const { texts, reason } = await run([failure, failure, { content: 'fine' }])
    expect(texts).toEqual(['fine'])
    expect(reason).toBe('stop')
  })

  test('deltas of an answer that broke off are declared void', async () => {
    const { events } = await run([{ cutAfter: 1, pieces: ['par', 'tial'] }, { content: 'fine' }])
    expect(plain(events).slice(-2)).toEqual([
      { type: 'text', content: 'fine' },
      { type: 'done', reason: 'stop' },
    ])
  })

  test('Retry-After is honoured', async () => {
    const startedAt = Date.now()
    await run([{ status: 429, headers: { 'retry-after': '0.5' } }, { content: 'ok' }])
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(490)
  })

  test('each pause is longer than the one before', async () => {
    const askedAt: number[] = []
    agent = await startTestAgent({
      env: { MODEL_RETRY_BASE_MS: '40' },
      script: () => {
        askedAt.push(performance.now())
        return askedAt.length < 4 ? { status: 503 } : { content: 'ok' }
      },
    })
    expect(textsOf(await agent.chat('hi'))).toEqual(['ok'])
    const pauses = askedAt.slice(1).map((at, index) => at - askedAt[index]!)
    // A timer may be a millisecond early.
    for (const [index, least] of [40, 80, 160].entries()) expect(pauses[index]).toBeGreaterThanOrEqual(least - 2)
  })

  test('no first token: given up and asked again', async () => {
    const { texts } = await run([{ hang: true }, { content: 'ok' }], { MODEL_FIRST_TOKEN_TIMEOUT_MS: '150' })
    expect(texts).toEqual(['ok'])
  })

  test('a stream that falls silent: given up and asked again', async () => {
    const { texts } = await run([{ pieces: ['a', 'b'], pauseMs: 2000 }, { content: 'ok' }], {
      MODEL_IDLE_TIMEOUT_MS: '150',
    })
    expect(texts).toEqual(['ok'])
  })

  test('a server that only keeps the connection busy counts as silent, before an answer and in it', async () => {
    const { texts, requests } = await run(
      [{ emptyChunks: 40 }, { content: 'par', emptyChunks: 40 }, { content: 'ok' }],
      {
        MODEL_FIRST_TOKEN_TIMEOUT_MS: '150',
        MODEL_IDLE_TIMEOUT_MS: '150',
      },
    )
    expect(texts).toEqual(['ok'])
    expect(requests).toBe(3)
  })

  test('an empty answer is asked for again, then with a nudge', async () => {
    const { texts, requests } = await run([{ content: '' }, { content: '  ' }, { content: 'here' }])
    expect(texts).toEqual(['here'])
    expect(requests).toBe(3)
    expect(JSON.stringify(agent.model.calls[2]!.messages.at(-1))).toContain('last answer was empty')
  })

  test('a cut answer is continued and stored as one', async () => {
    const { texts } = await run([
      { content: 'one, ', finish: 'length' },
      { content: 'two', finish: 'length' },
      { content: '.' },
    ])
    expect(texts).toEqual(['one, two.'])
    await agent.chat('next')
    expect(agent.model.calls.at(-1)!.messages.filter(({ role }) => role === 'assistant')).toEqual([
      { role: 'assistant', content: 'one, two.' },
    ])
    expect(agent.model.illegal).toEqual([])
  })
})

test.each([1000.5, 2 ** 70, 2 ** 53 - 1, -7])(
  'an impossible count of tokens (%d) costs neither the answer nor the chat',
  async (prompt) => {
    agent = await startTestAgent({ script: [{ content: 'one', usage: { prompt } }, { content: 'two' }] })
    expect(textsOf(await agent.chat('hi'))).toEqual(['one'])
    expect(textsOf(await agent.chat('again'))).toEqual(['two'])
  },
)

describe('failures that do not pass', () => {
  test.each<[string, Reply, string, number]>([
    ['network trouble', { status: 502 }, 'model_unreachable', 5],
    ['a busy server', { status: 429 }, 'rate_limited', 5],
    ['no credit, as 402', { status: 402 }, 'out_of_credit', 1],
    [
      'no credit, as 429',
      { status: 429, body: { error: { code: 'insufficient_quota', message: 'x' } } },
      'out_of_credit',
      1,
    ],
    ['a refused key', { status: 401 }, 'unauthorized', 1],
    ['a forbidden key', { status: 403 }, 'unauthorized', 1],
    ['a refused request', { status: 400, body: { error: { message: 'bad field' } } }, 'model_refused', 1],
    ['nothing but emptiness', { content: '' }, 'model_unreachable', 3],
    [
      'a server that asks for an hour of patience',
      { status: 429, headers: { 'retry-after': '3600' } },
      'rate_limited',
      1,
    ],
    ['an answer without end', { pieces: Array<string>(30).fill('x'.repeat(100_000)) }, 'model_refused', 1],
  ])('%s ends in one honest line', async (_name, reply, code, requests) => {
    const result = await run([reply])
    expect(result.error).toMatchObject({ type: 'error', code, content: expect.stringMatching(/\.$/) })
    expect(result.reason).toBe('error')
    expect(result.requests).toBe(requests)
  })

  test('the chat goes on after them with a legal history', async () => {
    agent = await startTestAgent({ script: (_call, index) => (index === 0 ? { status: 401 } : { content: 'back' }) })
    await agent.chat('one')
    expect(textsOf(await agent.chat('two'))).toEqual(['back'])
    expect(agent.model.illegal).toEqual([])
  })
})

describe('the limit of steps', () => {
  test('ends with one closing summary without tools', async () => {
    let n = 0
    agent = await startTestAgent({
      env: { MAX_TOOL_ITERATIONS: '3' },
      script: ({ tool_choice }) =>
        tool_choice === 'none'
          ? { content: 'This is what I did.' }
          : { calls: [{ name: 'append', arguments: { path: 'x', line: String(n++) } }] },
    })
    const events = await agent.chat('go')
    expect(textsOf(events)).toEqual(['This is what I did.'])
    expect(reasonOf(events)).toBe('max_iterations')
    expect(agent.model.calls).toHaveLength(4)
    expect(agent.model.calls[3]!.tools).toEqual(agent.model.calls[0]!.tools)
  })

  test('holds for a model that calls tools even then', async () => {
    agent = await startTestAgent({
      env: { MAX_TOOL_ITERATIONS: '2' },
      script: [{ calls: [{ name: 'read_file', arguments: { path: 'x' } }] }],
    })
    const events = await agent.chat('go')
    expect(textsOf(events)[0]).toContain('continue')
    expect(reasonOf(events)).toBe('max_iterations')
  })
})

describe('going round in circles', () => {
  test('the same call with the same result is warned of, then blocked, then ended', async () => {
    agent = await startTestAgent({
      script: ({ tool_choice }) =>
        tool_choice === 'none'
          ? { content: 'I am stuck.' }
          : { calls: [{ name: 'read_file', arguments: { path: 'no' } }] },
    })
    const events = await agent.chat('go')
    expect(agent.tools.calls).toHaveLength(3)
    const results = agent.model.calls
      .at(-1)!
      .messages.filter(({ role }) => role === 'tool')
      .map(({ content }) => content)
    expect(results[2]).toContain('third time')
    expect(results[3]).toContain('Blocked')
    expect(textsOf(events)).toEqual(['I am stuck.'])
  })

  test('two calls in turns are noticed too', async () => {
    agent = await startTestAgent({
      script: ({ tool_choice }, index) =>
        tool_choice === 'none'
          ? { content: 'I am stuck.' }
          : { calls: [{ name: 'read_file', arguments: { path: index % 2 ? 'a' : 'b' } }] },
    })
    await agent.chat('go')
    expect(agent.tools.calls.length).toBeLessThanOrEqual(6)
  })

  test('repeating after something was changed is no circle', async () => {
    agent = await startTestAgent({
      script: (_call, index) =>
        index === 8
          ? { content: 'done' }
          : index % 2
            ? { calls: [{ name: 'read_file', arguments: { path: 'no' } }] }
            : { calls: [{ name: 'append', arguments: { path: 'x', line: `${index}` } }] },
    })
    expect(textsOf(await agent.chat('go'))).toEqual(['done'])
    expect(agent.tools.calls).toHaveLength(8)
  })
})
