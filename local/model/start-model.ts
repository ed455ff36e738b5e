/**
 * An OpenAI-compatible model server with a scripted brain: streams token by token, reports usage with cached tokens, and
 * refuses what the real servers refuse.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import { type BrainReply, refuses, think } from './brain.ts'
import { ChatRequest, findIllegalOrder } from './chat-request.ts'
import { createPrefixCache } from './prefix-cache.ts'

/** Also the models Baal offers: a name that the real service does not know is refused here, too. */
const MODELS: Readonly<Record<string, number>> = { 'qwen3-coder-next': 98_304, 'glm-4.7': 131_072 }
/** Roughly what a person sees from a real server. */
const DEFAULT_TOKEN_DELAY_MS = 18
const DEFAULT_FIRST_TOKEN_DELAY_MS = 250
const CHARS_PER_TOKEN = 4

export interface ModelOptions {
  readonly port: number
  /** The key that callers must show. Without it any key will do. */
  readonly key?: string | undefined
  readonly tokenDelayMs?: number
  readonly firstTokenDelayMs?: number
  /** Told when the first words of an answer are on their way, so that a bench can count from there. */
  readonly onFirstWords?: () => void
  /** What the key's account has left. */
  readonly balance?: number
}

export interface Model {
  readonly url: string
  close(): Promise<void>
}

export async function startModel(options: ModelOptions): Promise<Model> {
  const app = modelApp(options)
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const server = serve({ fetch: app.fetch, port: options.port, hostname: '127.0.0.1' }, (info) => resolve(info.port))
  server.once('error', reject)
  const port = await promise
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        if ('closeAllConnections' in server) server.closeAllConnections()
      }),
  }
}

function modelApp({
  key,
  tokenDelayMs = DEFAULT_TOKEN_DELAY_MS,
  firstTokenDelayMs = DEFAULT_FIRST_TOKEN_DELAY_MS,
  onFirstWords,
  balance = 100,
}: ModelOptions): Hono {
  const cache = createPrefixCache()
  const app = new Hono()

  app.use('*', async (c, next) => {
    const given = c.req.header('authorization')?.replace(/^Bearer /i, '')
    if (!given || (key !== undefined && given !== key))
      return c.json(failure('Incorrect API key provided.', 'invalid_api_key'), 401)
    return next()
  })
  app.get('/v1/models', (c) =>
    c.json({
      object: 'list',
      data: Object.keys(MODELS).map((id) => ({ id, object: 'model', created: 0, owned_by: 'baal' })),
    }),
  )
  app.get('/credits/balance', (c) => c.json({ balance }))
  app.get('/v1/credits/balance', (c) => c.json({ balance }))

  app.post('/v1/chat/completions', async (c) => {
    const parsed = ChatRequest.safeParse(await c.req.json().catch(() => undefined))
    if (!parsed.success) return c.json(failure(parsed.error.issues[0]?.message ?? 'Invalid request.'), 400)
    const request = parsed.data
    const limit = MODELS[request.model]
    if (limit === undefined)
      return c.json(failure(`The model \`${request.model}\` does not exist.`, 'model_not_found'), 404)
    const illegal = findIllegalOrder(request.messages)
    if (illegal) return c.json(failure(illegal), 400)
    const prompt = JSON.stringify([request.tools ?? [], request.messages])
    const promptTokens = Math.ceil(prompt.length / CHARS_PER_TOKEN)
    if (promptTokens > limit) {
      const message = `This model's maximum context length is ${limit} tokens. However, your request has ${promptTokens} input tokens.`
      return c.json(failure(message, 'context_length_exceeded'), 400)
    }
    if (refuses(request.messages)) return c.json(failure('This request was refused, as was asked for.'), 400)
    const reply = think(request.messages, request.tools ?? [])
    const cachedTokens = Math.floor(cache.commonPrefix(c.req.header('authorization') ?? '', prompt) / CHARS_PER_TOKEN)
    const usage = usageOf(promptTokens, cachedTokens, reply)
    const head = { id: `chatcmpl-${randomUUID()}`, created: Math.floor(Date.now() / 1000), model: request.model }
    if (!request.stream) return c.json({ ...head, object: 'chat.completion', choices: [wholeChoice(reply)], usage })
    return streamSSE(c, async (stream) => {
      const send = (choices: unknown[], extra: Record<string, unknown> = {}) =>
        stream.writeSSE({ data: JSON.stringify({ ...head, object: 'chat.completion.chunk', choices, ...extra }) })
      await pause(firstTokenDelayMs)
      if (reply.text) onFirstWords?.()
      for (const delta of deltasOf(reply)) {
        if (stream.aborted) return
        await send([{ index: 0, delta, finish_reason: null }])
        if (tokenDelayMs > 0) await pause(tokenDelayMs)
      }
      await send([{ index: 0, delta: {}, finish_reason: finishReason(reply) }])
      if (request.stream_options?.include_usage) await send([], { usage })
      await stream.writeSSE({ data: '[DONE]' })
    })
  })
  app.notFound((c) => c.json(failure('Not Found'), 404))
  return app
}

function* deltasOf(reply: BrainReply): Generator<Record<string, unknown>> {
  yield { role: 'assistant', content: '' }
  for (const token of reply.text.match(/\s*\S{1,8}|\s+/gu) ?? []) yield { content: token }
  for (const [index, { name, input }] of reply.toolCalls.entries()) {
    yield { tool_calls: [{ index, id: `call_${randomUUID()}`, type: 'function', function: { name, arguments: '' } }] }
    for (const part of JSON.stringify(input).match(/[\s\S]{1,24}/gu) ?? []) {
      yield { tool_calls: [{ index, function: { arguments: part } }] }
    }
  }
}

function wholeChoice(reply: BrainReply) {
  const tool_calls = reply.toolCalls.map(({ name, input }) => ({
    id: `call_${randomUUID()}`,
    type: 'function',
    function: { name, arguments: JSON.stringify(input) },
  }))
  const message = { role: 'assistant', content: reply.text || null, ...(tool_calls.length > 0 ? { tool_calls } : {}) }
  return { index: 0, message, finish_reason: finishReason(reply) }
}

function finishReason(reply: BrainReply): 'tool_calls' | 'stop' {
  return reply.toolCalls.length > 0 ? 'tool_calls' : 'stop'
}

function usageOf(promptTokens: number, cachedTokens: number, reply: BrainReply) {
  const completion = Math.ceil((reply.text.length + JSON.stringify(reply.toolCalls).length) / CHARS_PER_TOKEN)
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completion,
    total_tokens: promptTokens + completion,
    prompt_tokens_details: { cached_tokens: cachedTokens },
  }
}

function failure(message: string, code = 'invalid_request_error') {
  return { error: { message, type: 'invalid_request_error', code } }
}
