import { expect, test } from 'vitest'
import { LANGUAGES } from './catalogue/catalogue.ts'
import { deliveryWords } from './delivery-words.ts'

test('every language says everything, and names the file it speaks of', () => {
  for (const language of LANGUAGES) {
    const { failures: _, ...said } = deliveryWords(language)
    for (const words of Object.values(said)) {
      expect(typeof words === 'string' ? words : words('notes.txt')).not.toBe('')
      if (typeof words === 'function') expect(words('notes.txt')).toContain('notes.txt')
    }
  }
})
