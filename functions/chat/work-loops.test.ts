import { describe, expect, test } from 'vitest'
import { FakeClock, settle } from './testing/clock.fake.ts'
import { type Lane, WorkLoops } from './work-loops.ts'

const never = new AbortController().signal

describe('WorkLoops', () => {
  test('ends when every lane rests, and says when to come back', async () => {
    const { loops, clock } = start([lane('a', [Number.POSITIVE_INFINITY]), lane('b', [60_000])])
    expect(await loops.run(never)).toBe(clock.now() + 60_000)
  })

  test('says that nothing is left', async () => {
    const { loops } = start([lane('a', ['more', 'more', Number.POSITIVE_INFINITY])])
    expect(await loops.run(never)).toBeUndefined()
  })

  test('sits out a short wait', async () => {
    const a = lane('a', [5_000, Number.POSITIVE_INFINITY])
    const { loops, clock } = start([a])
    const run = loops.run(never)
    await clock.advance(5_000)
    expect(await run).toBeUndefined()
    expect(a.steps).toBe(2)
  })

  test('wakes a resting lane while another works', async () => {
    const gate: { open?: () => void } = {}
    const busy: Lane = {
      name: 'busy',
      step: () => new Promise((resolve) => (gate.open = () => resolve(Number.POSITIVE_INFINITY))),
    }
    const a = lane('a', [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY])
    const { loops } = start([busy, a])
    const run = loops.run(never)
    await settle()
    expect(loops.kick('a')).toBe(true)
    await settle()
    expect(a.steps).toBe(2)
    gate.open?.()
    await run
  })

  test('looks again when it was kicked in the middle of a step', async () => {
    const box: { loops?: WorkLoops } = {}
    let steps = 0
    const a: Lane = {
      name: 'a',
      step: async () => {
        steps += 1
        if (steps === 1) box.loops?.kick('a')
        return Number.POSITIVE_INFINITY
      },
    }
    const { loops } = start([a])
    box.loops = loops
    await loops.run(never)
    expect(steps).toBe(2)
  })

  test('does not take a kick when nothing runs: somebody must set an alarm', async () => {
    const { loops } = start([lane('a', [Number.POSITIVE_INFINITY])])
    expect(loops.kick('a')).toBe(false)
    await loops.run(never)
    expect(loops.kick('a')).toBe(false)
  })

  test('hands over when told, and asks to run again at once', async () => {
    const handover = new AbortController()
    const a: Lane = {
      name: 'a',
      step: (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve('more'))),
    }
    const { loops, clock } = start([a])
    const run = loops.run(handover.signal)
    await settle()
    handover.abort()
    expect(await run).toBe(clock.now())
  })

  test('keeps a lane at work while another cannot let go yet, and no longer', async () => {
    const handover = new AbortController()
    const upload = Promise.withResolvers<'more'>()
    const sending: Lane = { name: 'sending', step: () => upload.promise }
    const words = lane('words', [Number.POSITIVE_INFINITY])
    const commands = { ...lane('commands', [Number.POSITIVE_INFINITY]), untilLast: true }
    const { loops, clock } = start([sending, words, commands])
    const run = loops.run(handover.signal)
    await settle()
    handover.abort()
    await settle()
    expect([loops.kick('words'), loops.kick('commands')]).toEqual([true, true])
    await settle()
    expect([words.steps, commands.steps]).toEqual([1, 2])
    upload.resolve('more')
    expect(await run).toBe(clock.now())
    expect([words.steps, commands.steps]).toEqual([1, 2])
  })

  test('tries again after an ordinary error', async () => {
    let steps = 0
    const a: Lane = {
      name: 'a',
      step: async () => {
        steps += 1
        if (steps === 1) throw new Error('ordinary')
        return Number.POSITIVE_INFINITY
      },
    }
    const { loops, clock } = start([a])
    const run = loops.run(never)
    await clock.advance(2_000)
    expect(await run).toBeUndefined()
    expect(steps).toBe(2)
  })

  test('lets a fatal error out, and stops the other lanes', async () => {
    const other: Lane = {
      name: 'other',
      step: (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve('more'))),
    }
    const a: Lane = { name: 'a', step: () => Promise.reject(new Error('fatal')) }
    const { loops } = start([other, a])
    await expect(loops.run(never)).rejects.toThrow('fatal')
  })
})

function start(lanes: readonly Lane[]) {
  const clock = new FakeClock()
  times.clock = clock
  const failed = (_: string, error: unknown) => error instanceof Error && error.message === 'fatal'
  return { clock, loops: new WorkLoops(lanes, { now: clock.now, sleep: clock.sleep, failed }) }
}

const times: { clock?: FakeClock } = {}

/** @param results what each step says: a number is ms from now */
function lane(name: string, results: ('more' | number)[]): Lane & { steps: number } {
  const made = {
    name,
    steps: 0,
    async step() {
      const result = results[Math.min(this.steps, results.length - 1)] ?? Number.POSITIVE_INFINITY
      this.steps += 1
      return result === 'more' ? result : (times.clock?.now() ?? 0) + result
    },
  }
  return made
}
