import { describe, expect, test } from 'vitest'
import { renderMarkdown } from './render-markdown.ts'
import { splitMessage } from './split-message.ts'

const split = (markdown: string, maxUnits: number) => splitMessage(renderMarkdown(markdown), { maxUnits })
const texts = (markdown: string, maxUnits: number) => split(markdown, maxUnits).map(({ text }) => text)

describe('a long text', () => {
  test('stays whole while it fits', () => {
    expect(texts('short', 10)).toEqual(['short'])
    expect(texts('', 10)).toEqual([])
  })

  test('is cut between paragraphs, then lines, then sentences, then words', () => {
    expect(texts('aaaa bbbb\n\ncccc dddd\n\neeee', 25)).toEqual(['aaaa bbbb\n\ncccc dddd', 'eeee'])
    expect(texts('aaaa bbbb\ncccc dddd\neeee', 22)).toEqual(['aaaa bbbb\ncccc dddd', 'eeee'])
    expect(texts('One is here. Two is here too', 20)).toEqual(['One is here.', 'Two is here too'])
    expect(texts('aaaa bbbb cccc dddd', 10)).toEqual(['aaaa bbbb', 'cccc dddd'])
  })

  test('is never cut inside a character that is made of several', () => {
    const family = '👨‍👩‍👧‍👦'
    for (const part of texts(family.repeat(40), 100)) {
      expect(part.isWellFormed()).toBe(true)
      expect(part.length % family.length).toBe(0)
    }
    for (const part of texts('𝕳'.repeat(99), 7)) expect(part.isWellFormed()).toBe(true)
  })

  test('loses no words', () => {
    const words = Array.from({ length: 3000 }, (_, index) => `word${index}`)
    const parts = texts(words.join(' '), 4096)
    expect(parts.every((part) => part.length <= 4096)).toBe(true)
    expect(parts.join(' ').split(/\s+/)).toEqual(words)
  })

  test('goes on with its formatting in the next part', () => {
    const [first, second] = split(`**${'bold '.repeat(10).trim()}**`, 30)
    expect(first?.entities).toEqual([{ type: 'bold', offset: 0, length: first?.text.length }])
    expect(second?.entities).toEqual([{ type: 'bold', offset: 0, length: second?.text.length }])
  })

  test('opens code again with its language', () => {
    const code = Array.from({ length: 40 }, (_, index) => `    line(${index})`).join('\n')
    const parts = split(`\`\`\`python\n${code}\n\`\`\``, 200)
    expect(parts.length).toBeGreaterThan(2)
    for (const { text, entities } of parts) {
      expect(entities).toEqual([{ type: 'pre', language: 'python', offset: 0, length: text.length }])
      expect(text.startsWith('    line(')).toBe(true)
    }
  })

  test('does not tear code that fits into the next part', () => {
    const parts = split(`${'word '.repeat(20)}\n\n\`\`\`\n${'x = 1\n'.repeat(10)}\`\`\``, 150)
    expect(parts).toHaveLength(2)
    expect(parts[1]?.entities).toMatchObject([{ type: 'pre', offset: 0 }])
  })

  test('holds at most a hundred entities a part, and none is lost', () => {
    const parts = split('`a` '.repeat(350), 4096)
    expect(parts.every(({ entities }) => entities.length <= 100)).toBe(true)
    expect(parts.reduce((sum, { entities }) => sum + entities.length, 0)).toBe(350)
  })

  test('has no empty parts, whatever is blank in between', () => {
    const blank = `a\n\n${'\u200b\n'.repeat(200)}\n\nb`
    for (const part of texts(blank, 50)) expect(part.replace(/[\s\u200b]/g, '')).not.toBe('')
  })
})
