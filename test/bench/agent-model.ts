/**
 * A model server without delay for the agent bench: a message `call <tool> <json>` is answered by that call and then by a
 * fixed answer, everything else by the answer at once. It remembers what it was sent, to tell how much of a request repeats
 * the one before it.
 */
import { createServer, type ServerResponse } from 'node:http'
import { z } from 'zod'

const ANSWER = 'Here is a short answer of the usual length, streamed in pieces as a model streams it.'
const PIECES = ANSWER.split(/(?<= )/)
export const ANSWER_END = PIECES.at(-1)

const Body = z.looseObject({
  stream: z.boolean().default(false),
  messages: z.array(z.unknown()),
  tools: z.unknown().optional(),
})

const Message = z.looseObject({ role: z.string(), content: z.unknown() })

export interface BenchModel {
  /** With `/v1`. */
  readonly url: string
  /** What was sent since the last look, as a chat template lays it out: tools first, then the messages. */
  takePrompts(): string[]
  close(): void
}

export async function startBenchModel(): Promise<BenchModel> {
  let bodies: string[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString('utf8')
    // Laid out when somebody asks: what is done here with a long prompt would be a delay of ours in every figure.
    bodies.push(text)
    const body = Body.parse(JSON.parse(text))
    const call = callOf(body.messages.at(-1))
    if (body.stream) stream(response, call)
    else response.end(JSON.stringify({ choices: [{ index: 0, ...choice(call, 'message') }], usage: USAGE }))
  })
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/v1`,
    takePrompts: () => {
      const taken = bodies
      bodies = []
      return taken.map(layOut)
    },
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

type Call = { readonly name: string; readonly arguments: string }
const USAGE = { prompt_tokens: 1000, completion_tokens: 20, prompt_tokens_details: { cached_tokens: 0 } }

function layOut(text: string): string {
  const { tools, messages } = Body.parse(JSON.parse(text))
  return JSON.stringify([tools, ...messages]).slice(0, -1)
}

function callOf(message: unknown): Call | undefined {
  const last = Message.parse(message)
  if (last.role !== 'user') return undefined
  const wanted = /(?:^|\n)call (\w+) (\{.*\})$/.exec(String(last.content))
  return wanted?.[1] && wanted[2] ? { name: wanted[1], arguments: wanted[2] } : undefined
}

function choice(call: Call | undefined, key: 'message' | 'delta') {
  if (!call) return { [key]: { role: 'assistant', content: ANSWER }, finish_reason: 'stop' }
  const tool_calls = [{ index: 0, id: `call_${Date.now().toString(36)}`, type: 'function', function: call }]
  return { [key]: { role: 'assistant', content: null, tool_calls }, finish_reason: 'tool_calls' }
}

function stream(response: ServerResponse, call: Call | undefined): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const send = (data: unknown) => response.write(`data: ${JSON.stringify(data)}\n\n`)
  if (call) send({ id: 'x', choices: [{ index: 0, ...choice(call, 'delta') }] })
  else {
    for (const content of PIECES) send({ id: 'x', choices: [{ index: 0, delta: { content }, finish_reason: null }] })
    send({ id: 'x', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })
  }
  send({ id: 'x', choices: [], usage: USAGE })
  response.end('data: [DONE]\n\n')
}
