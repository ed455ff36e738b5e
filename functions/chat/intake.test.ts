import type { Message, Update } from 'grammy/types'
import { expect, test } from 'vitest'
import { openStore } from './chat-store.ts'
import { deliveryWords } from './delivery-words.ts'
import type { HandlerPorts } from './handling.ts'
import { Inbox } from './inbox.ts'
import { Intake } from './intake.ts'
import { Outbox } from './outbox.ts'
import { fakeChatDatabase } from './testing/chat-database.fake.ts'
import { privateMessage } from './testing/messages.fake.ts'
import { TurnStore } from './turn-store.ts'

test('a long paste answers a menu as a whole: its second half is not for whoever comes next', async () => {
  const { add, step, handled, clock } = start()
  add(1, { text: 'x'.repeat(4_096) })
  expect(await step()).toBe(1_500)
  clock.now = 300
  add(2, { text: 'the rest' })
  while ((await step()) === 'more');
  expect(handled).toEqual([`${'x'.repeat(4_096)}the rest`])
})

test('a command after a long paste does not wait, and stays a command', async () => {
  const { add, step, handled } = start()
  add(1, { text: 'x'.repeat(4_096) })
  add(2, { text: '/cancel' })
  while ((await step()) === 'more');
  expect(handled).toEqual(['x'.repeat(4_096), '/cancel'])
})

function start() {
  const database = fakeChatDatabase()
  const inbox = new Inbox(database)
  const handled: (string | undefined)[] = []
  const clock = { now: 0 }
  const intake = new Intake({
    database,
    inbox,
    outbox: new Outbox(database),
    turns: new TurnStore(database),
    handleUpdate: async ({ message }) => {
      handled.push(message?.text)
      return { outgoing: [] }
    },
    openWords: async (update) => update,
    handlerPorts: async () => ({ ports: {} as HandlerPorts, store: openStore(database) }),
    turnIdOf: ({ update_id }) => `u-${update_id}`,
    answerCallback: async () => undefined,
    words: () => deliveryWords('en'),
    onOutgoing: () => undefined,
    onTurn: () => undefined,
    now: () => clock.now,
  })
  return {
    handled,
    clock,
    step: () => intake.step('control'),
    add: (update_id: number, fields: Partial<Message>) =>
      inbox.add({ update_id, message: privateMessage(fields) } as Update, 'control', clock.now),
  }
}
