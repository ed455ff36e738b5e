import { describe, expect, test } from 'vitest'
import { bold, clip, code, concat, fmt, join, longQuote } from './format.ts'

describe('fmt', () => {
  test('counts entity offsets in UTF-16 units, across emoji and nesting', () => {
    expect(fmt`👋 ${bold(fmt`a ${code('b')}`)}!`).toEqual({
      text: '👋 a b!',
      entities: [
        { type: 'bold', offset: 3, length: 3 },
        { type: 'code', offset: 5, length: 1 },
      ],
    })
  })

  test('leaves what looks like markup alone', () => {
    expect(fmt`${'<b>*_`x`'}`).toEqual({ text: '<b>*_`x`', entities: [] })
  })

  test('makes no entity around nothing, and puts nothing inside code', () => {
    expect(fmt`${bold('')}`.entities).toEqual([])
    expect(code(bold('x')).entities).toEqual([{ type: 'code', offset: 0, length: 1 }])
  })

  test('repairs half characters', () => {
    expect(concat(['a\ud83d']).text.isWellFormed()).toBe(true)
    expect(clip('a\ud83d', 5).isWellFormed()).toBe(true)
  })
})

test('join and quotes keep what is formatted', () => {
  const joined = join([bold('a'), 'b', longQuote('c')], '\n')
  expect(joined.text).toBe('a\nb\nc')
  expect(joined.entities).toEqual([
    { type: 'bold', offset: 0, length: 1 },
    { type: 'expandable_blockquote', offset: 4, length: 1 },
  ])
})

test('clip counts characters, not halves of them', () => {
  expect(clip('🐕🐕🐕', 3)).toBe('🐕🐕🐕')
  expect(clip('🐕🐕🐕', 2)).toBe('🐕…')
})
