/** Times as the person reads them. */
import type { Schedule } from './schedules.ts'

/** `Tue 24 Nov 2026, 09:00 (Europe/Berlin)` */
export function renderLocalTime(atMs: number, timezone: string): string {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: timezone,
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(atMs)
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((each) => each.type === type)?.value ?? ''
  return `${part('weekday')} ${part('day')} ${part('month')} ${part('year')}, ${part('hour')}:${part('minute')} (${timezone})`
}

export function describeSchedule({
  timing,
  timezone,
  dueAtMs,
}: Pick<Schedule, 'timing' | 'timezone' | 'dueAtMs'>): string {
  const next = renderLocalTime(dueAtMs, timezone)
  if (timing.kind === 'once') return next
  if (timing.kind === 'cron') return `cron ${timing.expression}, next ${next}`
  return `every ${describeMinutes(timing.everyMinutes)}, next ${next}`
}

function describeMinutes(minutes: number): string {
  const units = [
    [10_080, 'week'],
    [1440, 'day'],
    [60, 'hour'],
  ] as const
  for (const [size, name] of units) {
    if (minutes % size === 0) return minutes === size ? name : `${minutes / size} ${name}s`
  }
  return minutes === 1 ? 'minute' : `${minutes} minutes`
}
