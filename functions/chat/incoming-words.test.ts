import type { Message, MessageEntity } from 'grammy/types'
import { expect, test } from 'vitest'
import { withMarks, wordsOf } from './incoming-words.ts'
import { privateMessage } from './testing/messages.fake.ts'

test('a link behind words is not lost', () => {
  const entities: MessageEntity[] = [
    { type: 'bold', offset: 0, length: 3 },
    { type: 'text_link', offset: 4, length: 4, url: 'https://example.org/a' },
  ]
  expect(withMarks('see here now', entities)).toBe('see [here](https://example.org/a) now')
})

test('code stays code, with its language', () => {
  const text = 'run ls in\nx = 1\nplease'
  const entities: MessageEntity[] = [
    { type: 'code', offset: 4, length: 2 },
    { type: 'pre', offset: 10, length: 5, language: 'python' },
  ]
  expect(withMarks(text, entities)).toBe('run `ls` in\n```python\nx = 1\n```\nplease')
})

test.each([
  ['beyond the end', [{ type: 'code', offset: 2, length: 9 }]],
  [
    'on top of each other',
    [
      { type: 'code', offset: 0, length: 3 },
      { type: 'code', offset: 1, length: 2 },
    ],
  ],
] as const)('entities %s do no harm', (_, entities) => {
  expect(withMarks('abc', entities as unknown as MessageEntity[]).replaceAll('`', '')).toBe('abc')
})

test('captions and rich messages have words too', () => {
  const of = (fields: object) => wordsOf(privateMessage(fields as Partial<Message>))
  const caption_entities = [{ type: 'text_link', offset: 0, length: 1, url: 'https://example.org' }]
  expect(of({ caption: 'a b', caption_entities })).toBe('[a](https://example.org) b')
  expect(of({ rich_message: { blocks: [{ type: 'paragraph', text: 'hello' }] } })).toBe('hello')
  expect(of({ photo: [] })).toBeUndefined()
})
