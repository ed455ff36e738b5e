import { describe, expect, test } from 'vitest'
import { ChatBudget } from './chat-budget.ts'
import { TelegramFailure } from './telegram-failure.ts'
import { FakeClock, settle } from './testing/clock.fake.ts'

describe('ChatBudget', () => {
  test('lets a burst through, then one a second', async () => {
    const { budget, clock, sent } = start('private')
    for (let i = 0; i < 7; i++) void budget.call('message', sent('m'))
    await settle()
    expect(sent.times).toEqual([0, 0, 0, 0])
    await clock.advance(3_000)
    expect(sent.times.slice(4)).toEqual([1_000, 2_000, 3_000])
  })

  test('sends what matters most first, whoever asked first', async () => {
    const { budget, clock, sent } = start('private')
    for (let i = 0; i < 4; i++) void budget.call('message', sent('burst'))
    void budget.call('action', sent('typing'))
    void budget.call('frame', sent('frame'))
    void budget.call('message', sent('final'))
    await clock.advance(10_000)
    expect(sent.names.slice(4)).toEqual(['final', 'frame', 'typing'])
  })

  test('keeps one call for the final when previews use up the rest', async () => {
    const { budget, sent } = start('private')
    for (let i = 0; i < 4; i++) void budget.call('frame', sent('frame'))
    await settle()
    expect(sent.names).toEqual(['frame', 'frame', 'frame'])
    void budget.call('message', sent('final'))
    await settle()
    expect(sent.names).toEqual(['frame', 'frame', 'frame', 'final'])
  })

  test('is silent until a penalty is over, then sends the final first', async () => {
    const { budget, clock, sent, saved } = start('private')
    const refused = budget.call('frame', () => Promise.reject(penalty(30_000))).catch((error: Error) => error)
    void budget.call('frame', sent('frame'))
    await settle()
    void budget.call('message', sent('final'))
    expect(await refused).toBeInstanceOf(TelegramFailure)
    await clock.advance(30_000)
    expect(sent.names).toEqual([])
    await clock.advance(300)
    expect(sent.names[0]).toBe('final')
    expect(saved).toEqual([clock.now() - 30_300 + 30_250])
  })

  test('never has two calls under way, so that a penalty stops the second', async () => {
    const { budget, clock, sent } = start('private')
    const release: { now?: () => void } = {}
    const first = budget.call('message', () => new Promise<void>((resolve) => (release.now = resolve)))
    void budget.call('message', sent('second'))
    await clock.advance(5_000)
    expect(sent.names).toEqual([])
    release.now?.()
    await first
    await settle()
    expect(sent.names).toEqual(['second'])
  })

  test('lets others go on during an upload', async () => {
    const { budget, sent } = start('private')
    void budget.call('message', () => new Promise(() => undefined), { alone: false })
    void budget.call('message', sent('reply'))
    await settle()
    expect(sent.names).toEqual(['reply'])
  })

  test('still knows a penalty after a restart', async () => {
    const clock = new FakeClock()
    const budget = new ChatBudget({ kind: 'private', silentUntil: clock.now() + 5_000 }, portsOf(clock))
    let isSent = false
    void budget.call('message', async () => {
      isSent = true
    })
    await clock.advance(4_999)
    expect(isSent).toBe(false)
    await clock.advance(1)
    expect(isSent).toBe(true)
  })

  test('keeps to twenty a minute in groups over a restart in the middle of a turn', async () => {
    const clock = new FakeClock()
    const budget = new ChatBudget({ kind: 'group', isSpent: true }, portsOf(clock))
    const seen: string[] = []
    void budget.call('frame', async () => void seen.push('frame'))
    for (let i = 0; i < 6; i++) void budget.call('message', async () => void seen.push('message'))
    await clock.advance(10_000)
    expect(seen).toEqual(Array(5).fill('message'))
    await clock.advance(60_000)
    expect(seen.length).toBe(7)
  })

  test('stays below twenty a minute in groups, and keeps room for messages', async () => {
    const { budget, clock, sent } = start('group')
    for (let i = 0; i < 40; i++) void budget.call('frame', sent('frame'))
    await clock.advance(59_000)
    expect(sent.names.length).toBeLessThanOrEqual(14)
    for (let i = 0; i < 10; i++) void budget.call('message', sent('message'))
    await clock.advance(900)
    expect(inAnyMinute(sent.times)).toBeLessThan(20)
    expect(sent.names).toContain('message')
    await clock.advance(120_000)
    expect(inAnyMinute(sent.times)).toBeLessThan(20)
  })

  test('slows previews down after a penalty, and recovers', async () => {
    const { budget, clock } = start('private')
    await budget.call('frame', () => Promise.reject(penalty(1_000))).catch(() => undefined)
    expect(budget.slowdown).toBe(2)
    await clock.advance(120_000)
    expect(budget.slowdown).toBe(1)
  })

  test('gives up a call whose signal fires before its turn', async () => {
    const { budget, sent } = start('private')
    for (let i = 0; i < 4; i++) void budget.call('message', sent('burst'))
    const abort = new AbortController()
    const waiting = budget.call('frame', sent('frame'), { signal: abort.signal })
    abort.abort()
    expect(await waiting).toBeUndefined()
    await settle()
    expect(sent.names).not.toContain('frame')
  })

  test('goes on after a call that failed', async () => {
    const { budget, sent } = start('private')
    await expect(budget.call('message', () => Promise.reject(new TelegramFailure('unknown', 'x')))).rejects.toThrow()
    await budget.call('message', sent('next'))
    expect(sent.names).toEqual(['next'])
  })
})

describe('topics of one chat', () => {
  test('stay below twenty a minute together, messages first', async () => {
    const { clock, main, topics, times } = startTopics()
    const said: string[] = []
    for (const [n, topic] of topics.entries()) {
      for (let i = 0; i < 15; i++) void topic.call('frame', times('frame'))
      void topic.call('message', async () => void said.push(`final ${n}`))
    }
    void main.call('message', times('main'))
    await clock.advance(10_000)
    expect(said.toSorted()).toEqual(['final 0', 'final 1'])
    await clock.advance(300_000)
    expect(inAnyMinute(times.all)).toBeLessThan(20)
    expect(times.all.length).toBe(31)
  })

  test('are silent together when one is refused', async () => {
    const { clock, main, topics, times } = startTopics()
    const [one, two] = topics
    await one?.call('frame', () => Promise.reject(penalty(30_000))).catch(() => undefined)
    void two?.call('message', times('two'))
    void main.call('message', times('main'))
    await clock.advance(30_000)
    expect(times.all).toEqual([])
    await clock.advance(1_000)
    expect(times.all.length).toBe(2)
  })

  test('call one after the other, so that a penalty of one is known to the next', async () => {
    const { clock, topics, times } = startTopics()
    for (const topic of topics) void topic.call('message', times('at once'))
    await clock.advance(2_000)
    const [first = 0, second = 0] = times.all
    expect(second - first).toBeGreaterThanOrEqual(300)
  })

  test('never ask for a call that was given up', async () => {
    const { clock, topics, times } = startTopics()
    const abort = new AbortController()
    const given = topics[0]?.call('frame', times('frame'), { signal: abort.signal })
    abort.abort()
    expect(await given).toBeUndefined()
    void topics[0]?.call('message', times('next'))
    await clock.advance(1_000)
    expect(times.all.length).toBe(1)
  })
})

function startTopics() {
  const clock = new FakeClock()
  const main = new ChatBudget({ kind: 'group' }, portsOf(clock))
  const shared = {
    take: async (urgency: Parameters<ChatBudget['takeFor']>[0]) => main.takeFor(urgency),
    silence: async (until: number) => main.silence(until),
  }
  const topics = [1, 2].map(() => new ChatBudget({ kind: 'group', shared }, portsOf(clock)))
  const all: number[] = []
  const times = Object.assign((_: string) => async () => void all.push(clock.now()), { all })
  return { clock, main, topics, times }
}

function start(kind: 'private' | 'group') {
  const clock = new FakeClock()
  const began = clock.now()
  const saved: number[] = []
  const budget = new ChatBudget({ kind }, { ...portsOf(clock), saveSilence: (until) => saved.push(until) })
  const names: string[] = []
  const times: number[] = []
  const sent = Object.assign(
    (name: string) => async () => {
      names.push(name)
      times.push(clock.now() - began)
    },
    { names, times },
  )
  return { budget, clock, sent, saved }
}

function portsOf(clock: FakeClock) {
  return { now: clock.now, sleep: clock.sleep, saveSilence: () => undefined }
}

function penalty(retryAfterMs: number): TelegramFailure {
  return new TelegramFailure('retry_after', 'Too Many Requests', { retryAfterMs })
}

function inAnyMinute(times: readonly number[]): number {
  return Math.max(...times.map((start) => times.filter((time) => time >= start && time < start + 60_000).length))
}
