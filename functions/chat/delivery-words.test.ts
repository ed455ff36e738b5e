import { expect, test } from 'vitest'
import { NoticeCode } from '../../agent-vm/protocol.ts'
import { LANGUAGES } from './catalogue/catalogue.ts'
import { deliveryWords } from './delivery-words.ts'

test('every language says everything, and names the file it speaks of', () => {
  for (const language of LANGUAGES) {
    const { failures: _, notices, ...said } = deliveryWords(language)
    expect(Object.keys(notices).toSorted()).toEqual(NoticeCode.options.toSorted())
    for (const words of Object.values(said)) {
      expect(typeof words === 'string' ? words : words('notes.txt')).not.toBe('')
      if (typeof words === 'function') expect(words('notes.txt')).toContain('notes.txt')
    }
  }
})
