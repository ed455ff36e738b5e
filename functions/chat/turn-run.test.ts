import { afterEach, describe, expect, test } from 'vitest'
import { type AgentClient, AgentRefused, AgentUnreachable, createAgentClient } from './agent-client.ts'
import type { Language } from './catalogue/catalogue.ts'
import { deliveryWords } from './delivery-words.ts'
import { Outbox } from './outbox.ts'
import { OwedStops } from './owed-stops.ts'
import { pause } from './pause.ts'
import { type FakeAgentServer, type FakeBrain, startFakeAgentServer } from './testing/agent-server.fake.ts'
import { fakeChatDatabase } from './testing/chat-database.fake.ts'
import { silentStreamer } from './testing/silent-streamer.fake.ts'
import { type TurnOutcome, TurnRun } from './turn-run.ts'
import { type PreparedTurn, TurnStore } from './turn-store.ts'

const servers: FakeAgentServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})
const never = new AbortController().signal

describe('TurnRun', () => {
  test('ends with the whole answer in the outbox', async () => {
    const turn = await start((agent) => agent.say('Hello there, Ann.'))
    await turn.run()
    expect(turn.finals()).toEqual(['Hello there, Ann.'])
    expect(turn.state()).toBe('done')
  })

  test('hands over in the middle, and another run carries on where it was saved', async () => {
    const turn = await start(async (agent) => {
      await agent.say('First part.')
      await agent.useTool('bash', { command: 'ls' })
      await agent.sleep(300)
      await agent.say('Second part.')
    })
    const handover = new AbortController()
    const first = turn.run(handover.signal)
    await turn.until(() => (turn.store.find('t1')?.progress?.toolCount ?? 0) > 0)
    handover.abort()
    await first
    expect(turn.state()).toBe('running')
    expect(turn.finals()).toEqual([])
    await turn.run()
    expect(turn.finals()).toEqual(['First part.\n\nSecond part.'])
    expect(Number(turn.server.resumedFrom[1])).toBeGreaterThan(1)
    expect(turn.server.runs.get('t1')).toBe(1)
  })

  test('reads on after the connection broke, and says everything once', async () => {
    const turn = await start((agent) => agent.say('one two three four five six', { everyMs: 40 }))
    const run = turn.run()
    await turn.until(() => turn.server.requests.length === 1)
    await pause(60)
    turn.server.cutStreams()
    await run
    expect(turn.finals()).toEqual(['one two three four five six'])
    expect(turn.server.runs.get('t1')).toBe(1)
    expect(turn.server.requests.length).toBe(2)
  })

  test('brings the files once, however often the connection breaks: the agent may have changed them since', async () => {
    const turn = await start((agent) => agent.say('one two three four five six', { everyMs: 40 }))
    let brought = 0
    turn.prepare = async () => {
      brought += 1
      return { message: 'hi', attachments: [] }
    }
    const run = turn.run()
    await turn.until(() => turn.server.requests.length === 1)
    await pause(60)
    turn.server.cutStreams()
    await run
    expect(turn.server.requests.length).toBe(2)
    expect(brought).toBe(1)
  })

  test('waits for an agent that is down for a while', async () => {
    const turn = await start((agent) => agent.say('Here I am.'))
    turn.server.down = true
    const run = turn.run()
    await turn.until(() => (turn.store.find('t1')?.failures ?? 0) >= 2)
    turn.server.down = false
    await run
    expect(turn.finals()).toEqual(['Here I am.'])
  })

  test('ends with an honest line when the agent stays away', async () => {
    const turn = await start((agent) => agent.say('never'))
    turn.agent = () => Promise.reject(new AgentUnreachable('down'))
    turn.sleep = async () => undefined
    await turn.run()
    expect(turn.finals()[0]).toContain('does not answer')
    expect(turn.state()).toBe('failed')
  })

  test('that the agent stays away from leaves words that were offered to it to a turn of their own', async () => {
    const turn = await start((agent) => agent.say('never heard'))
    const { store } = turn
    const input = { agentId: 'a', user: { id: 42, name: 'Ann', role: 'owner' as const }, message: 'hi', sources: [] }
    store.add('offered', input, 0)
    store.markOffered('offered', 't1')
    turn.agent = () => Promise.reject(new AgentUnreachable('down'))
    await turn.run()
    // Nobody reads any more what the agent says in the turn that took them, if it did.
    expect(store.find('offered')?.offered).toBe(false)
  })

  test('says at once what the agent refuses', async () => {
    const turn = await start((agent) => agent.say('never'))
    turn.agent = async () => createAgentClient({ url: turn.server.url, secret: 'wrong' })
    await turn.run()
    expect(turn.finals()[0]).toContain('⚠️')
    expect(turn.server.runs.size).toBe(0)
  })

  test('stops at once, keeps what was said, and tells the agent', async () => {
    const turn = await start(async (agent) => {
      await agent.say('Some words. ')
      await agent.sleep(60_000)
    })
    const run = turn.run()
    await turn.until(() => (turn.store.find('t1')?.progress?.settled.length ?? 0) > 0)
    await turn.live?.stop()
    await run
    expect(turn.finals()).toEqual(['Some words.\n\n⏹ Stopped.'])
  })

  test('leaves no word behind when the chat is forgotten, and the agent does not go on', async () => {
    const stopped = Promise.withResolvers<void>()
    const turn = await start(async (agent) => {
      await agent.say('Something private.')
      agent.signal.addEventListener('abort', () => stopped.resolve())
      await agent.sleep(60_000)
    })
    const run = turn.run()
    await turn.until(() => turn.live?.progress.settled.length === 1)
    turn.live?.abandon()
    await run
    await stopped.promise
    expect(turn.finals()).toEqual([])
    expect(turn.outbox.openCount()).toBe(0)
  })

  test('stops within a second although the agent does not answer', async () => {
    const turn = await start(async (agent) => {
      agent.emit({ type: 'delta', content: 'Some' })
      await new Promise(() => undefined)
    })
    const run = turn.run()
    await turn.until(() => turn.live?.progress.live === 'Some')
    turn.server.down = true
    turn.waits.length = 0
    await turn.live?.stop()
    await run
    expect(turn.finals()).toEqual(['Some\n\n⏹ Stopped.'])
    // The clock here is quicker: what it was asked for is what a person would wait.
    expect(Math.max(...turn.waits)).toBeLessThanOrEqual(1_000)
  })

  test('stops a turn after a crash in the middle of the stop', async () => {
    const turn = await start(async (agent) => {
      await agent.say('Some words.')
      await agent.sleep(60_000)
    })
    turn.store.requestStop('t1')
    await turn.run()
    expect(turn.finals()[0]).toContain('Stopped')
  })

  test('stops while files of the person are still on their way, and does not bother the agent', async () => {
    const turn = await start((agent) => agent.say('never'))
    turn.prepare = () => new Promise(() => undefined)
    const run = turn.run()
    await turn.until(() => turn.preparing)
    turn.live?.stop()
    await run
    expect(turn.finals()).toEqual(['⏹ Stopped.'])
    expect(turn.server.requests).toEqual([])
  })

  test('remembers that the agent must still hear of a stop it did not answer', async () => {
    const turn = await start((agent) => agent.sleep(60_000))
    const run = turn.run()
    await turn.until(() => turn.live?.agent !== undefined)
    turn.server.down = true
    turn.live?.stop()
    await run
    expect(turn.store.owedStop(0)).toMatchObject({ turnId: 't1', agentId: 'a' })
  })

  test('names the turn that is to stop, and owes nothing to an agent that stopped it', async () => {
    const turn = await start((agent) => agent.sleep(60_000))
    turn.sleep = pause
    const run = turn.run()
    await turn.until(() => turn.live?.agent !== undefined)
    turn.live?.stop()
    await run
    expect(turn.server.stops).toEqual(['t1'])
    expect(turn.store.owedStop(0)).toBeUndefined()
  })

  test('is not asked of an agent before that has heard of an earlier stop', async () => {
    const turn = await start(async (agent) => (agent.id === 't1' ? agent.say('Hello') : agent.sleep(60_000)))
    const { server, store } = turn
    const client = createAgentClient(server)
    for (const [id, agentId] of [
      ['earlier', 'a'],
      ['elsewhere', 'b'],
    ] as const) {
      const user = { id: 42, name: 'Ann', role: 'owner' as const }
      store.add(id, { agentId, user, message: 'hi', sources: [] }, 0)
      store.end(id, 'done', Date.now())
      store.oweStop(id)
    }
    // On the machine it goes on, with its tools.
    const request = { message: 'hi', chat_id: '42', turn_id: 'earlier' }
    await (await client.startTurn(request, { after: 0, signal: never })).cancel()
    server.down = true
    const run = turn.run()
    await turn.until(() => (store.find('t1')?.failures ?? 0) > 0)
    server.down = false
    await run
    expect(turn.finals()).toEqual(['Hello'])
    expect(server.stops).toEqual(['earlier'])
    expect(store.owedStop(0)?.turnId).toBe('elsewhere')
  })

  test('begins although the agent refuses to hear of an earlier stop', async () => {
    const turn = await start((agent) => agent.say('Hello'))
    const { store } = turn
    const user = { id: 42, name: 'Ann', role: 'owner' as const }
    store.add('earlier', { agentId: 'a', user, message: 'hi', sources: [] }, 0)
    store.end('earlier', 'done', Date.now())
    store.oweStop('earlier')
    const stop = () => Promise.reject(new AgentRefused(404, '/chat/…', undefined))
    turn.agent = async () => ({ ...createAgentClient(turn.server), stop })
    await turn.run()
    expect(turn.finals()).toEqual(['Hello'])
    expect(store.owedStop(0)).toBeUndefined()
  })

  test('stops an agent whose stop overtook the start', async () => {
    const turn = await start((agent) => agent.sleep(60_000))
    const stops: boolean[] = []
    turn.sleep = pause
    const client = createAgentClient(turn.server)
    turn.agent = async () => ({
      ...client,
      startTurn: async (request, options) => {
        await pause(50)
        return client.startTurn(request, options)
      },
      stop: async (chatId, options) => {
        stops.push(await client.stop(chatId, options))
        return stops.at(-1) ?? false
      },
    })
    const run = turn.run()
    await turn.until(() => turn.prepared)
    turn.live?.stop()
    await run
    expect(stops[0]).toBe(false)
    expect(stops.at(-1)).toBe(true)
  })

  test('ends with an honest line when the stream ends again and again without a word', async () => {
    const turn = await start((agent) => agent.sleep(60_000))
    const client = createAgentClient(turn.server)
    turn.agent = async () => ({ ...client, startTurn: async () => new Blob([]).stream() })
    turn.sleep = async () => undefined
    await turn.run()
    expect(turn.finals()[0]).toContain('does not answer')
    expect(turn.state()).toBe('failed')
  })

  test('takes a long silence for a dead connection, and reads on', async () => {
    const turn = await start(async (agent) => {
      agent.emit({ type: 'delta', content: 'one ' })
      await agent.sleep(150)
      await agent.say('two')
    })
    turn.silenceMs = 60
    await turn.run()
    expect(turn.finals()).toEqual(['two'])
    expect(turn.server.requests.length).toBeGreaterThan(1)
    expect(turn.server.runs.get('t1')).toBe(1)
  })

  test('goes on trying while something in front of the agent speaks for it', async () => {
    const turn = await start((agent) => agent.say('Here I am.'))
    turn.server.strange = { status: 404, body: '<html>no such host</html>' }
    const run = turn.run()
    await turn.until(() => (turn.store.find('t1')?.failures ?? 0) >= 2)
    turn.server.strange = undefined
    await run
    expect(turn.finals()).toEqual(['Here I am.'])
  })

  test('puts a file into the outbox although the first try to keep it failed', async () => {
    const turn = await start(async (agent) => {
      agent.emit({ type: 'file', path: 'out/notes.txt' })
      await agent.say('Done.')
    })
    const add = turn.outbox.add.bind(turn.outbox)
    let calls = 0
    turn.outbox.add = (...args) => {
      calls += 1
      if (calls === 1) throw new Error('the disk is full for a moment')
      add(...args)
    }
    await turn.run()
    expect(turn.outbox.next()?.action).toMatchObject({ kind: 'agent_file', name: 'notes.txt' })
    expect(turn.finals()).toEqual(['Done.'])
  })

  test('says that an answer of megabytes was cut, and keeps it in one row', async () => {
    const turn = await start(async (agent) => {
      for (let n = 0; n < 12; n++) agent.emit({ type: 'delta', content: 'Words. '.repeat(14_000) })
    })
    await turn.run()
    expect(JSON.stringify(turn.store.find('t1')?.progress).length).toBeLessThan(2_000_000)
    const document = turn.outbox.findByKey('t:t1:final:2')?.action
    expect(document).toMatchObject({ kind: 'document', caption: { text: expect.stringContaining('too long to send') } })
  })

  test('puts files into the outbox with the event that named them, once', async () => {
    const turn = await start(async (agent) => {
      agent.emit({ type: 'file', path: 'out/notes.txt', caption: 'Your notes' })
      await agent.say('Done.')
    })
    await turn.run()
    expect(turn.outbox.next()?.action).toMatchObject({
      kind: 'agent_file',
      from: { path: 'out/notes.txt' },
      name: 'notes.txt',
    })
    expect(turn.finals()).toEqual(['Done.'])
  })

  test('tells what the agent says went wrong, below what it said, with a Retry button', async () => {
    const turn = await start(async (agent) => {
      agent.emit({ type: 'delta', content: 'Half' })
      agent.emit({ type: 'error', code: 'out_of_credit', content: 'The budget of today is used up.' })
      throw new Error('ends as an error')
    })
    turn.language = 'es'
    await turn.run()
    expect(turn.finals()).toEqual([`Half\n\n⚠️ ${deliveryWords('es').failures.out_of_credit}`])
    expect(turn.state()).toBe('failed')
  })

  test('says the final once more where an edit of its preview was lost', async () => {
    const turn = await start((agent) => agent.say('Hello'))
    turn.showPreview()
    turn.hasLostEdit = true
    await turn.run()
    expect(turn.outbox.findByKey('t:t1:final:0')?.action).toMatchObject({ kind: 'edit', confirm: true })
  })

  test('says it once where nothing was lost', async () => {
    const turn = await start((agent) => agent.say('Hello'))
    turn.showPreview()
    await turn.run()
    expect(turn.outbox.findByKey('t:t1:final:0')?.action).not.toHaveProperty('confirm')
  })

  test('says it once more after a crash that may have cut off an edit, not after a handover', async () => {
    const turn = await start(async (agent) => {
      await agent.say('Hello')
      await agent.sleep(60_000)
    })
    turn.showPreview()
    turn.store.markEditing('t1', true)
    expect(turn.store.find('t1')?.editing).toBe(true)
    const handOver = async () => {
      const handover = new AbortController()
      const run = turn.run(handover.signal)
      await turn.until(() => turn.live?.agent !== undefined)
      handover.abort()
      await run
    }
    // As it was found.
    await handOver()
    expect(turn.store.find('t1')?.editing).toBe(true)
    turn.store.markEditing('t1', false)
    const editing = handOver()
    turn.store.markEditing('t1', true)
    await editing
    expect(turn.store.find('t1')?.editing).toBe(false)
  })

  test('lets a newer agent speak for itself, when it fails at something that has no words here', async () => {
    const turn = await start(async (agent) => {
      agent.emit({ type: 'error', code: 'homesick', content: 'I long for home.' })
      throw new Error('ends as an error')
    })
    turn.language = 'es'
    await turn.run()
    expect(turn.finals()).toEqual(['⚠️ I long for home.'])
    // As many codes as somebody makes up would be as many counters.
    expect(turn.outcomes).toEqual([{ result: 'failed', code: 'other' }])
  })

  test.each([
    [507, 'storage', deliveryWords('en').failures.storage],
    [413, 'too_large', deliveryWords('en').failed],
    [403, 'forbidden', deliveryWords('en').refused],
  ])('says at once what is the matter when the agent refuses a turn with %i %s', async (status, error, said) => {
    const turn = await start((agent) => agent.say('never'))
    turn.server.strange = { status, body: JSON.stringify({ error }) }
    await turn.run()
    expect(turn.finals()).toEqual([`⚠️ ${said}`])
    expect(turn.store.find('t1')?.failures).toBe(0)
  })

  test('passes over events of a newer agent', async () => {
    const turn = await start(async (agent) => {
      agent.emit({ type: 'mood', value: 'good' } as never)
      await agent.say('Hello')
    })
    await turn.run()
    expect(turn.finals()).toEqual(['Hello'])
  })
})

async function start(brain: FakeBrain) {
  const server = await startFakeAgentServer(brain)
  servers.push(server)
  const database = fakeChatDatabase()
  const store = new TurnStore(database)
  const outbox = new Outbox(database)
  const owedStops = new OwedStops({ turns: store, agent: () => turn.agent(), agentChat: () => '42', now: Date.now })
  const input = { agentId: 'a', user: { id: 42, name: 'Ann', role: 'owner' as const }, message: 'hi', sources: [] }
  store.add('t1', input, Date.now())
  store.start('t1', Date.now())
  const turn = {
    server,
    store,
    outbox,
    live: undefined as TurnRun | undefined,
    agent: async (): Promise<AgentClient> => createAgentClient(server),
    waits: [] as number[],
    sleep: (ms: number, signal: AbortSignal) => {
      turn.waits.push(ms)
      return pause(Math.min(ms, 20), signal)
    },
    prepare: async (): Promise<PreparedTurn> => ({ message: 'hi', attachments: [] }),
    preparing: false,
    prepared: false,
    silenceMs: 45_000,
    hasLostEdit: false,
    /** It is in the chat already. */
    showPreview() {
      outbox.add('t:t1:preview', { kind: 'send', ref: 'turn:t1', text: { text: '…', entities: [] } }, 0)
      const row = outbox.next()
      if (row) outbox.markSent(row, 9, 0)
    },
    language: 'en' as Language,
    outcomes: [] as TurnOutcome[],
    run(over: AbortSignal = never) {
      const row = store.find('t1')
      if (!row) throw new Error('no turn')
      turn.live = new TurnRun(row, {
        database,
        turns: store,
        outbox,
        streamer: Object.defineProperty(silentStreamer(), 'hasLostEdit', { get: () => turn.hasLostEdit }),
        agent: () => turn.agent(),
        prepare: async () => {
          turn.preparing = true
          const prepared = await turn.prepare()
          turn.prepared = true
          return prepared
        },
        agentChat: '42',
        settleStops: (turn, agent) => owedStops.settle(turn, agent),
        quiet: false,
        isGroup: false,
        words: () => deliveryWords(turn.language),
        onStarted: () => undefined,
        onOutgoing: () => undefined,
        onEnded: (outcome) => turn.outcomes.push(outcome),
        now: Date.now,
        sleep: (ms, signal) => turn.sleep(ms, signal),
        silenceMs: turn.silenceMs,
      })
      return turn.live.run(over)
    },
    finals: () => {
      const texts: string[] = []
      for (let n = 0; ; n++) {
        const action = outbox.findByKey(`t:t1:final:${n}`)?.action
        if (!action) return texts
        if ('text' in action) texts.push(action.text.text)
      }
    },
    state: () => store.find('t1')?.state,
    async until(holds: () => boolean) {
      while (!holds()) await pause(5)
    },
  }
  return turn
}
