/** Texts of all kinds through the real Worker: rich ones, long ones, hostile ones. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type DeliveryHarness, newcomer, startDelivery } from './testing/delivery-harness.ts'
import { MAX_ANSWER_CHARS } from './turn-progress.ts'

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

test.each([
  ['a megabyte of Markdown', '# Title\n\n**bold** [link](https://example.org) `code`\n- item\n\n'.repeat(20_000)],
  ['a hundred thousand stars', '*a **b '.repeat(30_000)],
  ['ten thousand nested quotes', `${'> '.repeat(10_000)}deep`],
  ['a book without a space', 'x'.repeat(100_000)],
])('an answer of %s arrives, and the chat goes on', async (_, answer) => {
  const { person, sim } = newcomer(world)
  world.agent.brain = async (turn) => {
    turn.emit({ type: 'delta', content: answer })
    turn.emit({ type: 'text', content: answer })
  }
  sim.sendText({ from: person }, 'a lot please')
  await sim.waitFor(() => sim.botMessages(person).length > 0, { timeoutMs: 60_000 })
  if (answer.length > 50_000) {
    const whole = await sim.waitForBot(person, ({ document }) => document?.file_name === 'answer.md')
    // What is beyond is not kept: a turn's row has an end.
    const kept = (await sim.readFile(whole.document?.file_id ?? '')).toString().replace(/…$/, '')
    expect(answer.startsWith(kept)).toBe(true)
    expect(kept.length).toBe(Math.min(answer.length, MAX_ANSWER_CHARS))
  }
  world.agent.brain = (turn) => turn.say('Still here.')
  sim.sendText({ from: person }, 'and now?')
  await sim.waitForBot(person, 'Still here.')
  expect(sim.botMessages(person).length).toBeLessThanOrEqual(4)
})

test('4,096 emoji come in as they are, and go out in parts that Telegram takes', async () => {
  const { person, sim } = newcomer(world)
  const emoji = '👩‍🚀'.repeat(1_365)
  world.agent.brain = (turn) => turn.say(turn.request.message)
  sim.sendText({ from: person }, `${emoji}x`)
  await sim.waitForBot(person, /x$/)
  expect(world.agent.requests.at(-1)?.message === `${emoji}x`).toBe(true)
  const said = sim.botMessages(person).map(({ text }) => text ?? '')
  expect(said.join('') === `${emoji}x`).toBe(true)
  expect(said.length).toBeGreaterThan(1)
})

test('what is no update leaves no trace', async () => {
  const { person, sim } = newcomer(world)
  world.agent.brain = (turn) => turn.say('Hello.')
  sim.sendRawUpdate(person, { message: { message_id: 1, chat: { id: person, type: 'private' }, text: 7 } })
  sim.sendRawUpdate(person, { message: { message_id: 2, date: 1, chat: { id: person, type: 'private' }, from: null } })
  sim.sendText({ from: person }, 'hi')
  await sim.waitForBot(person, 'Hello.')
  expect(sim.botMessages(person)).toHaveLength(1)
})

test('topics of a private chat are conversations side by side', async () => {
  const { person, sim } = newcomer(world)
  sim.setBot({ has_topics_enabled: true })
  const topics = ['Garden', 'Kitchen'].map((name) => sim.addTopic(person, person, name))
  const gate = Promise.withResolvers<void>()
  world.agent.brain = async (turn) => {
    await turn.say(`In ${turn.request.chat_id}.`)
    if (turn.request.message === 'slow') await gate.promise
  }
  const [slow = 0, quick = 0] = topics
  sim.sendText({ from: person, thread: slow }, 'slow')
  await sim.waitFor(() => sim.drafts(person).some(({ thread_id }) => thread_id === slow))
  sim.sendText({ from: person, thread: quick }, 'quick')
  const answer = await sim.waitForBot(person, `In ${person}:${quick}.`, { thread: quick })
  expect(answer.message_thread_id).toBe(quick)
  gate.resolve()
  await sim.waitForBot(person, `In ${person}:${slow}.`, { thread: slow })
  sim.setBot({ has_topics_enabled: false })
})
