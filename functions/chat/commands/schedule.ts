/** /schedule: tasks at set times. The agent keeps them itself, so it is the agent that is asked. */

import { talk } from '../agents/talk.ts'
import type { Router } from '../routing/baal-context.ts'
import { onCommand } from '../routing/on-command.ts'

export function registerSchedule(router: Router): void {
  onCommand(router, 'schedule', (ctx, task) => {
    const { schedule } = ctx.words
    const message = task ? schedule.add({ task, timezone: ctx.user.timezone ?? '' }) : schedule.show
    return talk(ctx, { message, source: ctx.message })
  })
}
