import { expect, test } from 'vitest'
import { ErrorCode } from '../protocol.ts'
import { codeOfSentence, failureSentence } from './failure-sentence.ts'

test('every code has a sentence, and every sentence leads back to its code', () => {
  expect(ErrorCode.options.map((code) => codeOfSentence(failureSentence(code)))).toEqual(ErrorCode.options)
  expect(codeOfSentence('It rains tomorrow.')).toBeUndefined()
})
