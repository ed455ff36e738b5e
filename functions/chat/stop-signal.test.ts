import { expect, test } from 'vitest'
import { isStopSignal } from './stop-signal.ts'

test.each([
  [{ message: { text: '/stop' } }, true],
  [{ message: { text: '/stop@baal_bot now' } }, true],
  [{ message: { text: '/stopwatch' } }, false],
  [{ message: { text: 'please /stop' } }, false],
  [{ message: { text: 7 } }, false],
  [{ callback_query: { data: 'stop:u-7-1' } }, true],
  [{ callback_query: { data: 'steps:u-7-1' } }, false],
  [{ stopped_message_generation: { draft_id: 1 } }, true],
  [{}, false],
])('%j means stop: %s', (update, isStop) => {
  expect(isStopSignal({ update_id: 1, ...update } as never)).toBe(isStop)
})
