import { describe, expect, test } from 'vitest'
import type { Frame } from './frame.ts'
import { nextSign, type SignState } from './signs-of-life.ts'
import { plainText } from './text/formatted-text.ts'

const frame = (text: string): Frame => ({ text: plainText(text), answerChars: text.length })
const idle: SignState = {
  mode: 'draft',
  kind: 'private',
  startedAt: 1_000,
  contentAt: undefined,
  frame: frame(''),
  shown: undefined,
  frameAt: undefined,
  typingAt: undefined,
  hasPreview: false,
  slowdown: 1,
}
const talking = { contentAt: 2_000, frame: frame('Hello there, this is a longer sentence.') }

describe('nextSign', () => {
  test('types at once, and again before the five seconds are over', () => {
    expect(nextSign(idle)).toEqual({ kind: 'typing', at: 1_000 })
    expect(nextSign({ ...idle, typingAt: 1_000 })).toEqual({ kind: 'typing', at: 5_500 })
  })

  test('shows a first sentence at once, a first word a moment later', () => {
    expect(nextSign({ ...idle, ...talking })).toEqual({ kind: 'draft', at: 2_000 })
    expect(nextSign({ ...idle, contentAt: 2_000, frame: frame('Hi') })).toEqual({ kind: 'draft', at: 2_400 })
  })

  test('shows what changed about once a second', () => {
    expect(nextSign({ ...idle, ...talking, shown: 'Hello', frameAt: 2_500 })).toEqual({ kind: 'draft', at: 3_700 })
  })

  test('does not type while a draft shows, but keeps it alive', () => {
    const shown = { ...idle, ...talking, shown: talking.frame.text.text, frameAt: 2_500, typingAt: 1_000 }
    expect(nextSign(shown)).toEqual({ kind: 'draft', at: 22_500 })
  })

  test('shows a draft again that a message wiped, without waiting for new words', () => {
    expect(nextSign({ ...idle, ...talking, shown: undefined, frameAt: 2_500 })).toEqual({ kind: 'draft', at: 3_700 })
  })

  test('slows down after a penalty', () => {
    expect(nextSign({ ...idle, ...talking, shown: 'x', frameAt: 2_500, slowdown: 4 }).at).toBe(7_300)
  })

  test('in groups opens one message, not for quick answers, and edits it every few seconds', () => {
    const group = { ...idle, ...talking, mode: 'edit', kind: 'group', typingAt: 1_000 } as const
    expect(nextSign(group)).toEqual({ kind: 'open', at: 2_500 })
    const open = { ...group, hasPreview: true, shown: 'Hello', frameAt: 2_500 }
    expect(nextSign(open)).toEqual({ kind: 'edit', at: 6_000 })
    expect(nextSign({ ...open, shown: talking.frame.text.text }).at).toBe(Number.POSITIVE_INFINITY)
  })

  test('edits faster in a private chat that has no drafts', () => {
    const fallback = { ...idle, ...talking, mode: 'edit', hasPreview: true, shown: 'x', frameAt: 2_500 } as const
    expect(nextSign(fallback)).toEqual({ kind: 'edit', at: 4_200 })
  })
})
