import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type DeliveryHarness, newcomer, startDelivery } from './testing/delivery-harness.ts'

let world: DeliveryHarness
const TABLE = '| day | plan |\n|---|---|\n| Sa | rest |'
const BOOK = `${TABLE}\n\n${'Words of a long answer, one after the other. '.repeat(400)}`

beforeAll(async () => {
  world = await startDelivery((turn) => turn.say(TABLE))
})
beforeEach(() => world.telegram.sim.clearFaults())
afterAll(() => world?.close())

test('a table for who wants rich messages is a table, and text for who does not', async () => {
  const { person, sim } = newcomer(world)
  world.agent.brain = (turn) => turn.say(TABLE)
  sim.sendText({ from: person }, 'rich please')
  const { rich_message } = await sim.waitForBot(person, ({ rich_message }) => rich_message !== undefined)
  expect(rich_message?.blocks).toMatchObject([{ type: 'table' }])
  sim.sendText({ from: person }, 'plain please')
  await sim.waitForBot(person, 'Sa  │ rest')
  expect(sim.botMessages(person)).toHaveLength(2)
})

test('a long one stands in one message', async () => {
  const { person, sim } = newcomer(world)
  world.agent.brain = (turn) => turn.say(BOOK, { words: 500 })
  sim.sendText({ from: person }, 'rich please')
  await sim.waitForBot(person, ({ rich_message }) => rich_message !== undefined)
  sim.sendText({ from: person }, '/count')
  await sim.waitForBot(person, 'count 1')
  expect(sim.botMessages(person)).toHaveLength(2)
})

test('what Telegram refuses as rich arrives as text, whole and in order', async () => {
  const { person, sim } = newcomer(world)
  const description = 'Bad Request: RICH_MESSAGE_BLOCK_INVALID'
  sim.fault({ kind: 'error', method: 'sendRichMessage', chat_id: person, error_code: 400, description })
  world.agent.brain = (turn) => turn.say(BOOK, { words: 500 })
  sim.sendText({ from: person }, 'rich please')
  const whole = await sim.waitForBot(person, ({ document }) => document?.file_name === 'answer.md')
  expect((await sim.readFile(whole.document?.file_id ?? '')).toString() === BOOK).toBe(true)
  const [first, second, third, ...more] = sim.botMessages(person)
  expect(first?.text).toContain('Sa  │ rest')
  expect(second?.text).toContain('Words of a long answer')
  expect([third?.document?.file_name, more]).toEqual(['answer.md', []])
})
