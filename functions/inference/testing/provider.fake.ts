/** A model provider that does what a test tells it to, and remembers what it was asked and who left. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

export interface SeenRequest {
  readonly path: string
  readonly authorization: string | undefined
  // biome-ignore lint/suspicious/noExplicitAny: read by tests, field by field
  readonly body: any
  /** Resolves when the caller leaves before the end. */
  readonly left: Promise<void>
}

export type Behaviour = (response: ServerResponse, seen: SeenRequest) => void | Promise<void>

export interface FakeProvider {
  readonly url: string
  readonly seen: SeenRequest[]
  /** What happens to the next request; without it, `words`. */
  next(...behaviours: Behaviour[]): void
  close(): Promise<void>
}

export const USAGE = {
  prompt_tokens: 1000,
  completion_tokens: 3,
  total_tokens: 1003,
  prompt_tokens_details: { cached_tokens: 900 },
}

export async function startFakeProvider(): Promise<FakeProvider> {
  const seen: SeenRequest[] = []
  const planned: Behaviour[] = []
  const server = createServer(async (request, response) => {
    const { promise: left, resolve } = Promise.withResolvers<void>()
    response.on('close', () => {
      if (!response.writableFinished) resolve()
    })
    const body = await readBody(request)
    const entry = { path: request.url ?? '', authorization: request.headers.authorization, body, left }
    seen.push(entry)
    await (planned.shift() ?? words('one ', 'two ', 'three'))(response, entry)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    seen,
    next: (...behaviours) => void planned.push(...behaviours),
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A whole answer, as it is asked for: streamed or not. */
export function words(...pieces: string[]): Behaviour {
  return (response, { body }) => {
    if (!body.stream)
      return answer(200, {
        choices: [{ index: 0, message: { role: 'assistant', content: pieces.join('') }, finish_reason: 'stop' }],
        usage: USAGE,
      })(response, { body } as SeenRequest)
    beginStream(response)
    for (const piece of pieces) sendChunk(response, piece)
    endStream(response, body.stream_options?.include_usage)
  }
}

export function answer(status: number, body: unknown, headers: Record<string, string> = {}): Behaviour {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }
}

export function beginStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.flushHeaders()
}

export function sendChunk(response: ServerResponse, content: string): boolean {
  return send(response, { choices: [{ index: 0, delta: { content }, finish_reason: null }] })
}

export function endStream(response: ServerResponse, withUsage: boolean): void {
  send(response, { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })
  if (withUsage) send(response, { choices: [], usage: USAGE })
  response.end('data: [DONE]\n\n')
}

function send(response: ServerResponse, fields: object): boolean {
  const chunk = { id: 'c', object: 'chat.completion.chunk', created: 0, model: 'm', ...fields }
  return response.write(`data: ${JSON.stringify(chunk)}\n\n`)
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text ? JSON.parse(text) : undefined
}
