import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { BOT_ID, type DeliveryHarness, newcomer, startDelivery } from './testing/delivery-harness.ts'

let world: DeliveryHarness

beforeAll(async () => {
  world = await startDelivery((turn) => turn.say('Hello.'))
})
afterEach(() => {
  world.telegram.sim.clearFaults()
  world.agent.brain = (turn) => turn.say('Hello.')
  world.agent.down = false
})
afterAll(() => world?.close())

const ANSWER = 'An answer that everybody waits for.'

describe('the final', () => {
  test('arrives once when its answer is lost after the effect', async () => {
    const { person, sim } = newcomer(world)
    sim.fault({ kind: 'drop_after', method: 'sendMessage', chat_id: person, times: 1 })
    await ask(person)
    expect(await settledTexts(person)).toEqual([ANSWER])
  })

  test('arrives once when its call is lost before the effect', async () => {
    const { person, sim } = newcomer(world)
    sim.fault({ kind: 'drop_before', method: 'sendMessage', chat_id: person, times: 1 })
    await ask(person)
    expect(await settledTexts(person)).toEqual([ANSWER])
  })

  test('arrives once through a run of 502s', async () => {
    const { person, sim } = newcomer(world)
    sim.fault({ kind: 'server_error', chat_id: person, times: 3 })
    await ask(person)
    expect(await settledTexts(person)).toEqual([ANSWER])
  })

  test('waits for a penalty to end, and nothing is called into it', async () => {
    const { person, sim } = newcomer(world)
    sim.fault({ kind: 'flood', method: 'sendMessageDraft', chat_id: person, retry_after: 3, times: 1 })
    await ask(person, { everyMs: 150 })
    expect(await settledTexts(person)).toEqual([ANSWER])
    expect(sim.calls({ chat: person }).filter((call) => call.in_penalty)).toEqual([])
  })

  test('goes without formatting when Telegram refuses that', async () => {
    const { person, sim } = newcomer(world)
    const description = "Bad Request: can't parse entities: something"
    sim.fault({ kind: 'error', method: 'sendMessage', chat_id: person, error_code: 400, description, times: 1 })
    await ask(person)
    expect(await settledTexts(person)).toEqual([ANSWER])
  })

  test('edits the preview in a group however often the edit is lost', async () => {
    const { person, sim } = newcomer(world)
    const room = sim.addGroup({ title: 'Group', members: [person], type: 'supergroup' })
    sim.fault({ kind: 'drop_after', method: 'editMessageText', chat_id: room.id, times: 2 })
    world.agent.brain = async (turn) => {
      await turn.say('A beginning.')
      await turn.sleep(2_500)
      await turn.say(ANSWER)
    }
    sim.sendText({ from: person, chat: room.id }, `@${world.botName} hi`)
    await sim.waitFor(() => sim.botMessages(room.id).some(({ text }) => text === `A beginning.\n\n${ANSWER}`), {
      timeoutMs: 20_000,
    })
    expect(sim.botMessages(room.id).length).toBe(1)
  })
})

describe('previews that fail', () => {
  test('turn into an edited message where drafts are refused, and end as the answer', async () => {
    const { person, sim } = newcomer(world)
    const description = 'Bad Request: TEXTDRAFT_PEER_INVALID'
    sim.fault({ kind: 'error', method: 'sendMessageDraft', chat_id: person, error_code: 400, description })
    world.agent.brain = async (turn) => {
      await turn.say('A beginning that can be seen already.')
      await turn.sleep(3_000)
      await turn.say(ANSWER)
    }
    sim.sendText({ from: person }, 'hi')
    const preview = await sim.waitForBot(person, 'A beginning')
    await sim.waitForBot(person, ANSWER)
    expect(sim.botMessages(person).map(({ message_id }) => message_id)).toEqual([preview.message_id])
  })
})

describe('a chat that is closed to us', () => {
  test('stops the turn and says no more', async () => {
    const { person, sim } = newcomer(world)
    const stopped = Promise.withResolvers<void>()
    world.agent.brain = async (turn) => {
      await turn.say('Words that go on and on.', { everyMs: 50 })
      await turn.sleep(60_000)
      stopped.resolve()
    }
    sim.sendText({ from: person }, 'hi')
    await sim.waitFor(() => sim.drafts(person).length > 0)
    sim.block(person)
    await stopped.promise
    const calls = sim.calls({ chat: person }).length
    world.agent.brain = (turn) => turn.say('Welcome back.')
    sim.block(person, false)
    sim.sendText({ from: person }, 'I am back')
    await sim.waitForBot(person, 'Welcome back.')
    expect(
      sim
        .calls({ chat: person })
        .slice(0, calls)
        .filter(({ status }) => status === 403).length,
    ).toBeLessThanOrEqual(1)
  })

  test('is noticed by a 403 alone', async () => {
    const { person, sim } = newcomer(world)
    const description = 'Forbidden: bot was blocked by the user'
    sim.fault({ kind: 'error', chat_id: person, error_code: 403, description })
    sim.sendText({ from: person }, '/count')
    await sim.waitFor(() => sim.calls({ chat: person }).length > 0)
    sim.clearFaults()
    sim.sendText({ from: person }, '/count')
    await sim.waitForBot(person, 'count 2')
    expect(sim.botMessages(person).length).toBe(1)
  })
})

describe('a group that moves', () => {
  test('becoming a supergroup keeps its values and its conversation with the agent', async () => {
    const { person, sim } = newcomer(world)
    const room = sim.addGroup({ title: 'Group', members: [person] })
    sim.sendText({ from: person, chat: room.id }, '/count')
    await sim.waitForBot(room.id, 'count 1')
    const moved = sim.migrate(room.id)
    sim.sendText({ from: person, chat: moved }, '/count')
    await sim.waitForBot(moved, 'count 2')
    sim.sendText({ from: person, chat: moved }, `@${world.botName} hi`)
    await sim.waitForBot(moved, 'Hello.')
    expect(world.agent.requests.at(-1)?.chat_id).toBe(String(room.id))
  })

  test('losing a topic gets its answer all the same', async () => {
    const { person, sim } = newcomer(world)
    const room = sim.addGroup({ title: 'Forum', members: [person], forum: true, topics: ['One'] })
    const thread = sim.messages(room.id).find((message) => message.forum_topic_created)?.message_thread_id ?? 0
    const description = 'Bad Request: message thread not found'
    sim.fault({ kind: 'error', method: 'sendMessage', chat_id: room.id, error_code: 400, description, times: 1 })
    sim.sendText({ from: person, chat: room.id, thread }, `@${world.botName} hi`)
    await sim.waitForBot(room.id, 'Hello.')
  })
})

describe('trouble on the way to the agent', () => {
  test('a machine that is away for a moment costs time, not words', async () => {
    const { person, sim } = newcomer(world)
    world.agent.down = true
    sim.sendText({ from: person }, 'hi')
    await sim.waitFor(() => sim.calls({ method: 'sendChatAction', chat: person }).length > 0)
    world.agent.down = false
    await sim.waitForBot(person, 'Hello.')
  })

  test('streams that break are read on', async () => {
    const { person, sim } = newcomer(world)
    const words = 'one two three four five six seven eight nine ten'
    world.agent.brain = (turn) => turn.say(words, { everyMs: 120 })
    sim.sendText({ from: person }, 'count')
    await sim.waitFor(() => sim.drafts(person).length > 0)
    world.agent.cutStreams()
    await sim.waitForBot(person, (message) => message.text?.trim() === words)
    expect(sim.botMessages(person).length).toBe(1)
  })
})

async function ask(person: number, options: { everyMs?: number } = {}): Promise<void> {
  const { sim } = world.telegram
  world.agent.brain = (turn) => turn.say(ANSWER, options)
  sim.sendText({ from: person }, 'hi')
  await sim.waitForBot(person, ANSWER, { timeoutMs: 30_000 })
}

/** What the chat holds once its object has nothing left to do. */
async function settledTexts(person: number): Promise<(string | undefined)[]> {
  const { sim } = world.telegram
  const storage = await world.server.getWorker().getDurableObjectStorage('CHAT', { name: `${BOT_ID}:${person}` })
  for (;;) {
    const rows = await storage.exec("SELECT COUNT(*) AS n FROM outbox WHERE state IN ('pending', 'sending', 'unknown')")
    if (Number((rows as unknown as { n: number }[])[0]?.n) === 0) break
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return sim.botMessages(person).map(({ text }) => text)
}

describe('flood control as strict as Telegram’s', () => {
  test('never strikes, and the calls of a turn stay below one a second', async () => {
    const { person, sim } = newcomer(world)
    sim.setLimits('real')
    world.agent.brain = async (turn) => {
      for (let n = 0; n < 6; n++) {
        await turn.say('Let me look at the next one of these.', { everyMs: 30 })
        await turn.useTool('bash', { command: `step ${n}` }, { takesMs: 1_200 })
      }
      await turn.say(ANSWER)
    }
    const askedAt = Date.now()
    sim.sendText({ from: person }, 'go')
    await sim.waitForBot(person, ANSWER)
    const calls = sim.calls({ chat: person })
    sim.setLimits('off')
    expect(calls.filter(({ status }) => status === 429)).toEqual([])
    expect(calls.length).toBeLessThanOrEqual(Math.ceil((Date.now() - askedAt) / 1_000))
  })
})

describe('topics of a group under flood control', () => {
  test('share one budget: both answers come, and nothing is refused', async () => {
    const { person, sim } = newcomer(world)
    const room = sim.addGroup({ title: 'Forum', members: [person], forum: true, topics: ['One', 'Two'] })
    const threads = sim
      .messages(room.id)
      .flatMap((message) => (message.forum_topic_created ? [message.message_thread_id ?? 0] : []))
    sim.setLimits('real')
    world.agent.brain = async (turn) => {
      for (let n = 0; n < 8; n++) {
        await turn.say('Let me look at the next one of these.', { everyMs: 30 })
        await turn.sleep(600)
      }
      await turn.say(ANSWER)
    }
    for (const thread of threads) sim.sendText({ from: person, chat: room.id, thread }, `@${world.botName} go`)
    for (const thread of threads) await sim.waitForBot(room.id, ANSWER, { thread, timeoutMs: 60_000 })
    const refused = sim.calls({ chat: room.id }).filter(({ status }) => status === 429)
    sim.setLimits('off')
    expect(refused).toEqual([])
  })
})

describe('fifty chats at once', () => {
  const CHATS = 50

  test('are all answered at the same time: no turn waits for another to end', async () => {
    const { sim } = world.telegram
    const allBegun = Promise.withResolvers<void>()
    let begun = 0
    world.agent.brain = async (turn) => {
      begun += 1
      if (begun === CHATS) allBegun.resolve()
      // None goes on before the last one has begun.
      await allBegun.promise
      await turn.say(ANSWER)
    }
    const people = Array.from({ length: CHATS }, () => newcomer(world).person)
    for (const person of people) sim.sendText({ from: person }, 'hi')
    for (const person of people) await sim.waitForBot(person, ANSWER, { timeoutMs: 60_000 })
    expect(people.map((person) => sim.botMessages(person).length)).toEqual(people.map(() => 1))
  })

  test('do not wait for one that never ends, nor for one that is silenced', async () => {
    const slow = newcomer(world)
    const silenced = newcomer(world)
    const { sim } = slow
    const gate = Promise.withResolvers<void>()
    sim.fault({ kind: 'flood', chat_id: silenced.person, retry_after: 600, times: 1 })
    world.agent.brain = async (turn) => {
      if (turn.request.chat_id === String(slow.person)) await gate.promise
      await turn.say(ANSWER)
    }
    const others = Array.from({ length: 10 }, () => newcomer(world).person)
    for (const person of [slow.person, silenced.person, ...others]) sim.sendText({ from: person }, 'hi')
    for (const person of others) await sim.waitForBot(person, ANSWER, { timeoutMs: 30_000 })
    expect([...sim.botMessages(slow.person), ...sim.botMessages(silenced.person)]).toEqual([])
    gate.resolve()
    await sim.waitForBot(slow.person, ANSWER)
  })
})
