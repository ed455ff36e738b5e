/** No input takes long: the work grows with the length, not with its square, and deep nesting ends in text. */
import { Lexer } from 'marked'
import { describe, expect, test } from 'vitest'
import { readCorpus } from './corpus.fake.ts'
import { renderMarkdown } from './render-markdown.ts'
import { splitMessage } from './split-message.ts'

const HOSTILE = [
  '[',
  '[a](',
  '![',
  '*a ',
  '**a_',
  '_a_ ',
  '`a',
  '<a ',
  '<!-- ',
  '\n<details\n',
  '~~a',
  'a@',
  'http://',
  '&',
  '>',
  '> ',
  '- ',
  '1. ',
  '*_[`<',
  '[a]: ',
  'a*',
  '__a',
  'a_b',
  '- a\n  ',
  '👩‍🚀',
  '[a][b]',
  '```\n',
  'a|b\n-|-\n',
] as const

/** Of the processor: what else the machine does meanwhile is not counted. */
function cpuMs(work: () => unknown): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

function timeOf(source: string): number {
  return cpuMs(() => splitMessage(renderMarkdown(source)))
}

describe('work', () => {
  test.each(HOSTILE.map((unit) => [unit]))('grows no faster than the text made of %j', (unit) => {
    const small = unit.repeat(Math.ceil(10_000 / unit.length))
    const large = unit.repeat(Math.ceil(80_000 / unit.length))
    const ratio = timeOf(large) / Math.max(20, Math.min(timeOf(small), timeOf(small)))
    // Eight times the text: square growth would be 64 times the work.
    expect(ratio).toBeLessThan(40)
  })

  test('a megabyte of Markdown is rendered and split', () => {
    const whole = readCorpus()
      .map(({ source }) => source)
      .join('\n\n')
    const megabyte = whole.repeat(Math.ceil(1_000_000 / whole.length)).slice(0, 1_000_000)
    const parts = splitMessage(renderMarkdown(megabyte))
    expect(parts.length).toBeGreaterThan(150)
    expect(parts.every(({ text, entities }) => text.length <= 4096 && entities.length <= 100)).toBe(true)
  })

  test.each([
    ['quotes', `${'>'.repeat(10_000)} deep`],
    ['quotes with spaces', `${'> '.repeat(10_000)}deep`],
    ['quotes, one deeper each line', Array.from({ length: 1_000 }, (_, level) => `${'>'.repeat(level)} x`).join('\n')],
    ['lists', `${'- '.repeat(10_000)}deep`],
    ['lists by indentation', Array.from({ length: 1_000 }, (_, level) => `${'  '.repeat(level)}- x`).join('\n')],
    ['emphasis', `${'*_'.repeat(10_000)}deep${'_*'.repeat(10_000)}`],
    ['brackets', `${'['.repeat(100_000)}deep${']'.repeat(100_000)}`],
  ])('ten thousand nested %s end in text', (_, source) => {
    const { text } = renderMarkdown(source)
    expect(text).toMatch(/deep|x/)
  })

  test('32 KB take little more than what the lexer alone takes for them', () => {
    const whole = readCorpus()
      .filter(({ name }) => name !== 'odd.md')
      .map(({ source }) => source)
      .join('\n\n')
    const source = whole.repeat(10).slice(0, 32_768)
    const least = (work: () => unknown) => Math.min(...Array.from({ length: 9 }, () => cpuMs(work)))
    const lexer = least(() => new Lexer({ gfm: true }).lex(source))
    const ours = least(() => splitMessage(renderMarkdown(source)))
    console.log(`32 KB rendered and split in ${ours.toFixed(1)} ms; the lexer alone: ${lexer.toFixed(1)} ms`)
    expect(ours / lexer).toBeLessThan(6)
  })
})
