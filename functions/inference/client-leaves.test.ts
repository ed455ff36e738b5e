/** With the Worker's own network, so that both ends see when the other one goes. */
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
  test('of a cut stream is counted by its events and its prompt, and the provider hears of the leaving', async () => {
    const agent = await newAgent('cut')
    gateway.provider.next((response) => {
      beginStream(response)
      for (let index = 0; index < 20; index++) sendChunk(response, `word${index} `)
    })
    const controller = new AbortController()
    const messages = [{ role: 'user' as const, content: 'x'.repeat(4_000) }]
    const stream = await agent.chat.completions.create({ ...HI, messages, stream: true }, { signal: controller.signal })
    let chunks = 0
    for await (const _ of stream) if (++chunks === 20) controller.abort()
    await lastSeen()?.left
    await usageIs('cut', { requests: 1, completionTokens: 20 })
    const [row] = await gateway.usageOf('cut')
    expect(row?.promptTokens).toBeGreaterThan(1_000)
  })

  test('ends at the provider when the client leaves before the first word', async () => {
    const agent = await newAgent('impatient')
    const { promise: asked, resolve } = Promise.withResolvers<void>()
    gateway.provider.next(() => resolve())
    const controller = new AbortController()
    const request = agent.chat.completions.create({ ...HI, stream: true }, { signal: controller.signal })
    await asked
    controller.abort()
    await expect(request).rejects.toThrow()
    await lastSeen()?.left
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
