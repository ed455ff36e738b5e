import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type AgentEvent, ErrorCode } from '../../agent-vm/protocol.ts'
import { deepJson, Fuzzer } from '../../test/fuzz/fuzzer.ts'
import {
  advance,
  answerOf,
  errorCodeOf,
  MAX_ANSWER_CHARS,
  MAX_STEPS,
  NO_PROGRESS,
  noticesOf,
  TurnProgress,
} from './turn-progress.ts'

describe('advance', () => {
  test('shows the words that came, then the whole message in their place', () => {
    const streaming = fold([delta('Hel'), delta('lo')])
    expect(answerOf(streaming)).toBe('Hello')
    expect(answerOf(fold([delta('Hel'), delta('lo'), { type: 'text', content: 'Hello!' }]))).toBe('Hello!')
  })

  test('keeps what was said before a tool', () => {
    const events: AgentEvent[] = [{ type: 'text', content: 'Let me look.' }, use('1'), result('1'), delta('Found it.')]
    expect(answerOf(fold(events))).toBe('Let me look.\n\nFound it.')
  })

  test('folds an event in once, however often it is replayed', () => {
    const once = advance(NO_PROGRESS, 3, delta('a'))
    expect(advance(once, 3, delta('a'))).toBe(once)
    expect(advance(once, 2, delta('b'))).toBe(once)
  })

  test('forgets half an answer that is asked for again', () => {
    expect(answerOf(fold([delta('half'), { type: 'reset' }, delta('whole')]))).toBe('whole')
  })

  test('knows that an answer was cut', () => {
    expect(fold([delta('x'.repeat(MAX_ANSWER_CHARS))]).clipped).toBeUndefined()
    expect(fold([delta('x'.repeat(MAX_ANSWER_CHARS)), delta('y')]).clipped).toBe(true)
    expect(fold([{ type: 'text', content: 'x'.repeat(MAX_ANSWER_CHARS) }, delta('y')]).clipped).toBe(true)
  })

  test('knows which tools run, the last five of them', () => {
    const progress = fold(['1', '2', '3', '4', '5', '6'].flatMap((id) => [use(id)]))
    expect(progress.tools.map(({ id }) => id)).toEqual(['2', '3', '4', '5', '6'])
    expect(progress.toolCount).toBe(6)
    expect(fold([use('1'), result('1', false)]).tools).toMatchObject([{ state: 'failed' }])
  })

  test('keeps steps small: few, and with short inputs', () => {
    const many = Array.from({ length: MAX_STEPS + 10 }, (_, id) => use(String(id)))
    expect(fold(many).steps.length).toBe(MAX_STEPS)
    const long = fold([{ type: 'tool_use', id: '1', name: 'write_file', input: { content: 'x'.repeat(100_000) } }])
    expect(JSON.stringify(long).length).toBeLessThan(2_000)
  })

  test('never outgrows a row, whatever an agent sends', () => {
    const long = '\u0001'.repeat(400_000)
    const events: AgentEvent[] = [
      { type: 'delta', content: long },
      { type: 'text', content: long.slice(0, 200_000) },
      { type: 'tool_use', id: long, name: long, input: JSON.parse(deepJson(20_000)) },
      { type: 'tool_use', id: long, name: 'x', input: { command: long } },
      { type: 'tool_result', id: long, name: long, ok: true, summary: long },
      { type: 'notice', content: long },
      { type: 'notice', code: long, content: long },
      { type: 'error', code: 'internal', content: long },
      { type: 'error', code: long, content: long },
      { type: 'file', path: 'x' },
    ]
    const fuzzer = new Fuzzer(5)
    const progress = fold(Array.from({ length: 300 }, () => fuzzer.pick(events)))
    expect(new TextEncoder().encode(JSON.stringify(progress)).length).toBeLessThan(2_000_000)
    expect(TurnProgress.parse(JSON.parse(JSON.stringify(progress)))).toEqual(progress)
  })

  test('keeps a long answer whole up to its limit, and shows where it was cut', () => {
    const words = 'word '.repeat(MAX_ANSWER_CHARS / 5)
    expect(answerOf(fold([{ type: 'text', content: words }]))).toBe(words)
    const answer = answerOf(fold([delta(words), delta('and more'), { type: 'text', content: `${words}and more` }]))
    expect(answer).toBe(`${words}…`)
  })

  test('survives being stored', () => {
    const progress = fold([
      delta('a'),
      use('1'),
      { type: 'error', code: 'internal', content: 'x' },
      { type: 'done', reason: 'error' },
    ])
    expect(TurnProgress.parse(JSON.parse(JSON.stringify(progress)))).toEqual(progress)
  })

  test('leaves an empty message out of the answer', () => {
    expect(answerOf(fold([{ type: 'text', content: '  ' }, delta('x')]))).toBe('x')
  })
})

/** As Workers before codes of notices and of new errors read a row: they fail at anything else. */
const FormerProgress = z.object({
  ...{ cursor: z.int(), settled: z.array(z.string()), live: z.string() },
  tools: z.array(z.object({ id: z.string(), label: z.string(), state: z.enum(['running', 'ok', 'failed']) })),
  toolCount: z.int(),
  steps: z.array(
    z.discriminatedUnion('type', [
      z.object({ type: z.literal('tool_use'), id: z.string(), name: z.string(), input: z.unknown() }),
      z.object({
        ...{ type: z.literal('tool_result'), id: z.string(), name: z.string() },
        ...{ ok: z.boolean(), summary: z.string() },
      }),
    ]),
  ),
  notices: z.array(z.string()),
  clipped: z.boolean().optional(),
  files: z.int(),
  error: z
    .object({
      code: z.enum([
        'model_unreachable',
        'rate_limited',
        'out_of_credit',
        'unauthorized',
        'context_overflow',
        'interrupted',
        'internal',
      ]),
      content: z.string(),
    })
    .optional(),
  done: z.enum(['stop', 'max_iterations', 'cancelled', 'error']).optional(),
})

test('a notice never gets the code of one that is no longer kept', () => {
  const notices = Array.from({ length: 21 }, (_, n): AgentEvent => ({ type: 'notice', content: `notice ${n}` }))
  const kept = noticesOf(fold([{ type: 'notice', content: 'condensed', code: 'condensed' }, ...notices]))
  expect(kept.map(({ code }) => code)).toEqual(Array(20).fill(undefined))
})

describe('a Worker that was rolled back', () => {
  const notice = (content: string, code?: string): AgentEvent => ({
    type: 'notice',
    content,
    ...(code === undefined ? {} : { code }),
  })
  const readByFormer = (progress: TurnProgress) => FormerProgress.parse(JSON.parse(JSON.stringify(progress)))

  test.each([...ErrorCode.options, 'of_tomorrow'])(
    'reads what the newer one kept of a turn that failed: %s',
    (code) => {
      const progress = fold([
        delta('a'),
        use('1'),
        result('1'),
        notice('b', 'trimmed'),
        { type: 'error', code, content: 'c' },
      ])
      expect(readByFormer(progress)).toMatchObject({ settled: [], live: 'a', notices: ['b'], error: { content: 'c' } })
      expect(errorCodeOf(TurnProgress.parse(JSON.parse(JSON.stringify(progress))))).toBe(code)
    },
  )

  test('and the newer one reads on, with each notice’s code where it is still known', () => {
    const begun = fold([notice('first', 'condensed')])
    const former = readByFormer(begun)
    const back = TurnProgress.parse({ ...former, notices: [...former.notices, 'second'] })
    expect(noticesOf(advance(back, 9, notice('third', 'trimmed')))).toEqual([
      { code: undefined, content: 'first' },
      { code: undefined, content: 'second' },
      { code: 'trimmed', content: 'third' },
    ])
    const events = Array.from({ length: 30 }, (_, index) => notice(`${index}`, index % 2 ? `code ${index}` : undefined))
    const last = noticesOf(fold(events)).slice(-2)
    expect(last).toEqual([
      { code: undefined, content: '28' },
      { code: 'code 29', content: '29' },
    ])
  })
})

function fold(events: readonly AgentEvent[]): TurnProgress {
  return events.reduce((progress, event, index) => advance(progress, index + 1, event), NO_PROGRESS)
}

function delta(content: string): AgentEvent {
  return { type: 'delta', content }
}

function use(id: string): AgentEvent {
  return { type: 'tool_use', id, name: 'bash', input: { command: 'ls' } }
}

function result(id: string, ok = true): AgentEvent {
  return { type: 'tool_result', id, name: 'bash', ok, summary: 'done' }
}
