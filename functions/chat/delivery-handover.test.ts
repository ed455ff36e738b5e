/** An alarm ends after 15 minutes on the platform; here after two seconds. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type DeliveryHarness, newcomer, startDelivery } from './testing/delivery-harness.ts'

let world: DeliveryHarness

beforeAll(async () => {
  world = await startDelivery((turn) => turn.say('Hello.'), { vars: { TEST_HANDOVER_MS: '2000' } })
})
afterAll(() => world?.close())

test('a turn longer than an alarm is handed on, read on, and answered once', async () => {
  const { person, sim } = newcomer(world)
  const words = Array.from({ length: 20 }, (_, n) => `word${n}`).join(' ')
  world.agent.brain = (turn) => turn.say(words, { everyMs: 350 })
  sim.sendText({ from: person }, 'go on')
  await sim.waitForBot(person, (message) => message.text?.trim() === words, { timeoutMs: 30_000 })
  expect(sim.botMessages(person).length).toBe(1)
  expect([...world.agent.runs.values()].every((runs) => runs === 1)).toBe(true)
  const resumed = world.agent.resumedFrom.map(Number)
  expect(resumed.length).toBeGreaterThan(2)
  expect(resumed.at(-1)).toBeGreaterThan(resumed[1] ?? 0)
})

test('work that never lets go is ended by a new object, and nothing is lost', async () => {
  const { person, sim } = newcomer(world)
  world.agent.brain = (turn) => turn.say('Hello.')
  sim.sendText({ from: person }, '/hang')
  sim.sendText({ from: person }, 'and yet')
  await sim.waitForBot(person, 'Hello.')
  await sim.waitForBot(person, 'command /hang', { timeoutMs: 30_000 })
  expect(sim.botMessages(person).length).toBe(2)
})
