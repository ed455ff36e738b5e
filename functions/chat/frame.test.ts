import { describe, expect, test } from 'vitest'
import { joinFormatted, tailOf } from './formatted-tail.ts'
import { buildFrame, MAX_FRAME_UNITS } from './frame.ts'
import { plainText } from './text/formatted-text.ts'
import { NO_PROGRESS } from './turn-progress.ts'

describe('buildFrame', () => {
  const tools = [
    { id: '1', label: 'bash · ls', state: 'ok' as const },
    { id: '2', label: 'web_fetch · example.org', state: 'running' as const },
  ]

  test('shows the tools above the words, and that there were more', () => {
    const { text } = buildFrame({ ...NO_PROGRESS, tools, toolCount: 7 }, plainText('Looking.'), { quiet: false })
    expect(text.text).toBe('… 5\n✓ bash · ls\n⏳ web_fetch · example.org\n\nLooking.')
    expect(text.entities[0]).toMatchObject({ type: 'blockquote', offset: 0 })
  })

  test('hides them on request', () => {
    const { text } = buildFrame({ ...NO_PROGRESS, tools, toolCount: 2 }, plainText('Looking.'), { quiet: true })
    expect(text.text).toBe('Looking.')
  })

  test('stays below what Telegram takes, and shows the end', () => {
    const { text } = buildFrame(NO_PROGRESS, plainText(`${'line of words\n'.repeat(2_000)}the end`), { quiet: false })
    expect(text.text.length).toBeLessThanOrEqual(MAX_FRAME_UNITS)
    expect(text.text.endsWith('the end')).toBe(true)
  })

  test('is empty while there are only signs that no one sees: Telegram would refuse it', () => {
    expect(buildFrame(NO_PROGRESS, plainText('\u200b\u2060'), { quiet: false }).text).toEqual(plainText(''))
  })

  test('is empty when there is nothing to see', () => {
    expect(buildFrame(NO_PROGRESS, plainText(''), { quiet: false }).text.text).toBe('')
  })
})

describe('tailOf', () => {
  test('moves formatting along, and cuts what begins before', () => {
    const entities = [
      { type: 'bold' as const, offset: 0, length: 50 },
      { type: 'code' as const, offset: 60, length: 5 },
      { type: 'italic' as const, offset: 0, length: 5 },
    ]
    const tail = tailOf({ text: 'x'.repeat(100), entities }, 61)
    expect(tail.text.length).toBe(61)
    expect(tail.entities).toEqual([
      { type: 'bold', offset: 1, length: 10 },
      { type: 'code', offset: 21, length: 5 },
    ])
  })

  test('never begins inside a surrogate pair', () => {
    for (let units = 10; units < 20; units++)
      expect(tailOf(plainText('🐙'.repeat(50)), units).text.isWellFormed()).toBe(true)
  })
})

test('joinFormatted shifts entities to where their text is', () => {
  const bold = { text: 'b', entities: [{ type: 'bold' as const, offset: 0, length: 1 }] }
  expect(joinFormatted(plainText('aa'), bold, bold)).toEqual({
    text: 'aabb',
    entities: [
      { type: 'bold', offset: 2, length: 1 },
      { type: 'bold', offset: 3, length: 1 },
    ],
  })
})
