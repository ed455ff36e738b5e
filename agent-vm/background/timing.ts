/** When something is due: what the model may ask for, and the next time after a given one. Pure: the clock is an argument. */
import { Cron } from 'croner'

export type Timing =
  | { readonly kind: 'once' }
  | { readonly kind: 'every'; readonly everyMinutes: number }
  | { readonly kind: 'cron'; readonly expression: string }

export interface TimingRequest {
  readonly at?: string | undefined
  readonly in_minutes?: number | undefined
  readonly every_minutes?: number | undefined
  readonly cron?: string | undefined
}

export interface PlannedTiming {
  readonly timing: Timing
  readonly timezone: string
  readonly dueAtMs: number
}

/** What the model can put right; `message` is for it. */
export class TimingRefused extends Error {
  readonly code = 'timing_refused'
}

const LOCAL_TIME = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(?::(\d{2}))?(?:\.\d+)?$/
const OFFSET_TIME = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2})?(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})$/
const MINUTE_MS = 60_000
const FURTHEST_MS = 10 * 365 * 86_400_000

/** @throws {TimingRefused} */
export function parseTiming(request: TimingRequest, timezone: string, nowMs: number): PlannedTiming {
  checkTimezone(timezone)
  const { at, in_minutes: inMinutes, every_minutes: everyMinutes, cron } = request
  const given = [at, inMinutes, everyMinutes, cron].filter((value) => value !== undefined)
  if (given.length !== 1) throw new TimingRefused('Give exactly one of at, in_minutes, every_minutes, cron.')
  if (at !== undefined) return { timing: { kind: 'once' }, timezone, dueAtMs: parseAt(at, timezone, nowMs) }
  if (inMinutes !== undefined) return { timing: { kind: 'once' }, timezone, dueAtMs: nowMs + inMinutes * MINUTE_MS }
  const timing: Timing =
    cron !== undefined ? { kind: 'cron', expression: cron.trim() } : { kind: 'every', everyMinutes: everyMinutes ?? 0 }
  const dueAtMs = nextAfter(timing, timezone, nowMs, nowMs)
  if (dueAtMs === undefined) throw new TimingRefused(`The cron expression ${cron} is never due.`)
  return { timing, timezone, dueAtMs }
}

/**
 * @param dueAtMs when it was due last; what was missed since then is not made up for
 * @returns `undefined` when it is not due again
 */
export function nextAfter(timing: Timing, timezone: string, dueAtMs: number, nowMs: number): number | undefined {
  if (timing.kind === 'once') return undefined
  if (timing.kind === 'cron') return parseCron(timing.expression, timezone).nextRun(new Date(nowMs))?.getTime()
  const distance = timing.everyMinutes * MINUTE_MS
  const missed = Math.max(0, Math.floor((nowMs - dueAtMs) / distance))
  return dueAtMs + (missed + 1) * distance
}

function parseCron(expression: string, timezone: string): Cron {
  // Five fields: with seconds it could be due every second, and each time costs a turn.
  if (expression.trim().split(/\s+/).length !== 5 && !expression.startsWith('@')) {
    throw new TimingRefused('A cron expression has five fields: minute hour day month weekday.')
  }
  try {
    return new Cron(expression, { timezone, paused: true })
  } catch (error) {
    throw new TimingRefused(`The cron expression is not valid: ${error instanceof Error ? error.message : ''}`, {
      cause: error,
    })
  }
}

function parseAt(at: string, timezone: string, nowMs: number): number {
  const text = at.trim()
  const time = OFFSET_TIME.test(text) ? Date.parse(text.replace(' ', 'T')) : parseLocal(text, timezone)
  if (Number.isNaN(time)) {
    throw new TimingRefused(`${JSON.stringify(at)} is no time. Write local time as 2026-12-24T18:00.`)
  }
  if (time <= nowMs) {
    const now = new Date(nowMs).toLocaleString('sv-SE', { timeZone: timezone }).slice(0, 16)
    throw new TimingRefused(`${at} is in the past: in ${timezone} it is ${now} now.`)
  }
  if (time - nowMs > FURTHEST_MS) throw new TimingRefused(`${at} is more than ten years away.`)
  return time
}

/** A local time that the clock skips in spring counts as the moment after; one that comes twice as the first. */
function parseLocal(text: string, timezone: string): number {
  const match = LOCAL_TIME.exec(text)
  if (!match) return Number.NaN
  const asUtc = Date.parse(`${match[1]}T${match[2]}:${match[3] ?? '00'}Z`)
  if (Number.isNaN(asUtc) || !new Date(asUtc).toISOString().startsWith(match[1] ?? ' ')) return Number.NaN
  const candidates = [offsetMs(asUtc - 86_400_000, timezone), offsetMs(asUtc + 86_400_000, timezone)]
    .map((offset) => asUtc - offset)
    .sort((one, other) => one - other)
  return candidates.find((time) => time + offsetMs(time, timezone) === asUtc) ?? candidates.at(-1) ?? Number.NaN
}

/** How far the zone's clock is ahead of UTC at that moment. */
function offsetMs(atMs: number, timezone: string): number {
  const local = new Date(atMs).toLocaleString('sv-SE', { timeZone: timezone })
  return Date.parse(`${local.replace(' ', 'T')}Z`) - Math.floor(atMs / 1000) * 1000
}

function checkTimezone(timezone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone })
  } catch (error) {
    throw new TimingRefused(`${JSON.stringify(timezone)} is no IANA time zone. Write it like Europe/Berlin.`, {
      cause: error,
    })
  }
}
