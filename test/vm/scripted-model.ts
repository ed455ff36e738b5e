/**
 * A model that does what it is told: `bash: <command>` becomes a call of the bash tool, its result is answered with "done",
 * anything else is echoed. Keeps every request, so that a test can see what the agent sent and what its tools returned.
 */
import { createServer, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { z } from 'zod'

const Request = z.object({ messages: z.array(z.object({ role: z.string(), content: z.unknown() }).loose()) })
type Message = z.infer<typeof Request>['messages'][number]

export interface ScriptedModel {
  readonly port: number
  readonly keys: Set<string>
  systemPrompt(): string
  /** All that the agent sent last. */
  everything(): string
  close(): void
}

export async function startScriptedModel(): Promise<ScriptedModel> {
  let messages: readonly Message[] = []
  const keys = new Set<string>()
  const server = createServer(async (request, response) => {
    const body = await text(request)
    if (request.method !== 'POST' || !request.url?.endsWith('/chat/completions')) {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":[]}')
      return
    }
    keys.add(request.headers.authorization ?? '')
    messages = Request.parse(JSON.parse(body)).messages
    answer(messages, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const content = (role: string) => contentOf(messages.findLast((message) => message.role === role))
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    keys,
    systemPrompt: () => content('system'),
    everything: () => JSON.stringify(messages),
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

function answer(messages: readonly Message[], response: ServerResponse): void {
  const last = messages.at(-1)
  const command = /bash: ([\s\S]+)/.exec(contentOf(last))?.[1]
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const send = (delta: object, finish: string | null = null) =>
    response.write(
      `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 0, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`,
    )
  if (last?.role === 'user' && command) {
    const call = { name: 'bash', arguments: JSON.stringify({ command: command.trim() }) }
    send({ role: 'assistant', tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: call }] })
    send({}, 'tool_calls')
  } else {
    send({ role: 'assistant', content: last?.role === 'tool' ? 'done' : 'hello from the model' })
    send({}, 'stop')
  }
  response.end('data: [DONE]\n\n')
}

function contentOf(message: Message | undefined): string {
  const content = message?.content
  return typeof content === 'string' ? content : JSON.stringify(content ?? '')
}
