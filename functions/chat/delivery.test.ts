import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { FakeTurn } from './testing/agent-server.fake.ts'
import { BOT_ID, type DeliveryHarness, newcomer, startDelivery, WEBHOOK_SECRET } from './testing/delivery-harness.ts'

let world: DeliveryHarness

beforeAll(async () => {
  world = await startDelivery((turn) => turn.say('Hello.'))
})
afterEach(() => {
  world.agent.brain = (turn) => turn.say('Hello.')
})
afterAll(() => world?.close())

const LONG_WORDS = 'The answer comes word by word, and it takes a while. '

describe('a message to the agent', () => {
  test('is answered once, while the words come in as a draft', async () => {
    const { person, sim } = newcomer(world)
    world.agent.brain = (turn) => turn.say(LONG_WORDS.repeat(3), { everyMs: 60 })
    const shown: string[] = []
    const off = sim.on(() => {
      for (const draft of sim.drafts(person)) shown.push(draft.text)
    })
    sim.sendText({ from: person }, 'hi')
    const answer = await sim.waitForBot(person, /a while\. *$/)
    off()
    expect(shown.length).toBeGreaterThan(1)
    expect(answer.text?.startsWith(shown[0] ?? '-')).toBe(true)
    expect(sim.drafts(person)).toEqual([])
    expect(sim.botMessages(person).length).toBe(1)
  })

  test('reaches the agent with who wrote it and where', async () => {
    const { person, sim } = newcomer(world)
    sim.sendText({ from: person }, 'who am I?')
    await sim.waitForBot(person, 'Hello.')
    expect(world.agent.requests.at(-1)).toMatchObject({
      message: 'who am I?',
      chat_id: String(person),
      turn_id: expect.stringMatching(new RegExp(`^u-${BOT_ID}-\\d+$`)),
      user: { id: String(person), name: 'Ann', role: 'owner' },
    })
  })

  test('is typed over while the agent says nothing, and never after the end', async () => {
    const { person, sim } = newcomer(world)
    world.agent.brain = async (turn) => {
      await turn.sleep(5_200)
      await turn.say('Now.')
    }
    sim.sendText({ from: person }, 'hi')
    const answer = await sim.waitForBot(person, 'Now.')
    const typing = sim.calls({ method: 'sendChatAction', chat: person })
    expect(typing.length).toBe(2)
    const sent = await sim.waitFor(() => sim.calls({ method: 'sendMessage', chat: person })[0])
    expect(answer.text).toBe('Now.')
    expect(typing.every(({ at }) => at <= sent.at)).toBe(true)
  })

  test('shows the tools above the words, and the steps after the end', async () => {
    const { person, sim } = newcomer(world)
    world.agent.brain = async (turn) => {
      await turn.say('Let me look at the version that is there.')
      await turn.useTool('bash', { command: 'git --version' }, { takesMs: 1_200 })
      await turn.say('It is 2.39.')
    }
    sim.sendText({ from: person }, 'git?')
    const draft = await sim.waitFor(() => sim.drafts(person).find(({ text }) => text.includes('bash · git --version')))
    expect(draft.text.indexOf('bash')).toBeLessThan(draft.text.indexOf('Let me look'))
    const answer = await sim.waitForBot(person, 'It is 2.39.')
    expect(answer.text).not.toContain('bash')
    sim.press(person, person, answer.message_id, { text: '🧾 Steps' })
    const steps = await sim.waitForBot(person, 'tool_use bash')
    expect(steps.text).toBe('tool_use bash\ntool_result bash')
  })

  test('that comes twice is answered once', async () => {
    const { person, sim } = newcomer(world)
    sim.sendText({ from: person }, 'once')
    await sim.waitForBot(person, 'Hello.')
    const update = {
      update_id: Number(world.agent.requests.at(-1)?.turn_id?.split('-')[2]),
      message: sim.messages(person)[0],
    }
    const response = await post(update)
    expect(await response.json()).toMatchObject({ result: 'duplicate' })
    expect([...world.agent.runs.values()].every((runs) => runs === 1)).toBe(true)
  })

  test('gets its very long answer as a beginning and a document', async () => {
    const { person, sim } = newcomer(world)
    const long = Array.from({ length: 400 }, (_, n) => `Paragraph ${n} ${'word '.repeat(12)}`).join('\n\n')
    world.agent.brain = async (turn) => {
      turn.emit({ type: 'text', content: long })
    }
    sim.sendText({ from: person }, 'tell me everything')
    const document = await sim.waitForBot(person, ({ document: file }) => file?.file_name === 'answer.md')
    expect((await sim.readFile(document.document?.file_id ?? '')).toString()).toBe(long)
    expect(sim.botMessages(person).length).toBe(3)
  })

  test('that the agent cannot answer ends in one honest line with Retry, which asks again', async () => {
    const { person, sim } = newcomer(world)
    world.agent.brain = async (turn) => {
      turn.emit({ type: 'error', code: 'model_unreachable', content: 'The model does not answer.' })
      throw new Error('ends as an error')
    }
    sim.sendText({ from: person }, 'hi')
    const line = await sim.waitForBot(person, '⚠️ The model that I think with does not answer')
    world.agent.brain = (turn) => turn.say(`You asked: ${turn.request.message}`)
    sim.press(person, person, line.message_id, { text: '🔁 Retry' })
    await sim.waitForBot(person, 'You asked: hi')
  })
})

describe('while a turn runs', () => {
  test('commands are handled at once', async () => {
    const { person, sim } = newcomer(world)
    const gate = gatedBrain()
    sim.sendText({ from: person }, 'long work')
    await gate.started
    sim.sendText({ from: person }, '/count')
    await sim.waitForBot(person, 'count 1')
    expect(sim.botMessages(person).length).toBe(1)
    gate.open()
    await sim.waitForBot(person, 'Finished.')
  })

  test('more words are handed to the turn, and the person sees that', async () => {
    const { person, sim } = newcomer(world)
    const gate = gatedBrain()
    sim.sendText({ from: person }, 'long work')
    await gate.started
    const more = sim.sendText({ from: person }, 'and in blue, please')
    await sim.waitFor(() => sim.calls({ method: 'setMessageReaction', chat: person }).length > 0)
    expect(sim.calls({ method: 'setMessageReaction', chat: person })[0]?.params).toMatchObject({
      message_id: more.message_id,
    })
    gate.open()
    const answer = await sim.waitForBot(person, 'Finished.')
    expect(answer.text).toBe('Finished. and in blue, please')
    expect(sim.botMessages(person).length).toBe(1)
  })

  test('words that the turn does not take any more become a turn of their own', async () => {
    const { person, sim } = newcomer(world)
    world.agent.brain = (turn) => turn.say(`Re: ${turn.request.message}`)
    sim.sendText({ from: person }, 'one')
    sim.sendText({ from: person }, 'two')
    sim.sendText({ from: person }, 'three')
    await sim.waitFor(() =>
      answered(
        person,
        sim.botMessages(person).map(({ text }) => text ?? ''),
      ),
    )
  })
})

/** Every message was answered or handed to a turn that was. */
function answered(person: number, texts: readonly string[]): boolean {
  const { sim } = world.telegram
  const seen = sim.calls({ method: 'setMessageReaction', chat: person }).length
  return texts.length + seen === 3 && texts[0] === 'Re: one'
}

describe('stopping', () => {
  test('by command works at once, keeps what was said, and drops what waits', async () => {
    const { person, sim } = newcomer(world)
    const turn = await runningTurn(person)
    sim.sendText({ from: person }, '/stop')
    await sim.waitForBot(person, 'Stopped.')
    expect(turn.signal.aborted).toBe(true)
    expect(sim.botMessages(person).map(({ text }) => text)).toEqual(['Some words.\n\n⏹ Stopped.'])
  })

  test("by Telegram's own button on the draft", async () => {
    const { person, sim } = newcomer(world)
    const turn = await runningTurn(person)
    const draft = await sim.waitFor(() => sim.drafts(person)[0])
    expect(sim.stopDraft(person, draft.draft_id)).toBe(true)
    await sim.waitForBot(person, 'Stopped.')
    expect(turn.signal.aborted).toBe(true)
  })

  test('by the button under the preview, in a group', async () => {
    const { person, sim } = newcomer(world)
    const room = sim.addGroup({ title: 'Group', members: [person], type: 'supergroup' })
    const bot = world.botName
    const turn = await runningTurn(person, { chat: room.id, text: `@${bot} work` })
    const preview = await sim.waitForBot(room.id, 'Some words.')
    sim.press(person, room.id, preview.message_id, { text: '⏹ Stop' })
    await sim.waitForBot(room.id, 'Stopped.')
    expect(turn.signal.aborted).toBe(true)
    expect(sim.botMessages(room.id).length).toBe(1)
  })

  test('works although the agent goes on, as one that hangs', async () => {
    const { person, sim } = newcomer(world)
    const gate = gatedBrain()
    sim.sendText({ from: person }, 'work')
    await gate.started
    sim.sendText({ from: person }, '/stop')
    await sim.waitForBot(person, 'Stopped.', { timeoutMs: 5_000 })
    gate.open()
  })

  test('by an old button leaves the turn alone that runs now', async () => {
    const { person, sim } = newcomer(world)
    const turn = await runningTurn(person)
    const message = sim.messages(person)[0]
    if (!message) throw new Error('no message')
    sim.pressRaw(person, message, `stop:u-${BOT_ID}-1`)
    sim.sendText({ from: person }, '/count')
    await sim.waitForBot(person, 'count 1')
    expect(turn.signal.aborted).toBe(false)
    await stop(person)
  })

  test('says that it dropped what had not begun, and keeps what comes after', async () => {
    const { person, sim } = newcomer(world)
    // The rest of a paste is waited for.
    sim.sendText({ from: person }, 'x'.repeat(4_096))
    sim.sendText({ from: person }, '/stop')
    sim.sendText({ from: person }, 'something else')
    await sim.waitForBot(person, 'Stopped.')
    await sim.waitForBot(person, 'Hello.')
    expect(
      world.agent.requests.filter(({ chat_id }) => chat_id === String(person)).map(({ message }) => message),
    ).toEqual(['something else'])
  })

  test('says so when nothing runs', async () => {
    const { person, sim } = newcomer(world)
    sim.sendText({ from: person }, '/stop')
    await sim.waitForBot(person, 'Nothing is running.')
  })
})

describe('what Telegram splits is put together', () => {
  test('a long paste', async () => {
    const { person, sim } = newcomer(world)
    sim.sendText({ from: person }, `${'x'.repeat(9_000)} end`)
    await sim.waitForBot(person, 'Hello.')
    expect(world.agent.requests.at(-1)?.message.length).toBe(9_004)
    expect(sim.botMessages(person).length).toBe(1)
  })

  test('an album', async () => {
    const { person, sim } = newcomer(world)
    const photo = (name: string) => ({ kind: 'document' as const, name, bytes: new TextEncoder().encode(name) })
    await sim.sendAlbum({ from: person }, [{ ...photo('a.txt'), caption: 'two files' }, photo('b.txt')])
    await sim.waitForBot(person, 'Hello.')
    const request = world.agent.requests.at(-1)
    expect(request?.message).toBe('two files')
    expect(request?.attachments?.map(({ name }) => name)).toEqual(['a.txt', 'b.txt'])
    expect(request?.attachments?.map(({ path }) => new TextDecoder().decode(world.agent.files.get(path)))).toEqual([
      'a.txt',
      'b.txt',
    ])
  })

  test('forwards', async () => {
    const { person, sim } = newcomer(world)
    const originals = ['first', 'second'].map((text) => sim.sendText({ from: person }, `/note ${text}`))
    await sim.waitForBot(person, '/note second')
    for (const { message_id } of originals) sim.forward({ from: person }, person, message_id)
    await sim.waitForBot(person, 'command', { afterId: originals[1]?.message_id ?? 0 })
  })
})

describe('buttons', () => {
  test('are answered at once, while a turn runs too', async () => {
    const { person, sim } = newcomer(world)
    await runningTurn(person)
    const message = sim.messages(person)[0]
    if (!message) throw new Error('no message')
    const pressed = Date.now()
    sim.pressRaw(person, message, 'anything at all')
    const call = await sim.waitFor(() => sim.calls({ method: 'answerCallbackQuery' }).find(({ at }) => at >= pressed))
    expect(call.params).toMatchObject({ text: 'pressed anything at all' })
    // Until here nothing has ended the turn.
    await stop(person)
  })
})

describe('groups', () => {
  test('get one message that is edited into the answer, under the question', async () => {
    const { person, sim } = newcomer(world)
    const room = sim.addGroup({ title: 'Group', members: [person], type: 'supergroup' })
    const seen = Promise.withResolvers<void>()
    world.agent.brain = async (turn) => {
      await turn.say('The answer comes in two parts.')
      await seen.promise
      await turn.say('That is all.')
    }
    const question = sim.sendText({ from: person, chat: room.id }, `@${world.botName} please`)
    const preview = await sim.waitForBot(room.id, 'in two parts.')
    expect(preview.reply_to_message?.message_id).toBe(question.message_id)
    seen.resolve()
    // The last preview may hold all the words, too: the answer is what has no Stop button any more.
    const answer = await sim.waitForBot(room.id, ({ reply_markup }) => reply_markup === undefined)
    expect(answer.text).toBe('The answer comes in two parts.\n\nThat is all.')
    expect(sim.botMessages(room.id).map(({ message_id }) => message_id)).toEqual([preview.message_id])
    expect(sim.calls({ method: 'sendMessageDraft', chat: room.id })).toEqual([])
  })

  test('get all of an album whose last part asks', async () => {
    const { person, sim } = newcomer(world)
    // An administrator hears every message, so also the parts that ask nothing.
    const room = sim.addGroup({ title: 'Group', members: [person], type: 'supergroup', bot: 'administrator' })
    const photo = (name: string) => ({ kind: 'document' as const, name, bytes: new TextEncoder().encode(name) })
    const caption = `@${world.botName} what are these?`
    await sim.sendAlbum({ from: person, chat: room.id }, [
      photo('a.txt'),
      photo('b.txt'),
      { ...photo('c.txt'), caption },
    ])
    await sim.waitForBot(room.id, 'Hello.')
    const request = world.agent.requests.at(-1)
    expect(request?.message).toBe(caption)
    expect(request?.attachments?.map(({ name }) => name).toSorted()).toEqual(['a.txt', 'b.txt', 'c.txt'])
  })

  test('keep each topic a conversation of its own', async () => {
    const { person, sim } = newcomer(world)
    const room = sim.addGroup({ title: 'Forum', members: [person], forum: true, topics: ['One', 'Two'] })
    const bot = world.botName
    const topics = sim
      .messages(room.id)
      .flatMap((message) => (message.forum_topic_created ? [message.message_thread_id ?? 0] : []))
    world.agent.brain = (turn) => turn.say(`Topic ${turn.request.chat_id}`)
    for (const thread of topics) sim.sendText({ from: person, chat: room.id, thread }, `@${bot} hi`)
    for (const thread of topics) {
      const answer = await sim.waitForBot(room.id, `Topic ${room.id}:${thread}`, { thread })
      expect(answer.message_thread_id).toBe(thread)
    }
  })

  test('know in each topic what was brought into another', async () => {
    const { person, sim } = newcomer(world)
    const room = sim.addGroup({ title: 'Forum', members: [person], forum: true, topics: ['One', 'Two'] })
    const [one = 0, two = 0] = sim
      .messages(room.id)
      .flatMap((message) => (message.forum_topic_created ? [message.message_thread_id ?? 0] : []))
    const say = async (thread: number, words: string, answer: string) => {
      sim.sendText({ from: person, chat: room.id, thread }, words)
      await sim.waitForBot(room.id, answer, { thread })
    }
    await say(two, '/group', 'group none')
    await say(one, '/bring rex', 'command /bring rex')
    await say(two, '/group', 'group rex')
    await say(two, '/bring max', 'command /bring max')
    await say(one, '/away max', 'command /away max')
    await say(one, '/group', 'group rex')
  })
})

describe('bad input', () => {
  test('is answered with 4xx or ignored, and changes nothing', async () => {
    const { person, sim } = newcomer(world)
    const at = (fields: object) => ({ update_id: 900_000_000 + Math.floor(Math.random() * 1e6), ...fields })
    expect((await post('no json')).status).toBe(400)
    expect((await post({ message: {} })).status).toBe(400)
    for (const odd of [
      { poll: { id: '1' } },
      { message: 'text' },
      { message: { chat: { id: person, type: 'private' } } },
      { message: { chat: { id: person, type: 'private' }, from: 5, text: 7 } },
      { callback_query: { id: 'x', from: { id: person }, data: 12 } },
      { stopped_message_generation: { chat: { id: person, type: 'private' }, draft_id: 9 } },
    ]) {
      expect((await post(at(odd))).status).toBe(200)
    }
    sim.sendText({ from: person }, 'still there?')
    await sim.waitForBot(person, 'Hello.')
  })

  test.each([
    ['4,096 emoji', '🐙'.repeat(2_048)],
    ['right-to-left text', 'שלום עליכם \u202E reversed'],
    ['nested quotes', '>'.repeat(4_000)],
  ])('%s passes through unharmed', async (_, text) => {
    const { person, sim } = newcomer(world)
    world.agent.brain = (turn) => turn.say(turn.request.message)
    sim.sendText({ from: person }, text)
    await sim.waitFor(() => sim.botMessages(person).length > 0)
    expect(world.agent.requests.at(-1)?.message).toBe(text)
  })

  test('lone surrogates of the model reach the chat as something Telegram takes', async () => {
    const { person, sim } = newcomer(world)
    world.agent.brain = async (turn) => {
      turn.emit({ type: 'delta', content: 'broken \ud83d' })
      turn.emit({ type: 'text', content: 'broken \ud83d half' })
    }
    sim.sendText({ from: person }, 'hi')
    await sim.waitForBot(person, 'half')
  })

  test('an update that a handler fails on ends in a line, and those after it are handled', async () => {
    const { person, sim } = newcomer(world)
    sim.sendText({ from: person }, '/boom')
    sim.sendText({ from: person }, '/count')
    await sim.waitForBot(person, 'count 1', { timeoutMs: 2_000 })
    await sim.waitForBot(person, 'could not handle')
  })
})

async function post(body: unknown): Promise<Response> {
  const response = await world.server.fetch(`/telegram/${BOT_ID}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': WEBHOOK_SECRET },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return response as unknown as Response
}

/** A turn that runs until it is told to go on. */
function gatedBrain() {
  const opened = Promise.withResolvers<void>()
  const started = Promise.withResolvers<void>()
  world.agent.brain = async (turn) => {
    started.resolve()
    await opened.promise
    await turn.say(['Finished.', ...turn.steered].join(' '))
  }
  return { started: started.promise, open: () => opened.resolve() }
}

/** A turn that has said something and goes on until it is stopped. */
function runningTurn(person: number, options: { chat?: number; text?: string } = {}): Promise<FakeTurn> {
  const { sim } = world.telegram
  return new Promise((resolve) => {
    world.agent.brain = async (turn) => {
      await turn.say('Some words.')
      resolve(turn)
      await turn.sleep(60_000)
    }
    sim.sendText({ from: person, ...(options.chat ? { chat: options.chat } : {}) }, options.text ?? 'work')
  })
}

async function stop(person: number): Promise<void> {
  const { sim } = world.telegram
  sim.sendText({ from: person }, '/stop')
  await sim.waitForBot(person, 'Stopped.')
}
