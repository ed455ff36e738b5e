import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { ToolDefinition } from '../tools/tool-runner.ts'
import { type Answer, readAnswer } from './answer.ts'
import shapes from './corpus/shapes.json' with { type: 'json' }
import type { ModelPart } from './model-port.ts'

const Shape = z.object({
  name: z.string(),
  reasoning: z.string().optional(),
  content: z.array(z.string()).default([]),
  calls: z.array(z.object({ id: z.string(), name: z.string(), arguments: z.string() })).default([]),
  finish: z.enum(['stop', 'length', 'tool_calls']).default('stop'),
  expect: z.object({
    content: z.string(),
    calls: z.array(
      z.object({
        name: z.string(),
        input: z.record(z.string(), z.unknown()),
        problem: z.string().optional(),
        note: z.string().optional(),
      }),
    ),
    broken: z.string().optional(),
    shown: z.string().optional(),
    resets: z.int().optional(),
  }),
})

const TOOLS: ToolDefinition[] = [
  tool('read_file', { path: { type: 'string' }, offset: { type: 'integer' }, numbered: { type: 'boolean' } }, ['path']),
  tool('write_file', { path: { type: 'string' }, content: { type: 'string' } }, ['path', 'content']),
]

describe('recorded shapes of qwen3-coder and GLM', () => {
  test.each(
    z
      .array(Shape)
      .parse(shapes)
      .map((shape) => [shape.name, shape] as const),
  )('%s', async (_name, shape) => {
    const { answer, shown, resets } = await read(shape)
    expect(answer.content).toBe(shape.expect.content)
    expect(answer.calls.map(({ name, input }) => ({ name, input }))).toEqual(
      shape.expect.calls.map(({ name, input }) => ({ name, input })),
    )
    for (const [index, { problem, note }] of shape.expect.calls.entries()) {
      expect(answer.calls[index]!.problem ?? '').toContain(problem ?? '')
      expect(answer.calls[index]!.problem === undefined).toBe(problem === undefined)
      expect(answer.calls[index]!.note ?? '').toContain(note ?? '')
    }
    expect(answer.brokenCall === undefined).toBe(shape.expect.broken === undefined)
    expect(answer.brokenCall ?? '').toContain(shape.expect.broken ?? '')
    expect(new Set(answer.calls.map(({ id }) => id)).size).toBe(answer.calls.length)
    expect(answer.calls.every(({ id }) => id !== '')).toBe(true)
    if (shape.expect.shown !== undefined) expect(shown).toBe(shape.expect.shown)
    expect(resets).toBe(shape.expect.resets ?? 0)
  })

  test('come out the same however the stream is cut into pieces', async () => {
    for (const shape of z.array(Shape).parse(shapes)) {
      const whole = await read(shape)
      const single = await read({ ...shape, content: shape.content.join('').split('') })
      expect({ name: shape.name, content: single.answer.content, broken: single.answer.brokenCall }).toEqual({
        name: shape.name,
        content: whole.answer.content,
        broken: whole.answer.brokenCall,
      })
      expect(single.answer.calls.map(({ name, input }) => ({ name, input }))).toEqual(
        whole.answer.calls.map(({ name, input }) => ({ name, input })),
      )
    }
  })
})

describe('what is told to the model', () => {
  test('a problem with the arguments comes with the schema', async () => {
    const { answer } = await read(shapeOf({ calls: [{ id: 'x', name: 'write_file', arguments: '{' }] }))
    expect(answer.calls[0]!.problem).toContain('"required":["path","content"]')
  })

  test('an unknown tool comes with the names of those there are', async () => {
    const { answer } = await read(shapeOf({ calls: [{ id: 'x', name: 'nope', arguments: '{}' }] }))
    expect(answer.calls[0]!.problem).toContain('read_file, write_file')
  })
})

async function read(shape: z.infer<typeof Shape>): Promise<{ answer: Answer; shown: string; resets: number }> {
  let shown = ''
  let resets = 0
  let answer: Answer | undefined
  for await (const part of readAnswer(stream(shape), TOOLS)) {
    if (part.kind === 'answer') answer = part.answer
    else if (part.kind === 'reset') {
      shown = ''
      resets++
    } else shown += part.text
  }
  expect(shown.trim()).toBe(answer!.content)
  return { answer: answer!, shown, resets }
}

async function* stream({ reasoning, content, calls, finish }: z.infer<typeof Shape>): AsyncGenerator<ModelPart> {
  if (reasoning) yield { kind: 'reasoning', text: reasoning }
  for (const text of content) yield { kind: 'content', text }
  yield { kind: 'end', finish, calls }
}

function shapeOf(given: Partial<z.input<typeof Shape>>): z.infer<typeof Shape> {
  return Shape.parse({ name: 'x', expect: { content: '', calls: [] }, ...given })
}

function tool(name: string, properties: Record<string, unknown>, required: string[]): ToolDefinition {
  return { name, description: name, parameters: { type: 'object', properties, required, additionalProperties: false } }
}

test.each([
  ['a call and then only empty lines', `<tool_call>${'\n'.repeat(60_000)}`],
  ['a call and then only spaces', `<tool_call>bash${' '.repeat(200_000)}x`],
  ['pairs that are never closed', `<tool_call>bash${'<arg_key>a</arg_key><arg_value>b'.repeat(6000)}</tool_call>`],
])(
  'a model that goes astray (%s) is told so, and nobody waits for that',
  async (_name, text) => {
    const { answer } = await read(shapeOf({ content: [text], finish: 'length' }))
    expect(answer).toMatchObject({ calls: [], brokenCall: expect.any(String) })
  },
  30_000,
)
