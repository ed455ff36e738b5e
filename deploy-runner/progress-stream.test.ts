import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createProgressStream, REPEAT_MS } from './progress-stream.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the lines of an answer', () => {
  test('repeat a step that takes long, with the time so far, and stop when it ends', async () => {
    const lines: unknown[] = []
    const stream = createProgressStream(async (text) => lines.push(JSON.parse(text)))
    stream.progress({ step: 'packages', status: 'start', ms: 0 })
    await vi.advanceTimersByTimeAsync(2 * REPEAT_MS)
    expect(lines.map((line) => (line as { ms: number }).ms)).toEqual([0, REPEAT_MS, 2 * REPEAT_MS])
    stream.progress({ step: 'packages', status: 'ok', ms: 2 * REPEAT_MS })
    await vi.advanceTimersByTimeAsync(2 * REPEAT_MS)
    expect(lines).toHaveLength(4)
    await stream.close({ error: { code: 'timeout', step: 'packages', message: 'late' } })
    expect(lines.at(-1)).toEqual({ error: { code: 'timeout', step: 'packages', message: 'late' } })
    expect(vi.getTimerCount()).toBe(0)
  })

  test('come in order even when the caller reads slowly, and a caller that has left is no error', async () => {
    const lines: string[] = []
    const stream = createProgressStream(async (text) => {
      if (lines.push(text) > 1) throw new Error('closed')
    })
    stream.progress({ step: 'connect', status: 'start', ms: 0 })
    stream.progress({ step: 'connect', status: 'ok', ms: 1 })
    await stream.close({ error: { code: 'disconnected', step: 'connect', message: 'cut' } })
    expect(lines.map((line) => Object.keys(JSON.parse(line))[0])).toEqual(['step', 'step', 'error'])
  })
})
