import { expect, test } from 'vitest'
import { deepJson, Fuzzer } from '../../test/fuzz/fuzzer.ts'
import { parseChatRequest } from './chat-request.ts'

const REQUEST = {
  model: 'qwen3-coder-next',
  messages: [
    { role: 'system', content: 'Be helpful.' },
    { role: 'assistant', tool_calls: [{ id: '1', type: 'function', function: { name: 'bash', arguments: '{}' } }] },
    { role: 'tool', tool_call_id: '1', content: 'x' },
  ],
  tools: [{ type: 'function', function: { name: 'bash', parameters: { type: 'object' } } }],
  stream: true,
  stream_options: { include_usage: false },
  max_tokens: 100,
  stop: ['x'],
  logit_bias: { 5: 1 },
  user: 'of a newer client',
}

test('whatever is asked is a request of allowed parts, or refused', () => {
  const fuzzer = new Fuzzer(11)
  let taken = 0
  for (let round = 0; round < 2_000; round++) {
    const parsed = parseChatRequest(fuzzer.mangleJson(REQUEST))
    if ('failure' in parsed) {
      expect([400, 404]).toContain(parsed.failure.status)
      continue
    }
    taken += 1
    const sent = JSON.parse(parsed.request.body)
    expect(sent.model).toBe(REQUEST.model)
    expect(Object.keys(sent)).not.toContain('user')
    expect(Object.keys(sent)).not.toContain('logit_bias')
    if (parsed.request.streams) expect(sent.stream_options).toEqual({ include_usage: true })
  }
  expect(taken).toBeGreaterThan(50)
})

test('what is nested deeper than a stack is refused, not a crash', () => {
  const content = JSON.parse(deepJson(200_000))
  const parsed = parseChatRequest({ ...REQUEST, messages: [{ role: 'user', content }] })
  expect(parsed).toMatchObject({ failure: { status: 400 } })
})
