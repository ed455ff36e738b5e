/**
 * An OpenAI-compatible model server that follows a script, and refuses an illegal history with 400 as vLLM does. Real HTTP, so
 * that what is tested includes the client.
 */
import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { z } from 'zod'
import { findIllegality } from './history-rules.fake.ts'

const Body = z.looseObject({
  model: z.string(),
  messages: z.array(z.looseObject({ role: z.string(), content: z.unknown().optional() })),
  tools: z.array(z.looseObject({ function: z.looseObject({ name: z.string() }) })).optional(),
  tool_choice: z.string().optional(),
  max_tokens: z.int().optional(),
})
export type ModelCall = z.infer<typeof Body> & { readonly raw: string }

export interface FakeCall {
  readonly id?: string
  readonly name: string
  /** An object, or text that is sent as it is. */
  readonly arguments: unknown
}

/** What one request is answered with. */
export interface Reply {
  readonly content?: string
  /** Sent piece by piece instead of `content`. */
  readonly pieces?: readonly string[]
  readonly reasoning?: string
  readonly calls?: readonly FakeCall[]
  readonly finish?: 'stop' | 'length' | 'tool_calls'
  readonly usage?: { prompt: number; cached?: number; completion?: number } | false
  /** Milliseconds before the first byte, and between pieces. */
  readonly delayMs?: number
  readonly pauseMs?: number
  /** Instead of an answer. */
  readonly status?: number
  readonly headers?: Record<string, string>
  readonly body?: unknown
  /** The connection is cut after so many pieces. */
  readonly cutAfter?: number
  /** So many chunks without content, 20 ms apart, after the content and before the end. */
  readonly emptyChunks?: number
  /** Never answers: for time-outs and stops. */
  readonly hang?: boolean
}

export type Script = (call: ModelCall, index: number) => Reply | Promise<Reply>

export interface FakeModel {
  readonly url: string
  readonly calls: ModelCall[]
  /** Histories that were refused, with the reason. */
  readonly illegal: string[]
  script: Script
  /** When so many requests have come in. */
  called(count: number): Promise<void>
  close(): Promise<void>
}

export async function startFakeModel(script: Script | readonly Reply[]): Promise<FakeModel> {
  const asked = new EventEmitter()
  const fake = { calls: [] as ModelCall[], illegal: [] as string[], script: toScript(script), url: '', asked }
  const server = createServer((request, response) => {
    answer(request, response, fake).catch(() => response.destroy())
  })
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  fake.url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/v1`
  const called = async (count: number) => {
    while (fake.calls.length < count) await once(asked, 'call')
  }
  return Object.assign(fake, { called, close: () => close(server) })
}

/** A list is answered in order; its last entry for ever after. */
function toScript(script: Script | readonly Reply[]): Script {
  if (typeof script === 'function') return script
  return (_call, index) => script[Math.min(index, script.length - 1)] ?? { content: 'ok' }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  fake: { calls: ModelCall[]; illegal: string[]; script: Script; asked: EventEmitter },
): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const raw = Buffer.concat(chunks).toString('utf8')
  const call = { ...Body.parse(JSON.parse(raw)), raw }
  fake.calls.push(call)
  fake.asked.emit('call')
  const illegality = findIllegality(call.messages)
  if (illegality) {
    fake.illegal.push(illegality)
    return refuse(response, 400, { error: { message: illegality, type: 'BadRequestError', code: 400 } })
  }
  const reply = await fake.script(call, fake.calls.length - 1)
  if (reply.delayMs) await pause(reply.delayMs)
  if (reply.hang) return
  if (reply.status)
    return refuse(response, reply.status, reply.body ?? { error: { message: 'scripted' } }, reply.headers)
  await stream(response, reply, raw)
}

function refuse(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

async function stream(response: ServerResponse, reply: Reply, raw: string): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const send = (delta: unknown, finish: string | null = null) =>
    response.write(
      `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`,
    )
  if (reply.reasoning) send({ reasoning_content: reply.reasoning })
  const pieces = reply.pieces ?? (reply.content ? [reply.content] : [])
  for (const [index, content] of pieces.entries()) {
    if (reply.cutAfter === index) return void response.destroy()
    send({ content })
    if (reply.pauseMs) await pause(reply.pauseMs)
  }
  if (reply.cutAfter !== undefined) return void response.destroy()
  for (let chunk = 0; chunk < (reply.emptyChunks ?? 0); chunk++) {
    send({ role: 'assistant', content: '' })
    await pause(20)
  }
  for (const [index, call] of (reply.calls ?? []).entries()) sendCall(send, call, index)
  send({}, reply.finish ?? (reply.calls ? 'tool_calls' : 'stop'))
  if (reply.usage !== false) {
    const { prompt = Math.ceil(raw.length / 4), cached = 0, completion = 5 } = reply.usage ?? {}
    const usage = {
      prompt_tokens: prompt,
      completion_tokens: completion,
      prompt_tokens_details: { cached_tokens: cached },
    }
    response.write(`data: ${JSON.stringify({ id: 'x', choices: [], usage })}\n\n`)
  }
  response.end('data: [DONE]\n\n')
}

/** In two pieces, as servers stream them. */
function sendCall(send: (delta: unknown) => void, call: FakeCall, index: number): void {
  const text = typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments)
  const half = Math.floor(text.length / 2)
  const id = call.id ?? `call_${Math.random().toString(36).slice(2, 12)}`
  send({ tool_calls: [{ index, id, type: 'function', function: { name: call.name, arguments: text.slice(0, half) } }] })
  send({ tool_calls: [{ index, function: { arguments: text.slice(half) } }] })
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
