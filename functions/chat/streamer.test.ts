import { describe, expect, test } from 'vitest'
import { ChatBudget } from './chat-budget.ts'
import type { Frame } from './frame.ts'
import type { SignMode } from './signs-of-life.ts'
import { Streamer } from './streamer.ts'
import { TelegramFailure, type TelegramFailureKind } from './telegram-failure.ts'
import { FakeClock } from './testing/clock.fake.ts'
import { plainText } from './text/formatted-text.ts'

describe('Streamer', () => {
  test('types until there is something to read, then shows a growing draft', async () => {
    const { streamer, clock, seen, say } = start('draft')
    streamer.start()
    await clock.advance(1_000)
    expect(seen).toEqual(['typing'])
    say('A first sentence that is long enough.')
    await clock.advance(300)
    expect(seen).toEqual(['typing', 'draft: A first sentence that is long enough.'])
    say('A first sentence that is long enough. And more.')
    await clock.advance(1_200)
    expect(seen.at(-1)).toBe('draft: A first sentence that is long enough. And more.')
    await streamer.close()
  })

  test('shows only the newest of many changes', async () => {
    const { streamer, clock, seen, say } = start('draft')
    streamer.start()
    for (let n = 0; n < 100; n++) {
      say(`This sentence is long enough, number ${n}`)
      await clock.advance(50)
    }
    await streamer.close()
    const drafts = seen.filter((sign) => sign.startsWith('draft'))
    expect(drafts.length).toBeLessThanOrEqual(6)
  })

  test('keeps a draft alive during a slow tool', async () => {
    const { streamer, clock, seen, say } = start('draft')
    streamer.start()
    say('A first sentence that is long enough.')
    await clock.advance(65_000)
    expect(seen.filter((sign) => sign.startsWith('draft')).length).toBe(4)
    expect(seen.filter((sign) => sign === 'typing').length).toBeLessThanOrEqual(1)
    await streamer.close()
  })

  test('says that it edits before it does, and remembers an edit that was lost', async () => {
    const { streamer, clock, seen, begun, say, failNext } = start('edit', { previewId: 9 })
    streamer.start()
    say('A first sentence that is long enough.')
    await clock.advance(1_000)
    expect(seen).toEqual(['typing', 'edit 9: A first sentence that is long enough.'])
    expect(streamer.hasLostEdit).toBe(false)
    failNext('unknown')
    say('A first sentence that is long enough. And more.')
    await clock.advance(10_000)
    expect(seen.at(-1)).toBe('edit 9: A first sentence that is long enough. And more.')
    expect(streamer.hasLostEdit).toBe(true)
    expect(begun).toEqual([1])
    await streamer.close()
  })

  test('has lost no edit that Telegram refused', async () => {
    const { streamer, clock, say, failNext } = start('edit', { previewId: 9 })
    streamer.start()
    failNext('retry_after')
    say('A first sentence that is long enough.')
    await clock.advance(1_000)
    expect(streamer.hasLostEdit).toBe(false)
    await streamer.close()
  })

  test('restores a draft that a message wiped', async () => {
    const { streamer, clock, seen, say } = start('draft')
    streamer.start()
    say('A first sentence that is long enough.')
    await clock.advance(2_000)
    streamer.wiped()
    await clock.advance(100)
    expect(seen.filter((sign) => sign.startsWith('draft')).length).toBe(2)
    await streamer.close()
  })

  test('restores a draft that a message wiped while the call for it was under way', async () => {
    const { streamer, clock, seen, say, hold } = start('draft')
    streamer.start()
    await clock.advance(100)
    const go = hold()
    say('A first sentence that is long enough.')
    await clock.advance(500)
    streamer.wiped()
    go()
    await clock.advance(2_000)
    expect(seen.filter((sign) => sign.startsWith('draft')).length).toBe(2)
    await streamer.close()
  })

  test('shows nothing after it was closed', async () => {
    const { streamer, clock, seen, say } = start('draft')
    streamer.start()
    await clock.advance(100)
    const closed = streamer.close()
    say('Too late to be shown at all, whatever it is.')
    await clock.advance(30_000)
    await closed
    expect(seen).toEqual(['typing'])
  })

  test('goes over to editing one message where drafts are refused', async () => {
    const { streamer, clock, seen, say, failNext } = start('draft')
    streamer.start()
    await clock.advance(100)
    failNext('drafts_refused')
    say('A first sentence that is long enough.')
    await clock.advance(3_000)
    expect(seen).toContain('open: A first sentence that is long enough.')
    await streamer.close()
  })

  test('edits the message of a turn that goes on after a restart', async () => {
    const { streamer, clock, seen, say } = start('edit', { previewId: 9 })
    say('A first sentence that is long enough.')
    streamer.start()
    await clock.advance(4_000)
    expect(seen).toEqual(['edit 9: A first sentence that is long enough.'])
    await streamer.close()
  })

  test('tries a refused frame once without formatting, then leaves it out', async () => {
    const { streamer, clock, seen, say, failNext } = start('draft')
    streamer.start()
    await clock.advance(100)
    failNext('refused')
    failNext('refused')
    say('A first sentence that is long enough.')
    await clock.advance(5_000)
    expect(seen).toEqual(['typing'])
    say('A second sentence that is long enough.')
    await clock.advance(2_000)
    expect(seen.at(-1)).toBe('draft: A second sentence that is long enough.')
    await streamer.close()
  })

  test('says when the chat is closed to us, and stops', async () => {
    const { streamer, clock, closed, failNext } = start('draft')
    failNext('blocked')
    streamer.start()
    await clock.advance(20_000)
    expect(closed).toEqual(['blocked'])
  })

  test('only types once somebody deleted the preview', async () => {
    const { streamer, clock, seen, calls, say, failNext } = start('edit', { previewId: 9 })
    streamer.start()
    failNext('target_gone')
    say('A first sentence that is long enough.')
    await clock.advance(100)
    for (let n = 0; n < 10; n++) {
      say(`Another sentence that is long enough, number ${n}.`)
      await clock.advance(1_000)
    }
    expect(seen.filter((sign) => sign !== 'typing')).toEqual([])
    expect(calls.length).toBeLessThanOrEqual(4)
    await streamer.close()
  })

  test('does not insist on typing where that is refused', async () => {
    const { streamer, clock, calls, failNext } = start('draft')
    for (let n = 0; n < 20; n++) failNext('refused')
    streamer.start()
    await clock.advance(10_000)
    expect(calls.length).toBe(3)
    await streamer.close()
  })

  test('goes on after a frame that could not be made', async () => {
    const { streamer, clock, seen, say } = start('draft')
    streamer.start()
    streamer.show(() => {
      throw new RangeError('too deep')
    })
    await clock.advance(1_000)
    say('A first sentence that is long enough.')
    await clock.advance(1_000)
    expect(seen.at(-1)).toBe('draft: A first sentence that is long enough.')
    await streamer.close()
  })

  test('makes no call into a penalty', async () => {
    const { streamer, clock, calls, say, failNext } = start('draft')
    streamer.start()
    await clock.advance(100)
    failNext('retry_after')
    say('A first sentence that is long enough.')
    await clock.advance(1_000)
    const before = calls.length
    await clock.advance(8_000)
    expect(calls.length).toBe(before)
    await clock.advance(5_000)
    expect(calls.length).toBeGreaterThan(before)
    await streamer.close()
  })
})

function start(mode: SignMode, options: { previewId?: number } = {}) {
  const clock = new FakeClock()
  const seen: string[] = []
  const calls: number[] = []
  /** What had been seen when the first edit was announced. */
  const begun: number[] = []
  const closed: string[] = []
  const faults: TelegramFailureKind[] = []
  let held: Promise<void> | undefined
  /** Telegram does not answer until it is told to. */
  const hold = () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    held = promise
    return resolve
  }
  const show = async (sign: string) => {
    calls.push(clock.now())
    const fault = faults.shift()
    if (fault) throw new TelegramFailure(fault, fault, { retryAfterMs: 10_000 })
    seen.push(sign)
    await held
  }
  const budget = new ChatBudget(
    { kind: 'private' },
    { now: clock.now, sleep: clock.sleep, saveSilence: () => undefined },
  )
  const streamer = new Streamer(
    { mode, kind: 'private', startedAt: clock.now(), ...options },
    {
      budget,
      sendDraft: ({ text }) => show(`draft: ${text}`),
      sendTyping: () => show('typing'),
      editPreview: (id, { text }) => show(`edit ${id}: ${text}`),
      onEditing: () => begun.push(seen.length),
      openPreview: async ({ text }) => {
        await show(`open: ${text}`)
        return 9
      },
      onClosed: (reason) => closed.push(reason),
      onThreadGone: () => undefined,
      onMigrated: () => undefined,
      now: clock.now,
      sleep: clock.sleep,
    },
  )
  const say = (text: string) => {
    const frame: Frame = { text: plainText(text), answerChars: text.length }
    streamer.show(() => frame)
  }
  return {
    streamer,
    clock,
    seen,
    begun,
    calls,
    closed,
    say,
    hold,
    failNext: (kind: TelegramFailureKind) => faults.push(kind),
  }
}
