/** Reminders and repeated work; only the owner's, since each run costs. */
import { z } from 'zod'
import { describeSchedule, renderLocalTime } from '../background/describe-schedule.ts'
import { parseTiming, TimingRefused } from '../background/timing.ts'
import { defineTool, ownerOnly, type ToolHost } from './tool.ts'
import type { ToolContext, ToolResult } from './tool-runner.ts'

const Input = z.object({
  action: z.enum(['create', 'list', 'cancel']),
  prompt: z
    .string()
    .min(1)
    .max(10_000)
    .optional()
    .describe('What you shall do or say when it is due, complete in itself: you will not see this conversation then.'),
  at: z.string().max(40).optional().describe('Once, at this local time: 2026-12-24T18:00.'),
  in_minutes: z.number().min(0.1).max(5_256_000).optional().describe('Once, so many minutes from now.'),
  every_minutes: z.number().min(1).max(525_600).optional().describe('Again and again, at this distance.'),
  cron: z.string().max(100).optional().describe('Again and again: five fields, local time, such as 0 8 * * 1-5.'),
  timezone: z
    .string()
    .max(64)
    .optional()
    .describe('IANA name of the person’s time zone, such as Europe/Berlin. Kept for the next time.'),
  id: z.int().min(1).max(1_000_000_000).optional().describe('For cancel: the number that list shows.'),
})

export const schedule = defineTool({
  name: 'schedule',
  description:
    'Set, list or cancel reminders and repeated tasks. Create takes prompt and exactly one of at, in_minutes, every_minutes, cron. When it is due you are woken with the prompt and your answer is sent to the person. Times are local to the person: pass timezone when you know it, ask once when you do not. Repeat the confirmed local time to the person.',
  input: Input,
  readsOnly: false,
  serves: ownerOnly,
  run: async (input, context, host) => {
    if (input.action === 'list') return list(context, host)
    if (input.action === 'cancel') return cancel(input.id, context, host)
    return create(input, context, host)
  },
})

function create(input: z.output<typeof Input>, context: ToolContext, { schedules }: ToolHost): ToolResult {
  if (input.prompt === undefined) return refuse('create needs a prompt.')
  const known = input.timezone ?? context.user.timezone ?? schedules.timezone(context.chatId)
  try {
    const timing = parseTiming(input, known ?? 'UTC', schedules.now())
    const { chatId, user } = context
    const added = schedules.add({ chatId, user, prompt: input.prompt, ...timing })
    if (added === undefined) return refuse('There are too many schedules already. Cancel some first (action list).')
    if (input.timezone !== undefined) schedules.rememberTimezone(chatId, input.timezone)
    const when = describeSchedule(added)
    const doubt =
      known === undefined && input.in_minutes === undefined && input.every_minutes === undefined
        ? ' No time zone is known, so UTC was taken: ask the person for theirs, then cancel this and create it again with timezone.'
        : ''
    return { ok: true, content: `Schedule ${added.id} is set: ${when}.${doubt}`, summary: `scheduled: ${when}` }
  } catch (error) {
    if (error instanceof TimingRefused) return refuse(error.message)
    throw error
  }
}

function list({ chatId }: ToolContext, { schedules }: ToolHost): ToolResult {
  const all = schedules.list(chatId)
  const timezone = schedules.timezone(chatId) ?? 'UTC'
  const lines = all.map((each) => `${each.id}. ${describeSchedule(each)}: ${each.prompt}`)
  const now = `Now it is ${renderLocalTime(schedules.now(), timezone)}.`
  return {
    ok: true,
    content: lines.length === 0 ? `Nothing is scheduled. ${now}` : `${lines.join('\n')}\n${now}`,
    summary: `${all.length} schedules`,
  }
}

function cancel(id: number | undefined, { chatId }: ToolContext, { schedules }: ToolHost): ToolResult {
  if (id === undefined) return refuse('cancel needs an id. Use action list to see them.')
  if (!schedules.cancel(id, chatId)) return refuse(`There is no schedule ${id}. Use action list to see them.`)
  return { ok: true, content: `Schedule ${id} is cancelled.`, summary: `cancelled schedule ${id}` }
}

function refuse(message: string): ToolResult {
  return { ok: false, content: `Not done: ${message}`, summary: message.slice(0, 120) }
}
