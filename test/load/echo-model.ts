/**
 * A model for the load run: answers with the mark of what it was asked, in a few dozen chunks; now and then it uses a tool
 * first. Whatever holds no mark (a summary for compaction) gets a sentence.
 */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import { endMark, markIn, numberOf } from './marks.ts'

const Request = z.looseObject({ messages: z.array(z.looseObject({ role: z.string(), content: z.unknown() })) })

const WORDS = 'These words come one after the other, as a model says them. '.repeat(3)
const CHUNK_PAUSE_MS = 15
const LIST_EVERY = 4
const COMMAND_EVERY = 12

export interface EchoModel {
  readonly url: string
  readonly requests: () => number
  close(): Promise<void>
}

export async function startEchoModel(): Promise<EchoModel> {
  let requests = 0
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    requests += 1
    await answer(Buffer.concat(chunks).toString(), response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: () => requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(body: string, response: ServerResponse): Promise<void> {
  const { messages } = Request.parse(JSON.parse(body))
  const mark = markIn(JSON.stringify(messages.findLast(({ role }) => role === 'user')?.content ?? ''))
  const hasResult = messages.at(-1)?.role === 'tool'
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const send = (delta: object, finish_reason: string | null = null) => {
    const chunk = {
      id: 'x',
      object: 'chat.completion.chunk',
      created: 0,
      model: 'm',
      choices: [{ index: 0, delta, finish_reason }],
    }
    response.write(`data: ${JSON.stringify(chunk)}\n\n`)
  }
  const tool = mark !== undefined && !hasResult ? toolFor(numberOf(mark)) : undefined
  if (tool) {
    const call = { index: 0, id: `call_${mark}`, type: 'function', function: tool }
    send({ role: 'assistant', content: null, tool_calls: [call] })
    send({}, 'tool_calls')
  } else {
    for (const word of `${WORDS}${mark === undefined ? 'That is all.' : endMark(mark)}`.match(/\S+\s*/g) ?? []) {
      if (response.destroyed) return
      send({ content: word })
      await new Promise((resolve) => setTimeout(resolve, CHUNK_PAUSE_MS))
    }
    send({}, 'stop')
  }
  const usage = {
    prompt_tokens: Math.ceil(body.length / 4),
    completion_tokens: 40,
    total_tokens: Math.ceil(body.length / 4) + 40,
  }
  response.write(
    `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 0, model: 'm', choices: [], usage })}\n\n`,
  )
  response.end('data: [DONE]\n\n')
}

function toolFor(number: number): { name: string; arguments: string } | undefined {
  if (number % COMMAND_EVERY === 0)
    return { name: 'bash', arguments: JSON.stringify({ command: 'echo from the shell' }) }
  if (number % LIST_EVERY === 0) return { name: 'list_dir', arguments: JSON.stringify({ path: '.' }) }
  return undefined
}
