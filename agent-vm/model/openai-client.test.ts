/** The client against servers that speak badly: what the scripted model server cannot do, because it speaks well. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as nextTick } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import type { ModelPart, ModelRequest } from './model-port.ts'
import { createOpenAiClient } from './openai-client.ts'

type Answer = (response: ServerResponse, request: IncomingMessage, index: number) => void | Promise<void>

async function startServer(answer: Answer) {
  const asked: IncomingMessage[] = []
  const server = createServer((request, response) => {
    request.resume()
    asked.push(request)
    void answer(response, request, asked.length - 1)
  })
  let connections = 0
  server.on('connection', () => connections++)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const client = createOpenAiClient({
    baseUrl: `http://127.0.0.1:${port}/v1/`,
    apiKey: 'key',
    firstTokenTimeoutMs: 20_000,
    idleTimeoutMs: 20_000,
  })
  const ask = (
    signal = new AbortController().signal,
    { messages = [], tools = [] }: Partial<Pick<ModelRequest, 'messages' | 'tools'>> = {},
  ): Promise<ModelPart[]> =>
    Array.fromAsync(client.stream({ model: 'm', messages, tools, toolChoice: 'auto', maxTokens: 9, signal }))
  return { ask, asked, connections: () => connections }
}

const chunk = (delta: unknown, finish: string | null = null) =>
  JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })
const textOf = (parts: readonly ModelPart[]) => parts.map((part) => (part.kind === 'content' ? part.text : '')).join('')

const ODD = [
  ': keep-alive\r\n\r\n',
  `event: message\r\ndata:${chunk({ content: 'grüße ' })}\r\n\r\n`,
  `data: ${chunk({ content: '🧩' })}\r\r`,
  'id: 7\nretry: 1\n\n',
  'data: {"choices": [{"delta":\ndata: {"content": " two lines"}}]}\n\n',
  'data: {"choices": null, "usage": {"prompt_tokens": null, "prompt_tokens_details": null}}\n\n',
  // The blank line after the last event never comes.
  `data: ${chunk({}, 'stop')}`,
].join('')

test.each([1, 2, 3, 7, 10_000])('an odd but legal stream is understood in pieces of %d bytes', async (size) => {
  const { ask } = await startServer(async (response) => {
    const bytes = Buffer.from(ODD)
    for (let at = 0; at < bytes.length; at += size) {
      response.write(bytes.subarray(at, at + size))
      await nextTick()
    }
    response.end()
  })
  expect(textOf(await ask())).toBe('grüße 🧩 two lines')
})

test('the next request goes over the same connection', async () => {
  const { ask, connections } = await startServer((response) => {
    response.end(`data: ${chunk({ content: 'hi' }, 'stop')}\n\ndata: [DONE]\n\n`)
  })
  for (let turn = 0; turn < 3; turn++) await ask()
  expect(connections()).toBe(1)
})

test('a kept connection that the server has given up is replaced at once', async () => {
  const { ask, asked } = await startServer((response, request, index) => {
    if (index === 1) request.socket.destroy()
    else response.end(`data: ${chunk({ content: `answer ${index}` }, 'stop')}\n\ndata: [DONE]\n\n`)
  })
  expect(textOf(await ask())).toBe('answer 0')
  expect(textOf(await ask())).toBe('answer 2')
  expect(asked).toHaveLength(3)
})

test('a new connection that breaks is a failure, not asked again here', async () => {
  const { ask, asked } = await startServer((_response, request) => {
    request.socket.destroy()
  })
  await expect(ask()).rejects.toMatchObject({ kind: 'transient' })
  expect(asked).toHaveLength(1)
})

test('an answer is over when it says so, though the connection stays open', async () => {
  const { ask } = await startServer((response) => {
    response.write(`data: ${chunk({ content: 'all' }, 'stop')}\n\ndata: [DONE]\n\n`)
  })
  expect(textOf(await ask())).toBe('all')
})

test('a stop closes the connection', async () => {
  const gone = Promise.withResolvers<void>()
  const stop = new AbortController()
  const { ask } = await startServer((response) => {
    response.once('close', gone.resolve)
    response.write(`data: ${chunk({ content: 'par' })}\n\n`)
    stop.abort()
  })
  await expect(ask(stop.signal)).rejects.toMatchObject({ kind: 'stopped' })
  await gone.promise
})

test.each([
  [
    'an error event that names its status',
    'data: {"error": {"message": "slow down", "code": 429}}\n\n',
    'rate_limited',
  ],
  [
    'an error event about the length',
    'data: {"error": {"message": "maximum context length is 4096", "code": 400}}\n\n',
    'overflow',
  ],
  ['an error event without a status', 'data: {"error": {"message": "oops"}}\n\n', 'transient'],
  ['what is no JSON', 'data: {"choices": [\n\n', 'transient'],
  ['what has another shape', 'data: {"choices": [{"delta": {"content": 5}}]}\n\n', 'transient'],
  ['an end without a reason', `data: ${chunk({ content: 'x' })}\n\ndata: [DONE]\n\n`, 'transient'],
  ['a whole answer that is no stream', '{"choices": [{"message": {"content": "x"}}]}', 'transient'],
])('%s is a failure that is told apart', async (_name, stream, kind) => {
  const { ask } = await startServer((response) => void response.end(stream))
  await expect(ask()).rejects.toMatchObject({ code: 'model_failure', kind })
})

test('an event without end does not fill the memory', async () => {
  const { ask } = await startServer(async (response) => {
    response.write('data: ')
    while (!response.destroyed)
      if (!response.write('x'.repeat(100_000))) await once(response, 'drain').catch(() => undefined)
  })
  await expect(ask()).rejects.toMatchObject({ kind: 'refused' })
})

test.each([
  ['text', '{"prompt_tokens": "many", "completion_tokens": 5}'],
  ['half a token', '{"prompt_tokens": 10.5, "completion_tokens": 5}'],
  ['only the answer’s', '{"prompt_tokens": null, "completion_tokens": 5}'],
  ['a list', '[10, 5]'],
])('a count of tokens that is %s is none', async (_what, usage) => {
  const { ask } = await startServer((response) => {
    response.end(
      `data: ${chunk({ content: 'x' }, 'stop')}\n\ndata: {"choices": [], "usage": ${usage}}\n\ndata: [DONE]\n\n`,
    )
  })
  const parts = await ask()
  expect(textOf(parts)).toBe('x')
  expect(parts.at(-1)).toEqual({ kind: 'end', finish: 'stop', calls: [] })
})

test.each(['data: x\n', 'data:\n'])('an event of lines without end (%j) is given up at once', async (line) => {
  const { ask } = await startServer(async (response) => {
    while (!response.destroyed)
      if (!response.write(line.repeat(1000))) await once(response, 'drain').catch(() => undefined)
  })
  await expect(ask()).rejects.toMatchObject({ kind: 'refused' })
})

test('calls without end do not fill the memory, though they say nothing', async () => {
  const { ask } = await startServer(async (response) => {
    for (let index = 0; !response.destroyed; index++) {
      const isTaken = response.write(`data: ${chunk({ tool_calls: [{ index, id: `c${index}` }] })}\n\n`)
      if (!isTaken) await once(response, 'drain').catch(() => undefined)
    }
  })
  await expect(ask()).rejects.toMatchObject({ kind: 'refused' })
})

test('the key does not travel on with a redirect', async () => {
  const { ask, asked } = await startServer((response) => {
    response.writeHead(307, { location: '/elsewhere' }).end()
  })
  await expect(ask()).rejects.toMatchObject({ kind: 'refused' })
  expect(asked.map(({ url, headers }) => [url, headers.authorization])).toEqual([
    ['/v1/chat/completions', 'Bearer key'],
  ])
})

test.each([0, 1, 31, 32, 33, 200])('%d messages arrive as they are, wide characters too', async (count) => {
  let body = ''
  const { ask } = await startServer(async (response, request) => {
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text
    })
    await once(request, 'end')
    response.end(`data: ${chunk({}, 'stop')}\n\ndata: [DONE]\n\n`)
  })
  const messages = Array.from({ length: count }, (_, index) => ({
    role: 'user' as const,
    content: `${index} “grüße” 🧩 \n\\`.repeat(index % 3),
  }))
  const tool = { name: 't', description: 'd …', parameters: { type: 'object' } }
  await ask(undefined, { messages, tools: [tool] })
  expect(JSON.parse(body)).toEqual({
    model: 'm',
    messages,
    tools: [{ type: 'function', function: tool }],
    tool_choice: 'auto',
    max_tokens: 9,
    stream: true,
    stream_options: { include_usage: true },
  })
})
