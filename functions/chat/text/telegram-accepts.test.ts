/** Telegram's own parser (TDLib, offline) judges what we would send. */
import type { MessageEntity } from 'grammy/types'
import { describe, expect, test } from 'vitest'
import { fromTdEntities, toTdEntities } from '../../../local/telegram/text/entities.ts'
import { loadTdlib } from '../../../local/telegram/text/tdlib.ts'
import { createRandom, readCorpus, readReadmes } from './corpus.fake.ts'
import type { FormattedText } from './formatted-text.ts'
import { createIncrementalRenderer } from './incremental-renderer.ts'
import { renderMarkdown } from './render-markdown.ts'
import { splitMessage } from './split-message.ts'

const tdlib = loadTdlib()
const PIECES = [
  '**',
  '*',
  '_',
  '`',
  '```',
  '\n',
  '\n\n',
  '> ',
  '- ',
  '1. ',
  '[',
  '](',
  ')',
  '| ',
  '|--|',
  '#',
  '~~',
  '😀',
  '\ud83d',
  '\u202e',
  '&amp;',
  '<b>',
  '\t',
  '    ',
  '](https://example.org)',
  '\u0000',
  '[^1]',
  '![',
  '\\',
]

/** Independent of TDLib: what our own rules promise of each part. */
function findMistake({ text, entities }: FormattedText): string | undefined {
  if (text.length === 0 || text.length > 4096) return `a text of ${text.length} units`
  if (text !== text.trim() && !entities.some((e) => e.offset === 0 && /pre|code/.test(e.type))) return 'blank ends'
  if (!text.isWellFormed()) return 'half a character'
  if (entities.length > 100) return `${entities.length} entities`
  for (const [index, entity] of entities.entries()) {
    const { offset, length, type } = entity
    if (offset < 0 || length <= 0 || offset + length > text.length) return `${type} outside`
    if (/^[\uDC00-\uDFFF]/.test(text.slice(offset)) || /[\uD800-\uDBFF]$/.test(text.slice(0, offset + length)))
      return `${type} in a pair`
    for (const other of entities.slice(index + 1)) {
      if (other.offset >= offset + length) continue
      const isNested = other.offset + other.length <= offset + length
      if (!isNested) return `${type} and ${other.type} overlap`
      if (type === 'pre' || type === 'code') return `${other.type} in ${type}`
      if (type === other.type) return `${type} in itself`
      if ((other.type === 'pre' || other.type === 'code') && type !== 'blockquote') return `${other.type} in ${type}`
    }
  }
  return undefined
}

/** Which formatting each character has; how it is divided into entities is a matter of taste. */
function coverage(entities: readonly MessageEntity[]): string {
  const covered = new Set<string>()
  for (const entity of entities) {
    const kind = `${entity.type}${'url' in entity ? entity.url : ''}${'language' in entity ? entity.language : ''}`
    for (let at = 0; at < entity.length; at++) covered.add(`${kind}@${entity.offset + at}`)
  }
  return [...covered].sort().join(' ')
}

const seen = { parts: 0, refused: [] as string[], mistaken: [] as string[], changed: [] as string[] }

function judge(formatted: FormattedText, origin: string, { strictly = false } = {}): void {
  for (const part of splitMessage(formatted)) {
    seen.parts++
    const mistake = findMistake(part)
    if (mistake) seen.mistaken.push(`${origin}: ${mistake}`)
    if ('unavailable' in tdlib) continue
    const fixed = tdlib.fix(part.text, toTdEntities(part.entities))
    if ('error' in fixed) seen.refused.push(`${origin}: ${fixed.error}`)
    else if (
      strictly &&
      (fixed.text !== part.text || coverage(fromTdEntities(fixed.entities)) !== coverage(part.entities))
    ) {
      seen.changed.push(origin)
    }
  }
}

describe('what Telegram is sent', () => {
  test.skipIf('unavailable' in tdlib)(
    'is refused in none of more than ten thousand cases',
    () => {
      for (const { name, source } of readCorpus()) {
        const renderer = createIncrementalRenderer()
        for (let end = 1; end <= source.length; end++) {
          renderer.append(source.slice(end - 1, end))
          judge(renderer.current(), `${name}:${end}`, { strictly: end % 7 === 0 || end === source.length })
        }
      }
      for (const { name, source } of readReadmes()) {
        const renderer = createIncrementalRenderer()
        for (let end = 0; end < Math.min(source.length, 20_000); end += 97) {
          renderer.append(source.slice(end, end + 97))
          judge(renderer.current(), `${name}:${end}`)
        }
      }
      const random = createRandom(20_261_123)
      const sources = [...readCorpus(), ...readReadmes()].map(({ source }) => source)
      for (let round = 0; round < 4_000; round++) {
        let text = ''
        for (let piece = 0; piece < 6; piece++) {
          const source = sources[random(sources.length)] ?? ''
          const start = random(source.length)
          text += source.slice(start, start + random(160)) + (PIECES[random(PIECES.length)] ?? '')
        }
        judge(renderMarkdown(text), `splice ${round}`)
      }
      expect(seen.refused.slice(0, 5)).toEqual([])
      expect(seen.mistaken.slice(0, 5)).toEqual([])
      expect(seen.changed.slice(0, 5)).toEqual([])
      expect(seen.parts).toBeGreaterThan(10_000)
      console.log(`TDLib read ${seen.parts} texts and refused none`)
    },
    180_000,
  )
})
