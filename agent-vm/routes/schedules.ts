/** What a chat has planned: to see and to cancel without asking the model. Making a plan stays the model's: it reads the words. */
import { describeSchedule } from '../background/describe-schedule.ts'
import type { Schedules } from '../background/schedules.ts'
import { ChatId, type SchedulesResponse } from '../protocol.ts'
import { type Call, json, Refused, type Route } from './route.ts'

export interface ScheduleRoutePorts {
  readonly schedules: Schedules
}

export function scheduleRoutes({ schedules }: ScheduleRoutePorts): Route[] {
  return [
    {
      method: 'GET',
      path: '/schedules',
      handle: (call) => {
        const planned = schedules.list(chatIdOf(call))
        const response: SchedulesResponse = {
          schedules: planned.map(({ id, prompt, ...schedule }) => ({ id, prompt, when: describeSchedule(schedule) })),
        }
        return json(response)
      },
    },
    {
      method: 'DELETE',
      path: '/schedules/:id{[0-9]{1,9}}',
      handle: (call) => {
        if (schedules.cancel(Number(call.params.id), chatIdOf(call))) return json({ status: 'ok' })
        throw new Refused(404, { error: 'not_found', message: 'There is no such schedule.' })
      },
    },
  ]
}

function chatIdOf({ query }: Call): string {
  const chatId = ChatId.safeParse(query.get('chat_id'))
  if (chatId.success) return chatId.data
  throw new Refused(400, { error: 'invalid_request', message: 'chat_id is not valid' })
}
