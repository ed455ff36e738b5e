/** The model behind an OpenAI-compatible server, through the `openai` package. */
import type { OpenAI } from 'openai'
import type { ChatCompletionChunk, ChatCompletionCreateParamsStreaming } from 'openai/resources/chat/completions'
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

type Sdk = { readonly client: OpenAI; readonly ApiError: typeof import('openai').APIError }

export function createOpenAiClient(server: ModelServer): ModelClient {
  let loading: Promise<Sdk> | undefined
  const load = () => {
    loading ??= loadSdk(server)
    return loading
  }
  return { stream: (request) => stream(request, load, server) }
}

/** Imported with the first request: it costs a third of a cold start and memory that an idle agent does not need. */
async function loadSdk({ baseUrl, apiKey }: ModelServer): Promise<Sdk> {
  const { OpenAI, APIError } = await import('openai')
  return { client: new OpenAI({ baseURL: baseUrl, apiKey, maxRetries: 0, logLevel: 'off' }), ApiError: APIError }
}

async function* stream(
  request: ModelRequest,
  load: () => Promise<Sdk>,
  server: ModelServer,
): AsyncGenerator<ModelPart> {
  const sdk = await load()
  const watch = watchSilence(request.signal, server)
  try {
    const chunks = await sdk.client.chat.completions.create(buildBody(request), {
      signal: watch.signal,
      timeout: server.firstTokenTimeoutMs + 1000,
    })
    yield* readChunks(chunks, watch.heard)
  } catch (error) {
    throw explain(error, sdk, request.signal, watch.expired())
  } finally {
    watch.end()
  }
}

function buildBody(request: ModelRequest): ChatCompletionCreateParamsStreaming {
  return {
    model: request.model,
    messages: [...request.messages],
    ...(request.tools.length > 0 && {
      tools: request.tools.map(({ name, description, parameters }) => ({
        type: 'function' as const,
        function: { name, description, parameters },
      })),
      tool_choice: request.toolChoice,
    }),
    max_tokens: request.maxTokens,
    stream: true,
    stream_options: { include_usage: true },
  }
}

/** Far beyond any limit we ask for: a server that goes on for ever must not fill our memory. */
const MAX_ANSWER_CHARS = 1_000_000

async function* readChunks(chunks: AsyncIterable<ChatCompletionChunk>, heard: () => void): AsyncGenerator<ModelPart> {
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
    if (chars > MAX_ANSWER_CHARS) throw new ModelFailure('refused', 'the model server sends an answer without end')
    if (chunk.usage) {
      usage = {
        promptTokens: chunk.usage.prompt_tokens ?? 0,
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
    finish = choice.finish_reason ?? finish
  }
  // Servers end a broken generation by closing the stream: without a reason it was not an end.
  if (!finish) throw new ModelFailure('transient', 'the model stream ended without a finish reason')
  yield { kind: 'end', finish: readFinish(finish), calls: calls as RawToolCall[], ...(usage && { usage }) }
}

/** What a chunk adds to the answer, in characters. */
function sizeOf(chunk: ChatCompletionChunk): number {
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
  piece: ChatCompletionChunk.Choice.Delta.ToolCall,
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

/** vLLM says `reasoning_content`, newer versions and gateways `reasoning`; the package's types know neither. */
function readReasoning(delta: unknown): string | undefined {
  if (typeof delta !== 'object' || delta === null) return undefined
  if ('reasoning_content' in delta && typeof delta.reasoning_content === 'string') return delta.reasoning_content
  if ('reasoning' in delta && typeof delta.reasoning === 'string') return delta.reasoning
  return undefined
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

function explain(error: unknown, { ApiError }: Sdk, stop: AbortSignal, expired: string | undefined): ModelFailure {
  // First, because the package ends an aborted stream as if it were complete.
  if (stop.aborted) return new ModelFailure('stopped', 'stopped', { cause: error })
  if (expired) return new ModelFailure('transient', `time-out: ${expired}`, { cause: error })
  if (error instanceof ModelFailure) return error
  if (error instanceof ApiError) {
    const body = `${error.message} ${JSON.stringify(error.error ?? '')} ${error.code ?? ''}`
    // An error event inside a stream that began with 200 has no status: its text decides, and 500 is the default.
    const status = error.status ?? statusFromText(body)
    if (status !== undefined) {
      return classifyHttpFailure({ status, text: body, retryAfter: error.headers?.get('retry-after'), cause: error })
    }
  }
  return new ModelFailure('transient', 'no connection to the model server', { cause: error })
}

function statusFromText(body: string): number | undefined {
  const code = /"(?:code|status)":\s*"?(\d{3})\b/.exec(body)?.[1]
  return code ? Number(code) : undefined
}
