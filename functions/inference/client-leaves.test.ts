/** With the Worker's own network, so that both ends see when the other one goes. */
import { once } from 'node:events'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type GatewayHarness, startGateway } from './testing/gateway-harness.ts'
import { beginStream, sendChunk } from './testing/provider.fake.ts'

let gateway: GatewayHarness

beforeAll(async () => {
  gateway = await startGateway({}, { ownNetwork: true })
})
afterAll(() => gateway.close())

const HI = { model: 'qwen3-coder-next', messages: [{ role: 'user' as const, content: 'hi' }] }
const lastSeen = () => gateway.provider.seen.at(-1)

async function newAgent(id: string): Promise<OpenAI> {
  return new OpenAI({ baseURL: gateway.baseUrl, apiKey: await gateway.addAgent({ id }), maxRetries: 0 })
}

const usageIs = (agentId: string, expected: object) =>
  vi.waitFor(async () => expect((await gateway.usageOf(agentId))[0]).toMatchObject(expected), { timeout: 10_000 })

describe('an answer that is not read to its end', () => {
  test('is counted by its words and its prompt, and the provider hears of the leaving', async () => {
    const agent = await newAgent('cut')
    gateway.provider.next((response) => {
      beginStream(response)
      const talking = setInterval(() => sendChunk(response, 'word '), 10)
      response.on('close', () => clearInterval(talking))
    })
    const controller = new AbortController()
    const messages = [{ role: 'user' as const, content: 'x'.repeat(4_000) }]
    const stream = await agent.chat.completions.create({ ...HI, messages, stream: true }, { signal: controller.signal })
    let chunks = 0
    for await (const _ of stream) if (++chunks === 20) controller.abort()
    await lastSeen()?.left
    await usageIs('cut', { requests: 1, completionTokens: expect.toSatisfy((tokens: number) => tokens >= 20) })
    const [row] = await gateway.usageOf('cut')
    expect(row?.promptTokens).toBeGreaterThan(1_000)
  })

  test('is fetched no further than the client reads', async () => {
    const agent = await newAgent('slow')
    let sent = 0
    gateway.provider.next(async (response) => {
      beginStream(response)
      response.setMaxListeners(0)
      // 256 MB, unless somebody stops reading.
      for (; sent < 4_096 && !response.destroyed; sent++) {
        if (!sendChunk(response, 'x'.repeat(65_536)))
          await Promise.race([once(response, 'drain'), once(response, 'close')])
      }
      response.end()
    })
    const controller = new AbortController()
    const stream = await agent.chat.completions.create({ ...HI, stream: true }, { signal: controller.signal })
    const chunks = stream[Symbol.asyncIterator]()
    await chunks.next()
    let before = -1
    // Until nothing moves any more: what was sent by then lies in buffers on the way.
    while (before !== sent) {
      before = sent
      await new Promise((resolve) => setTimeout(resolve, 1_000))
    }
    expect(sent).toBeLessThan(4_096)
    controller.abort()
  })
})

describe('a provider', () => {
  test('that hangs up is told as unreachable', async () => {
    gateway.provider.next(
      (response) => void response.destroy(),
      (response) => void response.destroy(),
    )
    expect(await (await newAgent('alone')).chat.completions.create(HI).catch((error: unknown) => error)).toMatchObject({
      status: 502,
      code: 'provider_unreachable',
    })
  })
})
