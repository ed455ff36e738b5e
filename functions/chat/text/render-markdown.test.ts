import { describe, expect, test } from 'vitest'
import { renderMarkdown } from './render-markdown.ts'

/** Text with its formatting in words: `[bold Hello]`. */
function show(markdown: string): string {
  const { text, entities } = renderMarkdown(markdown)
  const marks: { at: number; order: number; mark: string }[] = []
  entities.forEach((entity, index) => {
    const extra = 'url' in entity ? `=${entity.url}` : 'language' in entity ? `=${entity.language}` : ''
    marks.push({ at: entity.offset, order: 1000 + index, mark: `[${entity.type}${extra} ` })
    marks.push({ at: entity.offset + entity.length, order: -index, mark: ']' })
  })
  marks.sort((a, b) => a.at - b.at || a.order - b.order)
  let shown = ''
  let from = 0
  for (const { at, mark } of marks) {
    shown += text.slice(from, at) + mark
    from = at
  }
  return shown + text.slice(from)
}

const lines = (...all: string[]) => all.join('\n')

test('what is beyond the part that will be shown is not rendered', () => {
  const { text } = renderMarkdown('A line of a book.\n\n'.repeat(100_000), { enoughUnits: 5_000 })
  expect(text.length).toBeGreaterThan(5_000)
  expect(text.length).toBeLessThan(10_000)
})

describe('words', () => {
  test.each([
    ['**bold** and *italic* and ~~gone~~', '[bold bold] and [italic italic] and [strikethrough gone]'],
    ['***both***', '[italic [bold both]]'],
    ['__init__ and snake_case_name', '[bold init] and snake_case_name'],
    ['`a < b`', '[code a < b]'],
    ['one\ntwo  \nthree', 'one\ntwo\nthree'],
    ['a &amp; b &mdash; &#x1F600; \\*not\\*', 'a & b — 😀 *not*'],
    ['<b>html</b> is text', '<b>html</b> is text'],
    ['', ''],
    ['  \n\n ', ''],
  ])('%j', (markdown, shown) => {
    expect(show(markdown)).toBe(shown)
  })

  test('code stands in no other formatting', () => {
    expect(show('**use `x` now**')).toBe('[bold use] [code x] [bold now]')
    expect(show('## The `main` file')).toBe('[bold The] [code main] [bold file]')
  })

  test('the same formatting is not put on twice', () => {
    expect(show('# **Title**')).toBe('[underline [bold Title]]')
    expect(show('**a *b **c** d* e**')).not.toMatch(/bold[^\]]*\[bold/)
  })

  test('unfinished marks are text, as while an answer is written', () => {
    expect(show('a **half')).toBe('a **half')
    expect(show('see [the docs](https://exa')).toBe('see [the docs](https://exa')
  })

  test('line ends of all kinds, controls and turners of direction are cleaned, lone surrogates replaced', () => {
    expect(show('a\r\nb\rc\u0000\u202ed\ud800e')).toBe('a\nb\ncd\ufffde')
  })
})

describe('signs that Telegram takes out', () => {
  test('are not in the text, and a letter with a ring stays that letter', () => {
    expect(show('a\u030angstrom u\u0333\u033fx')).toBe('ångstrom ux')
  })
})

describe('links', () => {
  test.each([
    ['[docs](https://example.org/a_b?x=1)', '[text_link=https://example.org/a_b?x=1 docs]'],
    ['[**bold** `code`](https://example.org)', '[text_link=https://example.org/ [bold bold] code]'],
    ['[me](mailto:me@example.org?subject=x) [a@b.org](mailto:a@b.org)', 'me (me@example.org) a@b.org'],
    ['<mailto:a@b.org> <https://example.org>', 'a@b.org https://example.org'],
    ['[](https://example.org)', 'https://example.org/'],
    ['https://example.org/x_y_z', 'https://example.org/x_y_z'],
    ['[here](./x.md) [there](http://localhost:80) [js](javascript:alert(1))', 'here there js'],
    ['![a cat](https://example.org/c.png)', '[text_link=https://example.org/c.png 🖼 a cat]'],
    ['![a cat](cat.png)', '🖼 a cat'],
    ['[![b](https://example.org/b.svg)](https://ci.example.org)', '[text_link=https://ci.example.org/ 🖼 b]'],
    ['[home]\n\n[home]: https://example.org', '[text_link=https://example.org/ home]'],
    ['a[^1]\n\n[^1]: word', 'a[^1]\n\n[^1]: word'],
  ])('%j', (markdown, shown) => {
    expect(show(markdown)).toBe(shown)
  })

  test('a definition at the end serves a link far above', () => {
    const filler = 'A paragraph of some length.\n\n'.repeat(100)
    expect(show(`[home]\n\n${filler}[home]: https://example.org`)).toContain('[text_link=https://example.org/ home]')
  })
})

describe('blocks', () => {
  test('headings are bold, the first level underlined too', () => {
    expect(show('# One\n## Two\ntext')).toBe('[underline [bold One]]\n\n[bold Two]\n\ntext')
  })

  test('nested lists are indented, numbers start where they start', () => {
    expect(show(lines('- a', '  - b', '    1. c', '- d', '', '', '7. seven', '8. eight'))).toBe(
      lines('• a', '   ◦ b', '      1. c', '• d', '', '7. seven', '8. eight'),
    )
  })

  test('tasks have boxes', () => {
    expect(show('- [x] done\n- [ ] open\n  - [x] inner')).toBe('☑ done\n☐ open\n   ☑ inner')
  })

  test('a list item may hold code and paragraphs', () => {
    expect(show(lines('1. run', '', '   ```sh', '   ls', '   ```', '2. look'))).toBe(
      lines('1. run', '[pre=sh ls]', '', '2. look'),
    )
  })

  test('quotes in quotes become one quote', () => {
    expect(show('> a\n> > b **c**')).toBe('[blockquote a\n\nb [bold c]]')
  })

  test('a quote may hold code and a list', () => {
    expect(show('> - a\n>\n> ```\n> x\n> ```')).toBe('[blockquote • a\n\n[pre x]]')
  })

  test('code keeps its language and its indentation, and an open fence is code already', () => {
    expect(show('```ts title="x"\n  a()\n```')).toBe('[pre=ts   a()]')
    expect(show('Here:\n```python\nprint("**no**")')).toBe('Here:\n\n[pre=python print("**no**")]')
    expect(show('````md\n```js\nx\n```\n````')).toBe('[pre=md ```js\nx\n```]')
    expect(show('```<script>\nx\n```')).toBe('[pre x]')
    expect(show('```\n```\nafter')).toBe('after')
  })

  test('tabs in code reach as far as they did, since Telegram makes one space of each', () => {
    expect(show('```go\nfunc f() {\n\treturn\n}\nab\tc\n```')).toBe('[pre=go func f() {\n    return\n}\nab  c]')
    expect(show('a\tb `c\td`')).toBe('a b [code c d]')
  })

  test('HTML is shown as it was written, but for comments and what folds', () => {
    expect(show('<div>x</div>')).toBe('<div>x</div>')
    expect(show('a\n\n<!-- note\nto self -->\n\nb')).toBe('a\n\nb')
    expect(show('<details open>\n<summary>More</summary>\n\nwords\n\n</details>\n\nb')).toBe('▸ More\n\nwords\n\nb')
  })

  test('a rule is a line', () => {
    expect(show('a\n\n---\n\nb')).toBe('a\n\n———\n\nb')
  })
})

describe('a table', () => {
  test('that fits a phone is aligned', () => {
    expect(show(lines('| day | °C |', '|:--|--:|', '| Sa | 9 |', '| 日 | 21 |'))).toBe(
      lines('[pre day │ °C', '────┼───', 'Sa  │  9', '日  │ 21]'),
    )
  })

  test('that does not becomes a card a row, with its formatting', () => {
    const table = lines(
      '| Option | Meaning | Link |',
      '|---|---|---|',
      '| `--dir` | **where** the notes of the whole family lie | [docs](https://example.org) |',
      '| --all | | |',
    )
    expect(show(table)).toBe(
      lines(
        '[code --dir]',
        'Meaning: [bold where] the notes of the whole family lie',
        'Link: [text_link=https://example.org/ docs]',
        '',
        '[bold --all]',
      ),
    )
  })
})
