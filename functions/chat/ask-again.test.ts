/** A question asked again: nothing of it is lost, nothing runs twice, and nothing blocks the chat meanwhile. */
import { afterEach, describe, expect, test } from 'vitest'
import { createAgentClient } from './agent-client.ts'
import { deliveryWords } from './delivery-words.ts'
import { forgetInGroup } from './forget-person.ts'
import { Inbox } from './inbox.ts'
import { Outbox } from './outbox.ts'
import { OwedStops } from './owed-stops.ts'
import { pause } from './pause.ts'
import { type FakeBrain, type FakeTurn, startFakeAgentServer } from './testing/agent-server.fake.ts'
import { fakeChatDatabase } from './testing/chat-database.fake.ts'
import { silentStreamer } from './testing/silent-streamer.fake.ts'
import { FakeTelegram } from './testing/telegram-client.fake.ts'
import { prepareTurn } from './turn-preparation.ts'
import { TurnRun } from './turn-run.ts'
import { TurnRunner } from './turn-runner.ts'
import { type TurnRow, TurnStore } from './turn-store.ts'

const never = new AbortController().signal
const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

describe('Retry of a turn that was given up', () => {
  test('delivers the answer that was made meanwhile: it does not run again', async () => {
    const chat = await start((turn) => turn.say('The answer.'))
    await chat.giveUp('u-7-1')
    await chat.answered('u-7-1')
    await chat.retry('u-7-1', 'u-7-2')
    expect(chat.finals('u-7-2')).toEqual(['The answer.'])
    expect([...chat.server.runs]).toEqual([['u-7-1', 1]])
  })

  test('reads on where it still runs', async () => {
    const gate = Promise.withResolvers<void>()
    const chat = await start(async (turn) => {
      await turn.say('First.')
      await gate.promise
      await turn.say('Second.')
    })
    await chat.giveUp('u-7-1')
    const retried = chat.retry('u-7-1', 'u-7-2')
    gate.resolve()
    await retried
    expect(chat.finals('u-7-2')).toEqual(['First.\n\nSecond.'])
    expect([...chat.server.runs]).toEqual([['u-7-1', 1]])
    expect(chat.server.stops).toEqual([])
  })

  test('runs it for the first time where it never arrived', async () => {
    const chat = await start((turn) => turn.say('The answer.'))
    await chat.giveUp('u-7-1', { isHeard: false })
    await chat.retry('u-7-1', 'u-7-2')
    expect(chat.finals('u-7-2')).toEqual(['The answer.'])
    expect(chat.server.requests.map(({ turn_id, message }) => [turn_id, message])).toEqual([['u-7-1', 'u-7-1']])
  })

  test('hands a file over once', async () => {
    const gate = Promise.withResolvers<void>()
    const chat = await start(async (turn) => {
      turn.emit({ type: 'file', path: 'out/notes.txt' })
      await gate.promise
      await turn.say('Here.')
    })
    await chat.giveUp('u-7-1', { until: () => chat.sent().length === 1 })
    gate.resolve()
    await chat.retry('u-7-1', 'u-7-2')
    expect(chat.sent().filter((action) => action.kind === 'agent_file')).toHaveLength(1)
  })

  test('means the same turn however often it is given up, and whichever button is pressed', async () => {
    const chat = await start((turn) => turn.say('The answer.'))
    await chat.giveUp('u-7-1')
    await chat.giveUp('u-7-2', { retryOf: 'u-7-1' })
    await chat.retry('u-7-1', 'u-7-3')
    expect(chat.finals('u-7-3')).toEqual(['The answer.'])
    expect([...chat.server.runs]).toEqual([['u-7-1', 1]])
  })

  test('pressed twice asks once', async () => {
    const chat = await start((turn) => turn.say('The answer.'))
    await chat.giveUp('u-7-1')
    chat.queue('u-7-2', 'u-7-1')
    chat.queue('u-7-3', 'u-7-1')
    await chat.runAll()
    expect(chat.turns.find('u-7-3')).toBeUndefined()
    expect([...chat.server.runs]).toEqual([['u-7-1', 1]])
  })

  test('asks anew once it was answered', async () => {
    const chat = await start((turn) => turn.say('The answer.'))
    await chat.giveUp('u-7-1')
    await chat.retry('u-7-1', 'u-7-2')
    await chat.retry('u-7-1', 'u-7-3')
    expect([...chat.server.runs.keys()]).toEqual(['u-7-1', 'u-7-3'])
  })

  test('asks anew for what was stopped at the agent meanwhile, as with /new', async () => {
    const chat = await start(neverEnding)
    await chat.giveUp('u-7-1')
    expect(await chat.stopAtAgent('u-7-1')).toBe(true)
    await chat.retry('u-7-1', 'u-7-2')
    expect(chat.finals('u-7-2')).toEqual(['Answer of u-7-2.'])
    expect([...chat.server.runs]).toEqual([
      ['u-7-1', 1],
      ['u-7-2', 1],
    ])
  })

  test('asks anew for what failed at the agent itself', async () => {
    const chat = await start(async (turn) => {
      if (turn.id === 'u-7-1') throw new Error('ends as an error')
      await turn.say('The answer.')
    })
    chat.queue('u-7-1')
    await chat.runAll()
    await chat.retry('u-7-1', 'u-7-2')
    expect(chat.finals('u-7-2')).toEqual(['The answer.'])
    expect([...chat.server.runs.keys()]).toEqual(['u-7-1', 'u-7-2'])
  })

  test('is not handed to the turn that runs', async () => {
    const steered: (readonly string[])[] = []
    const chat = await start(async (turn) => {
      if (turn.id === 'u-7-2') {
        chat.queue('u-7-3', 'u-7-1')
        await chat.runner.steer(never)
      }
      steered.push(turn.steered)
      await turn.say(`Answer of ${turn.id}.`)
    })
    await chat.giveUp('u-7-1')
    chat.queue('u-7-2')
    await chat.runAll()
    expect(steered.flat()).toEqual([])
    expect(chat.finals('u-7-3')).toEqual(['Answer of u-7-1.'])
  })
})

describe('words that were handed to a turn while it ran', () => {
  test('are in its Retry when it fails, and in the Retry of that', async () => {
    const chat = await start(async (turn) => {
      if (turn.id === 'u-7-1') await chat.steerInto('u-7-2', { name: 'Bob', id: 43 })
      if (turn.id === 'u-7-3') await chat.steerInto('u-7-4')
      throw new Error('ends as an error')
    })
    chat.queue('u-7-1')
    await chat.runAll()
    await chat.retry('u-7-1', 'u-7-3')
    await chat.retry('u-7-3', 'u-7-5')
    expect(chat.server.requests.map(({ message }) => message)).toEqual([
      'u-7-1',
      'u-7-1\n\n[Bob] u-7-2',
      'u-7-1\n\n[Bob] u-7-2\n\nu-7-4',
    ])
  })

  test('are in it no more once whoever said them is forgotten', async () => {
    const chat = await start(async (turn) => {
      if (turn.id === 'u-7-1') await chat.steerInto('u-7-2', { name: 'Bob', id: 43 })
      throw new Error('ends as an error')
    })
    chat.queue('u-7-1')
    await chat.runAll()
    await chat.retry('u-7-1', 'u-7-3')
    forgetInGroup(chat.database, 43, [])
    expect(JSON.stringify(chat.database.query('SELECT * FROM turns'))).not.toContain('Bob')
    await chat.retry('u-7-3', 'u-7-5')
    expect(chat.server.requests.at(-1)?.message).toBe('u-7-1')
  })

  test('are in it where the agent has lost the turn that was given up', async () => {
    const gate = Promise.withResolvers<void>()
    const chat = await start(async (turn) => {
      if (turn.steered.length > 0) return
      await chat.steerInto('u-7-2')
      gate.resolve()
      await turn.sleep(600_000)
    })
    let isSteered = false
    void gate.promise.then(() => {
      isSteered = true
    })
    await chat.giveUp('u-7-1', { until: () => isSteered })
    chat.server.forget()
    chat.server.brain = (turn) => turn.say('The answer.')
    await chat.retry('u-7-1', 'u-7-3')
    expect(chat.server.requests.at(-1)).toMatchObject({ turn_id: 'u-7-1', message: 'u-7-1\n\nu-7-2' })
  })
})

describe('other words after a turn that was given up', () => {
  test('do not wait behind it: it is stopped, and Retry asks anew', async () => {
    const chat = await start(neverEnding)
    await chat.giveUp('u-7-1')
    chat.queue('u-7-2')
    await chat.runAll()
    expect(chat.finals('u-7-2')).toEqual(['Answer of u-7-2.'])
    expect(chat.server.stops).toEqual(['u-7-1'])
    await chat.retry('u-7-1', 'u-7-3')
    expect([...chat.server.runs.keys()]).toEqual(['u-7-1', 'u-7-2', 'u-7-3'])
  })

  test('leave the answer to Retry that was made meanwhile', async () => {
    const chat = await start((turn) => turn.say(`Answer of ${turn.id}.`))
    await chat.giveUp('u-7-1')
    await chat.answered('u-7-1')
    chat.queue('u-7-2')
    await chat.runAll()
    await chat.retry('u-7-1', 'u-7-3')
    expect(chat.finals('u-7-3')).toEqual(['Answer of u-7-1.'])
    expect([...chat.server.runs.values()]).toEqual([1, 1])
    expect(chat.server.stops).toEqual(['u-7-1'])
  })

  test('stop nothing at an older agent, which would stop its background work', async () => {
    const chat = await start((turn) => turn.say(`Answer of ${turn.id}.`))
    await chat.giveUp('u-7-1')
    await chat.answered('u-7-1')
    chat.server.old = true
    chat.queue('u-7-2')
    await chat.runAll()
    expect(chat.server.stops).toEqual([])
    expect(chat.finals('u-7-2')).toEqual(['Answer of u-7-2.'])
  })
})

async function neverEnding(turn: FakeTurn): Promise<void> {
  if (turn.id === 'u-7-1') await turn.sleep(600_000)
  else await turn.say(`Answer of ${turn.id}.`)
}

async function start(brain: FakeBrain) {
  const server = await startFakeAgentServer(brain)
  closing.push(() => server.close())
  const database = fakeChatDatabase()
  const turns = new TurnStore(database)
  const outbox = new Outbox(database)
  const inbox = new Inbox(database)
  const client = createAgentClient(server)
  const telegram = new FakeTelegram()
  const user = { id: 42, name: 'Ann', role: 'owner' as const }
  /** The connection to this turn is lost, and the agent is not there any more. */
  let lost: { readonly isHeard: boolean; readonly isRead: boolean } | undefined
  const agent = async () => {
    if (!lost) return client
    const { isHeard, isRead } = lost
    return {
      ...client,
      startTurn: async (...args: Parameters<typeof client.startTurn>) => {
        const isFirst = server.requests.length === 0
        if (isFirst && isRead) return client.startTurn(...args)
        if (isFirst && isHeard) await (await client.startTurn(...args)).cancel()
        return new Blob([]).stream()
      },
    }
  }
  const ports = {
    database,
    turns,
    outbox,
    words: () => deliveryWords('en'),
    onOutgoing: () => undefined,
    now: Date.now,
    agent,
  }
  const owedStops = new OwedStops({ ...ports, agentChat: () => '42' })
  const prepare = async ({ turnId, input }: TurnRow) => {
    const { message, attachments } = await prepareTurn(input, turns.saidMeanwhile(input), { telegram, agent: client })
    const prepared = { message, attachments: [...attachments] }
    turns.savePrepared(turnId, prepared)
    return prepared
  }
  const runner = new TurnRunner({
    ...ports,
    inbox,
    owedStops,
    agentChat: () => '42',
    prepare,
    onTurnEnded: () => undefined,
    createRun: (row) =>
      new TurnRun(row, {
        ...ports,
        streamer: silentStreamer(),
        prepare,
        agentChat: '42',
        settleStops: (turn, at) => owedStops.settle(turn, at),
        quiet: false,
        isGroup: false,
        onStarted: () => undefined,
        sleep: (ms, signal) => pause(lost ? 0 : Math.min(ms, 20), signal),
      }),
  })
  const chat = {
    database,
    server,
    turns,
    runner,
    /** Said while a turn runs. */
    async steerInto(turnId: string, { name, id }: { name: string; id: number } = user) {
      turns.add(turnId, { agentId: 'a', user: { ...user, name, id }, message: turnId, sources: [] }, Date.now())
      while (turns.find(turnId)?.state === 'queued') {
        await runner.steer(never)
        await pause(5)
      }
    },
    queue(turnId: string, retryOf?: string) {
      const former = retryOf === undefined ? { message: turnId, sources: [] } : runner.retry(retryOf)
      if (!former) throw new Error('too long ago')
      turns.add(turnId, { sources: [], agentId: 'a', user, ...former }, Date.now())
    },
    async runAll() {
      while ((await runner.step(never)) === 'more');
    },
    /**
     * It is asked, and then nothing more is heard of the agent.
     * @param options.until what must have been read before that
     */
    async giveUp(
      turnId: string,
      { isHeard = true, retryOf, until }: { isHeard?: boolean; retryOf?: string; until?: () => boolean } = {},
    ) {
      chat.queue(turnId, retryOf)
      lost = { isHeard, isRead: until !== undefined }
      const done = runner.step(never)
      while (until && !until()) await pause(5)
      if (until) server.cutStreams()
      await done
      expect(turns.find(turnId)?.state).toBe('failed')
      lost = undefined
    },
    async retry(of: string, turnId: string) {
      chat.queue(turnId, of)
      await chat.runAll()
    },
    stopAtAgent: (turnId: string) => client.stop('42', { turnId }),
    /** The agent has ended the turn, whoever reads it. */
    async answered(turnId: string) {
      const request = { message: '', chat_id: '42', turn_id: turnId }
      await new Response(await client.startTurn(request, { after: 0, signal: never })).text()
    },
    sent() {
      const rows = database.query('SELECT key FROM outbox ORDER BY seq')
      return rows.flatMap(({ key }) => outbox.findByKey(String(key))?.action ?? [])
    },
    finals(turnId: string) {
      const action = outbox.findByKey(`t:${turnId}:final:0`)?.action
      return action && 'text' in action ? [action.text.text] : []
    },
  }
  return chat
}
