/**
 * Runs what is due. At least once: a schedule is marked as running before its turn is asked for, and what was running when the
 * process ended is asked for again; at most once: the turn's id is made from the schedule and its time, and an id runs once.
 */
import { describeError, type Log } from '../log.ts'
import type { BackgroundRequest } from '../turn/background-turns.ts'
import { renderLocalTime } from './describe-schedule.ts'
import type { Schedule, Schedules } from './schedules.ts'
import { nextAfter } from './timing.ts'

/** A turn that could not even be run is tried again after so long, then given up for this time. */
export const RETRY_MS = [60_000, 300_000, 900_000] as const
/** Later than this, the agent is told so. */
const LATE_MS = 5 * 60_000

export interface SchedulerPorts {
  readonly schedules: Schedules
  readonly runTurn: (request: BackgroundRequest) => Promise<unknown>
  readonly log: Log
}

/** Starts everything that is due. @returns when all of it has ended, for tests; the clock does not wait */
export async function runDue(ports: SchedulerPorts): Promise<void> {
  const due = ports.schedules.due()
  for (const { id } of due) ports.schedules.begin(id)
  await Promise.all(due.map((schedule) => runOne(schedule, ports)))
}

async function runOne(schedule: Schedule, { schedules, runTurn, log }: SchedulerPorts): Promise<void> {
  const { id, chatId, user, dueAtMs, timing, timezone, attempts } = schedule
  const turnId = `schedule-${id}-${dueAtMs}`
  try {
    const prompt = renderPrompt(schedule, schedules.now())
    await runTurn({ origin: 'schedule', turnId, chatId, user, prompt, task: schedule.prompt })
  } catch (error) {
    log('warn', 'schedule_not_run', { schedule: id, turn: turnId, attempts, reason: describeError(error) })
    const pause = RETRY_MS[attempts]
    if (pause !== undefined) {
      schedules.postpone(id, schedules.now() + pause)
      return
    }
  }
  schedules.finish(id, nextAfter(timing, timezone, dueAtMs, schedules.now()))
}

function renderPrompt({ id, prompt, dueAtMs, timezone }: Schedule, nowMs: number): string {
  const late =
    nowMs - dueAtMs > LATE_MS
      ? ` It is run late, at ${renderLocalTime(nowMs, timezone)}, because the machine was off or busy: say so if it matters.`
      : ''
  return `[Schedule ${id}, due ${renderLocalTime(dueAtMs, timezone)}.${late}]\n${prompt}`
}
