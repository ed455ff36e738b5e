import { describe, expect, test } from 'vitest'
import { describeSchedule, renderLocalTime } from './describe-schedule.ts'
import { nextAfter, parseTiming, TimingRefused } from './timing.ts'

const NOW = Date.parse('2026-03-27T12:00:00Z')
const iso = (time: number | undefined) => time && new Date(time).toISOString()
const dueAt = (request: Parameters<typeof parseTiming>[0], timezone = 'Europe/Berlin', now = NOW) =>
  iso(parseTiming(request, timezone, now).dueAtMs)

describe('parseTiming', () => {
  test('takes local time in the person’s zone, with summer time', () => {
    expect(dueAt({ at: '2026-03-28T09:00' })).toBe('2026-03-28T08:00:00.000Z')
    expect(dueAt({ at: '2026-03-30 09:00' })).toBe('2026-03-30T07:00:00.000Z')
    expect(dueAt({ at: '2026-12-24T18:30:15' }, 'America/New_York')).toBe('2026-12-24T23:30:15.000Z')
    expect(dueAt({ at: '2026-12-24T18:30' }, 'Asia/Kolkata')).toBe('2026-12-24T13:00:00.000Z')
  })

  test('a time that the clock skips is the moment after, one that comes twice the first', () => {
    expect(dueAt({ at: '2026-03-29T02:30' })).toBe('2026-03-29T01:30:00.000Z')
    expect(dueAt({ at: '2026-10-25T02:30' })).toBe('2026-10-25T00:30:00.000Z')
  })

  test('takes a time that names its own offset', () => {
    expect(dueAt({ at: '2026-03-28T09:00Z' })).toBe('2026-03-28T09:00:00.000Z')
    expect(dueAt({ at: '2026-03-28T09:00:00-05:00' })).toBe('2026-03-28T14:00:00.000Z')
  })

  test('takes distances and cron expressions', () => {
    expect(dueAt({ in_minutes: 20 })).toBe('2026-03-27T12:20:00.000Z')
    expect(dueAt({ every_minutes: 90 })).toBe('2026-03-27T13:30:00.000Z')
    expect(dueAt({ cron: '0 8 * * 1-5' })).toBe('2026-03-30T06:00:00.000Z')
    expect(dueAt({ cron: '@daily' })).toBe('2026-03-27T23:00:00.000Z')
  })

  test.each([
    [{}, 'exactly one'],
    [{ at: '2026-03-28T09:00', in_minutes: 5 }, 'exactly one'],
    [{ at: 'tomorrow' }, 'is no time'],
    [{ at: '2026-02-30T09:00' }, 'is no time'],
    [{ at: '2026-03-27T12:30' }, 'in the past: in Europe/Berlin it is 2026-03-27 13:00 now'],
    [{ at: '2099-01-01T00:00' }, 'more than ten years'],
    [{ cron: '* * * * * *' }, 'five fields'],
    [{ cron: '99 * * * *' }, 'not valid'],
    [{ cron: '0 0 30 2 *' }, 'never due'],
  ])('refuses %j', (request, message) => {
    expect(() => parseTiming(request, 'Europe/Berlin', NOW)).toThrow(TimingRefused)
    expect(() => parseTiming(request, 'Europe/Berlin', NOW)).toThrow(message)
  })

  test('refuses a zone that does not exist', () => {
    expect(() => parseTiming({ in_minutes: 5 }, 'Berlin/Germany', NOW)).toThrow('no IANA time zone')
  })
})

describe('nextAfter', () => {
  test('what was missed is not made up for, and the rhythm stays', () => {
    const every = { kind: 'every', everyMinutes: 60 } as const
    const due = Date.parse('2026-03-27T00:10:00Z')
    expect(iso(nextAfter(every, 'UTC', due, due))).toBe('2026-03-27T01:10:00.000Z')
    expect(iso(nextAfter(every, 'UTC', due, NOW))).toBe('2026-03-27T12:10:00.000Z')
    expect(nextAfter({ kind: 'once' }, 'UTC', due, NOW)).toBeUndefined()
  })

  test('a cron time keeps its local hour over the change of summer time', () => {
    const daily = { kind: 'cron', expression: '0 8 * * *' } as const
    const times = ['2026-03-28T06:00:00Z', '2026-03-28T08:00:00Z'].map((now) =>
      iso(nextAfter(daily, 'Europe/Berlin', 0, Date.parse(now))),
    )
    expect(times).toEqual(['2026-03-28T07:00:00.000Z', '2026-03-29T06:00:00.000Z'])
  })
})

test('times are shown as the person reads them', () => {
  expect(renderLocalTime(NOW, 'Asia/Tokyo')).toBe('Fri 27 Mar 2026, 21:00 (Asia/Tokyo)')
  const base = { timezone: 'UTC', dueAtMs: NOW }
  expect(describeSchedule({ ...base, timing: { kind: 'every', everyMinutes: 1440 } })).toMatch(/^every day, next Fri/)
  expect(describeSchedule({ ...base, timing: { kind: 'every', everyMinutes: 180 } })).toMatch(/^every 3 hours, /)
  expect(describeSchedule({ ...base, timing: { kind: 'every', everyMinutes: 45 } })).toMatch(/^every 45 minutes, /)
})
