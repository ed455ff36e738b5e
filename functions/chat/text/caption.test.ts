import { expect, test } from 'vitest'
import { MAX_CAPTION_UNITS, renderCaption } from './caption.ts'

test('a caption has its formatting', () => {
  expect(renderCaption('Your **notes**')).toEqual({
    text: 'Your notes',
    entities: [{ type: 'bold', offset: 5, length: 5 }],
  })
})

test('a caption that is too long ends between words, and says that there was more', () => {
  const { text, entities } = renderCaption(`**${'word '.repeat(500).trim()}**`)
  expect(text.length).toBeLessThanOrEqual(MAX_CAPTION_UNITS)
  expect(text).toMatch(/word…$/)
  expect(entities).toMatchObject([{ type: 'bold', offset: 0 }])
})

test.each(['', ' \n', '\u200b'])('a caption of nothing visible is none (%j)', (markdown) => {
  expect(renderCaption(markdown)).toEqual({ text: '', entities: [] })
})
