import { expect, test } from 'vitest'
import { ErrorCode } from '../protocol.ts'
import { failedTask, failureSentence, parseFailure } from './failure-sentence.ts'

test('every code has a sentence, and every sentence leads back to its code', () => {
  expect(ErrorCode.options.map((code) => parseFailure(failureSentence(code)))).toEqual(
    ErrorCode.options.map((code) => ({ code })),
  )
  expect(parseFailure('It rains tomorrow.')).toBeUndefined()
  expect(parseFailure('It rains. (Task: “weather”)')).toBeUndefined()
})

test('a failed task is read back from its sentence, whatever it is called', () => {
  for (const task of ['water the plants', 'say “hi” (Task: “x”)', '🪴', '*bold*']) {
    expect(parseFailure(failedTask('rate_limited', task))).toEqual({ code: 'rate_limited', task })
  }
  expect(failedTask('rate_limited', ' \n')).toBe(failureSentence('rate_limited'))
  expect(failedTask('rate_limited', undefined)).toBe(failureSentence('rate_limited'))
})

test('a long task is named by its beginning, in one line', () => {
  const { task = '' } = parseFailure(failedTask('internal', `water\nthe ${'🪴'.repeat(200)}`)) ?? {}
  expect([...task]).toHaveLength(100)
  expect(task).toMatch(/^water the 🪴+…$/u)
})
