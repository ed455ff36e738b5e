/** What a chat has planned: to see and to cancel without asking the model. Making a plan stays the model's: it reads the words. */
import { Hono } from 'hono'
import { describeSchedule } from '../background/describe-schedule.ts'
import type { Schedules } from '../background/schedules.ts'
import { ChatId, type SchedulesResponse } from '../protocol.ts'
import { refuse } from './json-body.ts'

export interface ScheduleRoutePorts {
  readonly schedules: Schedules
}

export function scheduleRoutes({ schedules }: ScheduleRoutePorts): Hono {
  const app = new Hono()
  app.get('/schedules', (c) => {
    const planned = schedules.list(chatIdOf(c.req.query('chat_id')))
    const response: SchedulesResponse = {
      schedules: planned.map(({ id, prompt, ...schedule }) => ({ id, prompt, when: describeSchedule(schedule) })),
    }
    return c.json(response)
  })
  app.delete('/schedules/:id{[0-9]{1,9}}', (c) => {
    const cancelled = schedules.cancel(Number(c.req.param('id')), chatIdOf(c.req.query('chat_id')))
    if (cancelled) return c.json({ status: 'ok' })
    throw refuse(404, { error: 'not_found', message: 'There is no such schedule.' })
  })
  return app
}

function chatIdOf(value: string | undefined): string {
  const chatId = ChatId.safeParse(value)
  if (chatId.success) return chatId.data
  throw refuse(400, { error: 'invalid_request', message: 'chat_id is not valid' })
}
