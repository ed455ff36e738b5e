import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { listTools } from '../../agent-vm/tools/tool-list.ts'
import { think } from './brain.ts'
import type { OfferedTool, RequestMessage } from './chat-request.ts'
import { type Model, startModel } from './start-model.ts'

const Schema = z.object({ properties: z.record(z.string(), z.unknown()), required: z.array(z.string()).default([]) })

let model: Model
let openai: OpenAI

beforeAll(async () => {
  model = await startModel({ port: 0, key: 'right', tokenDelayMs: 0, firstTokenDelayMs: 0 })
  openai = new OpenAI({ baseURL: `${model.url}/v1`, apiKey: 'right', maxRetries: 0 })
})
afterAll(() => model.close())

const tool = (name: string): OfferedTool => ({ type: 'function', function: { name, parameters: { type: 'object' } } })
const TOOLS = ['bash', 'read_file', 'write_file', 'send_file', 'list_dir', 'schedule', 'spawn'].map(tool)
const SYSTEM = { role: 'system', content: 'You are Rosa, an agent.' } as const
const ask = (content: string): RequestMessage[] => [SYSTEM, { role: 'user', content }]

/** Lets the brain work until it answers in words, with these results for its tool calls. */
function converse(
  request: string,
  results: readonly string[],
): { calls: { name: string; input: unknown }[]; text: string } {
  const messages = ask(request)
  const calls: { name: string; input: unknown }[] = []
  for (const result of [...results, '']) {
    const reply = think(messages, TOOLS)
    const [call] = reply.toolCalls
    if (!call) return { calls, text: reply.text }
    calls.push(call)
    const id = `c${calls.length}`
    messages.push(
      {
        role: 'assistant',
        content: '',
        tool_calls: [{ id, type: 'function', function: { name: call.name, arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: id, content: result },
    )
  }
  throw new Error('the brain does not come to an end')
}

describe('the model server', () => {
  test('streams words with usage at the end, and says first that it is a stand-in', async () => {
    const stream = await openai.chat.completions.create({
      model: 'qwen3-coder-next',
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: 'user', content: 'introduce yourself' }],
    })
    let text = ''
    let usage: OpenAI.CompletionUsage | null | undefined
    let chunks = 0
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? ''
      usage = chunk.usage ?? usage
      chunks++
    }
    expect(text).toContain('LIBERTAI_API_KEY')
    expect(chunks).toBeGreaterThan(10)
    expect(usage?.prompt_tokens).toBeGreaterThan(0)
  })

  test('counts what it has read before as cached', async () => {
    const messages = [{ role: 'user' as const, content: `a rather long message ${'x'.repeat(400)}` }]
    const first = await openai.chat.completions.create({ model: 'glm-4.7', messages })
    const text = first.choices[0]?.message.content ?? ''
    const second = await openai.chat.completions.create({
      model: 'glm-4.7',
      messages: [...messages, { role: 'assistant', content: text }, { role: 'user', content: 'and now?' }],
    })
    expect(second.usage?.prompt_tokens_details?.cached_tokens).toBeGreaterThan(100)
  })

  test.each([
    ['a wrong key', { apiKey: 'wrong' }, { model: 'glm-4.7', messages: ask('hi') }, 401],
    ['an unknown model', {}, { model: 'gemma-3', messages: ask('hi') }, 404],
    [
      'a result without its call',
      {},
      { model: 'glm-4.7', messages: [...ask('hi'), { role: 'tool', tool_call_id: 'x', content: '' }] },
      400,
    ],
    ['a request without messages', {}, { model: 'glm-4.7', messages: [] }, 400],
  ])('refuses %s', async (_, client, body, status) => {
    const other = new OpenAI({ baseURL: `${model.url}/v1`, apiKey: 'right', maxRetries: 0, ...client })
    await expect(other.chat.completions.create(body as never)).rejects.toMatchObject({ status })
  })
})

describe('the scripted brain', () => {
  test('runs a command and shows what it printed', () => {
    const { calls, text } = converse('run `git --version`', ['git version 2.39.5'])
    expect(calls).toEqual([{ name: 'bash', input: { command: 'git --version' } }])
    expect(text).toContain('git version 2.39.5')
  })

  test('writes a file, then sends it', () => {
    const { calls, text } = converse('write notes.txt with milk and bread, then send it to me', [
      'wrote notes.txt',
      'notes.txt goes to the person with this turn.',
    ])
    expect(calls).toEqual([
      { name: 'write_file', input: { path: 'notes.txt', content: 'milk and bread\n' } },
      { name: 'send_file', input: { path: 'notes.txt', caption: 'notes.txt' } },
    ])
    expect(text).toContain('notes.txt')
  })

  test('remembers a fact beside what it knew', () => {
    const { calls, text } = converse('remember that my dog is called Rex', [
      '    1\t# Memory\n    2\t- tea, no sugar',
      'replaced memory/MEMORY.md',
    ])
    expect(calls[1]).toEqual({
      name: 'write_file',
      input: { path: 'memory/MEMORY.md', content: '# Memory\n- tea, no sugar\n- my dog is called Rex\n' },
    })
    expect(text).toContain('Noted')
  })

  test('recalls the fact', () => {
    expect(converse('what is my dog called?', ['    1\t# Memory\n    2\t- my dog is called Rex']).text).toContain('Rex')
  })

  test('knows its name and introduces itself with it', () => {
    expect(converse('Introduce yourself to me.', []).text).toContain('Rosa')
  })

  test('says so when a tool is not there for it', () => {
    expect(think(ask('run `ls`'), []).text).toContain('`bash`')
  })

  test('turns a reminder into minutes', () => {
    const { calls } = converse('remind me to stretch in 2 minutes', ['Set.'])
    expect(calls[0]).toMatchObject({ name: 'schedule', input: { in_minutes: 2 } })
  })

  test('begins a memory where there is none', () => {
    const { calls } = converse('remember that I like tea', [
      'memory/MEMORY.md does not exist. Look with list_dir.',
      'wrote x',
    ])
    expect(calls[1]?.input).toEqual({ path: 'memory/MEMORY.md', content: '# Memory\n- I like tea\n' })
  })

  test('delivers a reminder that is due, and stays quiet when woken for nothing', () => {
    expect(converse('[Mon 2026-11-23 18:00 UTC]\nRemind the person: stretch', []).text).toContain('stretch')
    const woken = [
      { role: 'system', content: 'You are Rosa. You woke up by yourself.' },
      ...ask('look').slice(1),
    ] as RequestMessage[]
    expect(think(woken, TOOLS).text).toContain('HEARTBEAT_OK')
  })

  test.each([
    ['run `git --version`', 'bash'],
    ['write notes.txt with milk, then send it to me', 'write_file'],
    ['send me notes.txt', 'send_file'],
    ['remember that my dog is called Rex', 'read_file'],
    ['what is my dog called?', 'read_file'],
    ['what do you remember about me', 'read_file'],
    ['read notes.txt', 'read_file'],
    ['list my files', 'list_dir'],
    ['search my files for milk', 'search_files'],
    ['what did we say about lighthouses?', 'search_history'],
    ['search the web for lighthouses', 'web_search'],
    ['fetch https://example.org/', 'web_fetch'],
    ['remind me to stretch in 2 minutes', 'schedule'],
    ['spawn a helper to count the files', 'spawn'],
  ])('asked to "%s" calls %s as the agent offers it', (request, name) => {
    const offered = listTools({ search: true }).map(({ definition }) => definition)
    const tools = offered.map((definition) => ({ type: 'function', function: definition }) as unknown as OfferedTool)
    const [toolCall] = think(ask(`[Mon 2026-11-23 18:00 UTC · Ann]\n${request}`), tools).toolCalls
    expect(toolCall?.name).toBe(name)
    const schema = Schema.parse(offered.find((tool) => tool.name === name)?.parameters)
    const given = Object.keys(toolCall?.input ?? {})
    expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(given))
    expect(given).toEqual(expect.arrayContaining(schema.required))
  })
})
