import { expect, test } from 'vitest'
import { renderRich } from './render-rich.ts'
import { richWords } from './rich-words.ts'

test('an answer of ours is read back as its words', () => {
  const markdown =
    '# Plan **b**\n\n- [x] bread [here](https://example.org)\n- milk\n\n|a|b|\n|-|-|\n|1|`2`|\n\n> quote\n\n$$x$$'
  expect(richWords(renderRich(markdown))).toBe('Plan b\nbread here\nmilk\na | b\n1 | 2\nquote\nx')
})

test('labels of list items stand before them', () => {
  const items = [{ label: '1.', blocks: [{ type: 'paragraph', text: ['a ', { type: 'bold', text: 'b' }] }] }]
  expect(richWords({ blocks: [{ type: 'list', items }] })).toBe('1. a b')
})

test.each([undefined, null, 7, 'x', {}, { blocks: 'x' }, { blocks: [null, { type: 'new', text: { text: [] } }] }])(
  'what is none has no words: %j',
  (given) => {
    expect(richWords(given)).toBe('')
  },
)

test('nesting without an end comes to one', () => {
  let text: unknown = 'deep'
  for (let level = 0; level < 10_000; level++) text = { type: 'bold', text }
  expect(richWords({ blocks: [{ type: 'paragraph', text }] })).toBe('')
})
