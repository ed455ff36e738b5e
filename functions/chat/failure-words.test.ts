import { expect, test } from 'vitest'
import { ErrorCode } from '../../agent-vm/protocol.ts'
import { LANGUAGES } from './catalogue/catalogue.ts'
import { FAILURE_WORDS } from './failure-words.ts'

test.each(LANGUAGES)('whatever an agent fails at has words in %s, its own for each code', (language) => {
  const words = FAILURE_WORDS[language]
  expect(Object.keys(words).toSorted()).toEqual(ErrorCode.options.toSorted())
  expect(new Set(Object.values(words)).size).toBe(ErrorCode.options.length)
  if (language !== 'en') for (const code of ErrorCode.options) expect(words[code]).not.toBe(FAILURE_WORDS.en[code])
})
