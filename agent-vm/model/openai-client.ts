/** The model over HTTP: chat completions as OpenAI defined them, streamed. */
import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import { postRequest, readText } from '../http-request.ts'
import { EventData } from './event-data.ts'
import { classifyHttpFailure, ModelFailure } from './model-failure.ts'
import type { ModelClient, ModelPart, ModelRequest, RawToolCall, Usage } from './model-port.ts'

export interface ModelServer {
  readonly baseUrl: string
  readonly apiKey: string
  /** Until the first part of an answer. */
  readonly firstTokenTimeoutMs: number
  /** Between two parts of an answer. */
  readonly idleTimeoutMs: number
}

const CallPiece = z.object({
  index: z.number().nullish(),
  id: z.string().nullish(),
  function: z.object({ name: z.string().nullish(), arguments: z.string().nullish() }).nullish(),
})
const Delta = z.object({
  content: z.string().nullish(),
  // vLLM says `reasoning_content`, newer versions and gateways `reasoning`.
  reasoning_content: z.string().nullish(),
  reasoning: z.string().nullish(),
  tool_calls: z.array(CallPiece).nullish(),
})
type Delta = z.infer<typeof Delta>
/** A server that counts oddly has answered all the same; what is no count must reach neither the history nor the caller. */
const Count = z.int().min(0).max(1e9).nullish().catch(null)
/** What of a streamed chunk is read. */
const Chunk = z.object({
  choices: z.array(z.object({ delta: Delta.nullish(), finish_reason: z.string().nullish() })).nullish(),
  usage: z
    .object({
      prompt_tokens: Count,
      completion_tokens: Count,
      prompt_tokens_details: z.object({ cached_tokens: Count }).nullish().catch(null),
    })
    .nullish()
    .catch(null),
  error: z.unknown().optional(),
})
type Chunk = z.infer<typeof Chunk>

/** Far beyond any limit we ask for: a server that goes on for ever must not fill our memory. */
const MAX_ANSWER_CHARS = 1_000_000
/** More than any answer holds that was meant. */
const MAX_CALLS = 1000
/** One event: the answer in one piece, escaped. */
const MAX_EVENT_CHARS = 4 * MAX_ANSWER_CHARS
const MAX_ERROR_CHARS = 16_384
const MESSAGES_AT_A_TIME = 32
/** For the bytes that end a stream after its last event. */
const LAST_BYTES_MS = 100

export function createOpenAiClient(server: ModelServer): ModelClient {
  return { stream: (request) => stream(request, server) }
}

async function* stream(request: ModelRequest, server: ModelServer): AsyncGenerator<ModelPart> {
  const watch = watchSilence(request.signal, server)
  let response: IncomingMessage | undefined
  try {
    response = await postRequest({
      url: `${server.baseUrl.replace(/\/$/, '')}/chat/completions`,
      headers: {
        authorization: `Bearer ${server.apiKey}`,
        'content-type': 'application/json',
        accept: 'text/event-stream, application/json',
      },
      body: buildBody(request),
      signal: watch.signal,
    })
    if (response.statusCode !== 200) throw await readRefusal(response)
    yield* readParts(readChunks(response), watch.heard)
  } catch (error) {
    throw explain(error, request.signal, watch.expired())
  } finally {
    watch.end()
    response?.destroy()
  }
}

/**
 * In bytes, some messages at a time: as one string it would take two bytes a character for a single dash, and strings of that
 * size lie about until everything is collected (6 MB after 200 turns).
 */
function buildBody(request: ModelRequest): Buffer {
  const { model, messages, tools, toolChoice, maxTokens } = request
  const rest = JSON.stringify({
    model,
    ...(tools.length > 0 && {
      tools: tools.map(({ name, description, parameters }) => ({
        type: 'function' as const,
        function: { name, description, parameters },
      })),
      tool_choice: toolChoice,
    }),
    max_tokens: maxTokens,
    stream: true,
    stream_options: { include_usage: true },
  })
  const pieces = [Buffer.from(`${rest.slice(0, -1)},"messages":[`)]
  for (let start = 0; start < messages.length; start += MESSAGES_AT_A_TIME) {
    const some = JSON.stringify(messages.slice(start, start + MESSAGES_AT_A_TIME)).slice(1, -1)
    pieces.push(Buffer.from(start === 0 ? some : `,${some}`))
  }
  return Buffer.concat([...pieces, Buffer.from(']}')])
}

async function readRefusal(response: IncomingMessage): Promise<ModelFailure> {
  const { text } = await readText(response, MAX_ERROR_CHARS)
  const retryAfter = response.headers['retry-after']
  return classifyHttpFailure({ status: response.statusCode ?? 0, text, retryAfter })
}

async function* readChunks(response: IncomingMessage): AsyncGenerator<Chunk> {
  const events = new EventData()
  let patience: NodeJS.Timeout | undefined
  response.setEncoding('utf8')
  try {
    for await (const text of response) {
      // Read to its end after the last event, so that the connection can be used again.
      if (patience) continue
      for (const data of events.add(String(text))) {
        if (data.startsWith('[DONE]')) patience ??= setTimeout(() => response.destroy(), LAST_BYTES_MS)
        else if (!patience) yield parseChunk(data)
      }
      if (events.waitingChars > MAX_EVENT_CHARS) throw endless()
    }
    if (!patience) for (const data of events.end()) if (!data.startsWith('[DONE]')) yield parseChunk(data)
  } catch (error) {
    if (!patience) throw error
  } finally {
    clearTimeout(patience)
  }
}

function parseChunk(data: string): Chunk {
  const chunk = Chunk.parse(JSON.parse(data))
  if (!chunk.error) return chunk
  // An error inside a stream that began with 200 has no status: its text decides.
  const text = JSON.stringify(chunk.error)
  const status = /"(?:code|status)":\s*"?(\d{3})\b/.exec(text)?.[1]
  throw status
    ? classifyHttpFailure({ status: Number(status), text })
    : new ModelFailure('transient', `the model server broke off: ${text.slice(0, 500)}`)
}

async function* readParts(chunks: AsyncIterable<Chunk>, heard: () => void): AsyncGenerator<ModelPart> {
  const calls: { id: string; name: string; arguments: string }[] = []
  const open = new Map<number, { id: string; name: string; arguments: string }>()
  let finish: string | undefined
  let usage: Usage | undefined
  let chars = 0
  for await (const chunk of chunks) {
    const size = sizeOf(chunk)
    // Chunks without content are how gateways keep a connection open: they are no sign that an answer comes.
    if (size > 0 || chunk.usage || chunk.choices?.[0]?.finish_reason) heard()
    chars += size
    if (chars > MAX_ANSWER_CHARS) throw endless()
    // Without the prompt's it says nothing about how full the model is.
    if (chunk.usage?.prompt_tokens) {
      usage = {
        promptTokens: chunk.usage.prompt_tokens,
        cachedTokens: chunk.usage.prompt_tokens_details?.cached_tokens ?? 0,
        completionTokens: chunk.usage.completion_tokens ?? 0,
      }
    }
    const choice = chunk.choices?.[0]
    if (!choice) continue
    const reasoning = readReasoning(choice.delta)
    if (reasoning) yield { kind: 'reasoning', text: reasoning }
    if (choice.delta?.content) yield { kind: 'content', text: choice.delta.content }
    for (const piece of choice.delta?.tool_calls ?? []) addCallPiece(piece, calls, open)
    if (calls.length > MAX_CALLS) throw endless()
    finish = choice.finish_reason ?? finish
  }
  // Servers end a broken generation by closing the stream: without a reason it was not an end.
  if (!finish) throw new ModelFailure('transient', 'the model stream ended without a finish reason')
  yield { kind: 'end', finish: readFinish(finish), calls: calls as RawToolCall[], ...(usage && { usage }) }
}

/** What a chunk adds to the answer, in characters. */
function sizeOf(chunk: Chunk): number {
  const delta = chunk.choices?.[0]?.delta
  const calls = delta?.tool_calls ?? []
  const inCalls = calls.reduce(
    (sum, { function: piece }) => sum + (piece?.name?.length ?? 0) + (piece?.arguments?.length ?? 0),
    0,
  )
  return inCalls + (delta?.content?.length ?? 0) + (readReasoning(delta)?.length ?? 0)
}

/** Some servers send every call under index 0: a new id with a name begins a new call. */
function addCallPiece(
  piece: z.infer<typeof CallPiece>,
  calls: { id: string; name: string; arguments: string }[],
  open: Map<number, { id: string; name: string; arguments: string }>,
): void {
  const index = piece.index ?? 0
  let call = open.get(index)
  const startsAnother = call && piece.id && piece.id !== call.id && piece.function?.name
  if (!call || startsAnother) {
    call = { id: piece.id ?? '', name: '', arguments: '' }
    open.set(index, call)
    calls.push(call)
  }
  call.id ||= piece.id ?? ''
  // A few servers repeat the whole name in every piece.
  if (piece.function?.name && call.name !== piece.function.name) call.name += piece.function.name
  call.arguments += piece.function?.arguments ?? ''
}

function readReasoning(delta: Delta | null | undefined): string | undefined {
  return delta?.reasoning_content ?? delta?.reasoning ?? undefined
}

function endless(): ModelFailure {
  return new ModelFailure('refused', 'the model server sends an answer without end')
}

function readFinish(reason: string): 'stop' | 'length' | 'tool_calls' {
  return reason === 'length' || reason === 'tool_calls' ? reason : 'stop'
}

function watchSilence(stop: AbortSignal, server: ModelServer) {
  const controller = new AbortController()
  let expired: string | undefined
  const expire = (what: string) => () => {
    expired = what
    controller.abort()
  }
  let timer = setTimeout(expire('no first token'), server.firstTokenTimeoutMs)
  const onStop = () => controller.abort()
  if (stop.aborted) onStop()
  stop.addEventListener('abort', onStop, { once: true })
  return {
    signal: controller.signal,
    heard: () => {
      clearTimeout(timer)
      timer = setTimeout(expire('the stream fell silent'), server.idleTimeoutMs)
    },
    expired: () => expired,
    end: () => {
      clearTimeout(timer)
      stop.removeEventListener('abort', onStop)
    },
  }
}

function explain(error: unknown, stop: AbortSignal, expired: string | undefined): ModelFailure {
  if (stop.aborted) return new ModelFailure('stopped', 'stopped', { cause: error })
  if (expired) return new ModelFailure('transient', `time-out: ${expired}`, { cause: error })
  if (error instanceof ModelFailure) return error
  const isGarbled = error instanceof SyntaxError || error instanceof z.ZodError
  const what = isGarbled ? 'the model server sent what is no answer' : 'no connection to the model server'
  return new ModelFailure('transient', what, { cause: error })
}
