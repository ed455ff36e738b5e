import { describe, expect, test } from 'vitest'
import { checkText, MESSAGE_RULES, typedText } from './message-text.ts'
import { plainEntities } from './plain-entities.ts'
import { loadTdlib } from './tdlib.ts'

const tdlib = loadTdlib()
if ('unavailable' in tdlib) throw new Error(tdlib.unavailable)

const check = (text: string, entities: unknown[] = [], parse_mode?: string) =>
  checkText(tdlib, { text, entities, parse_mode }, MESSAGE_RULES)

describe('a text with entities', () => {
  test('is refused in the words of Telegram', () => {
    const refused: [unknown, RegExp][] = [
      [{ type: 'bold', offset: 0, length: 99 }, /^Bad Request: entity beginning at UTF-16 offset 0 ends after the end/],
      [{ type: 'bold', offset: 1, length: 1 }, /middle of a UTF-16 symbol/],
      [{ type: 'bold', offset: -1, length: 1 }, /^Bad Request: receive an entity with incorrect offset -1/],
      [
        { type: 'text_link', offset: 0, length: 2, url: 'http://localhost' },
        /^Bad Request: entity URL 'http:\/\/localhost' is invalid: Wrong HTTP URL/,
      ],
      [{ type: 'loud', offset: 0, length: 2 }, /^Bad Request: can't parse MessageEntity: Unsupported type specified/],
      [{ type: 'bold', length: 2 }, /^Bad Request: can't parse MessageEntity: Can't find field "offset"/],
      ['bold', /^Bad Request: can't parse MessageEntity: expected an Object/],
    ]
    for (const [entity, words] of refused)
      expect(() => check('😀 hello', [entity]), JSON.stringify(entity)).toThrow(words)
  })

  test('is refused when it holds half of a surrogate pair', () => {
    expect(() => check('a\ud800b')).toThrow('Bad Request: strings must be encoded in UTF-8')
  })

  test('keeps its markdown characters and its entities where they are', () => {
    const { text, entities } = check('**a** _b_ `c` [d](e) ||f|| ~~g~~', [{ type: 'bold', offset: 2, length: 1 }])
    expect(text).toBe('**a** _b_ `c` [d](e) ||f|| ~~g~~')
    expect(entities).toEqual([{ type: 'bold', offset: 2, length: 1 }])
  })

  test('keeps private-use characters that it came with', () => {
    expect(check('\ue000*\ue001_').text).toBe('\ue000*\ue001_')
  })

  test('loses what may not lie inside code', () => {
    const code = { type: 'pre', offset: 0, length: 5, language: 'ts' }
    expect(check('hello', [code, { type: 'bold', offset: 1, length: 2 }]).entities).toEqual([code])
  })

  test('is trimmed, and its entities move along', () => {
    const { text, entities } = check('\n  hello \n', [{ type: 'bold', offset: 3, length: 5 }])
    expect([text, entities]).toEqual(['hello', [{ type: 'bold', offset: 0, length: 5 }]])
  })

  test('may have 4096 code points, whatever their length in UTF-16', () => {
    expect(check('😀'.repeat(4096)).text).toHaveLength(8192)
    expect(() => check('😀'.repeat(4097))).toThrow('Bad Request: message is too long')
    expect(() => check('x'.repeat(33_000))).toThrow('Bad Request: text is too long')
  })

  test('keeps 100 entities and says how many were dropped', () => {
    const entities = Array.from({ length: 130 }, (_, index) => ({ type: 'bold', offset: index * 2, length: 1 }))
    const checked = check('x '.repeat(130), entities)
    expect(checked.entities).toHaveLength(100)
    expect(checked.droppedEntities).toBe(30)
  })

  test('comes back with every kind it was given', () => {
    const given = [
      { type: 'italic', offset: 0, length: 1 },
      { type: 'underline', offset: 2, length: 1 },
      { type: 'strikethrough', offset: 4, length: 1 },
      { type: 'spoiler', offset: 6, length: 1 },
      { type: 'code', offset: 8, length: 1 },
      { type: 'text_link', offset: 10, length: 1, url: 'https://example.org/' },
      { type: 'date_time', offset: 12, length: 1, unix_time: 1_647_531_900, date_time_format: 'wDT' },
      { type: 'custom_emoji', offset: 14, length: 2, custom_emoji_id: '5368324170671202286' },
      { type: 'blockquote', offset: 17, length: 1 },
      { type: 'expandable_blockquote', offset: 19, length: 1 },
    ]
    expect(check('a b c d e f g 👍 \nh\ni', given).entities).toEqual(given)
  })
})

describe('a text with a parse mode', () => {
  test('is parsed by Telegram itself', () => {
    expect(check('*a _b_*', [], 'MarkdownV2')).toMatchObject({
      text: 'a b',
      entities: [
        { type: 'bold', offset: 0, length: 3 },
        { type: 'italic', offset: 2, length: 1 },
      ],
    })
    expect(check('<b>x</b>', [], 'HTML').entities).toEqual([{ type: 'bold', offset: 0, length: 1 }])
  })

  test('is refused in the words of Telegram', () => {
    expect(() => check('Hello.', [], 'MarkdownV2')).toThrow(
      "Bad Request: can't parse entities: Character '.' is reserved and must be escaped with the preceding '\\'",
    )
    expect(() => check('<b>bold <i>x</b>', [], 'HTML')).toThrow(
      'Bad Request: can\'t parse entities: Unmatched end tag at byte offset 12, expected "</i>", found "</b>"',
    )
    expect(() => check('x', [], 'BBCode')).toThrow('Bad Request: unsupported parse_mode')
  })
})

describe('what Telegram finds by itself', () => {
  test('is found in what a person types, commands with a bot name among it', () => {
    const { entities } = typedText(tdlib, '/start@baal_bot hi @joey https://example.org #tag a@b.co')
    expect(entities.map(({ type, length }) => [type, length])).toEqual([
      ['bot_command', 15],
      ['mention', 5],
      ['url', 19],
      ['hashtag', 4],
      ['email', 6],
    ])
  })

  test('is not found inside code', () => {
    const code = { type: 'code', offset: 0, length: 19 }
    expect(check('https://example.org', [code]).entities).toEqual([code])
  })

  test('is found well enough where TDLib cannot run', () => {
    const { entities } = typedText(plainEntities, 'see /help@baal_bot, https://a.org/x. and @joe')
    expect(entities.map(({ type, offset, length }) => [type, offset, length])).toEqual([
      ['bot_command', 4, 14],
      ['url', 20, 15],
      ['mention', 41, 4],
    ])
    const outside = [{ offset: 0, length: 9, type: { _: 'textEntityTypeBold' } }]
    expect(plainEntities.fix('x', outside)).toHaveProperty('error')
  })
})
