/** Spans of time in a person's language. */
import type { Catalogue } from './english.ts'

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** How long something has taken: `43 s`, `2 min 5 s`. */
export function renderElapsed(ms: number, { duration }: Catalogue): string {
  const seconds = Math.max(0, Math.floor(ms / SECOND_MS))
  if (seconds < 60) return duration.seconds({ seconds })
  return duration.minutes({ minutes: Math.floor(seconds / 60), seconds: seconds % 60 })
}

/** How long something will take or has lasted, roughly: `20 minutes`, `5 hours`, `3 days`. Never rounds up to "now". */
export function renderSpan(ms: number, { duration }: Catalogue): string {
  if (ms >= 2 * DAY_MS) return duration.days({ days: Math.round(ms / DAY_MS) })
  if (ms >= HOUR_MS) return duration.hours({ hours: Math.round(ms / HOUR_MS) })
  return duration.onlyMinutes({ minutes: Math.max(1, Math.round(ms / MINUTE_MS)) })
}
