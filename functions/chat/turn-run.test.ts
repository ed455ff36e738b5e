import { afterEach, describe, expect, test } from 'vitest'
import { type AgentClient, AgentUnreachable, createAgentClient } from './agent-client.ts'
import { ChatBudget } from './chat-budget.ts'
import { deliveryWords } from './delivery-words.ts'
import { Outbox } from './outbox.ts'
import { pause } from './pause.ts'
import { Streamer } from './streamer.ts'
import { type FakeAgentServer, type FakeBrain, startFakeAgentServer } from './testing/agent-server.fake.ts'
import { fakeChatDatabase } from './testing/chat-database.fake.ts'
import { TurnRun } from './turn-run.ts'
import { TurnStore } from './turn-store.ts'

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

  test('says at once what the agent refuses', async () => {
    const turn = await start((agent) => agent.say('never'))
    turn.agent = async () => createAgentClient({ url: turn.server.url, secret: 'wrong' })
    await turn.run()
    expect(turn.finals()[0]).toContain('⚠️')
    expect(turn.server.runs.size).toBe(0)
  })

  test('stops within a second, keeps what was said, and tells the agent', async () => {
    const turn = await start(async (agent) => {
      await agent.say('Some words. ')
      await agent.sleep(60_000)
    })
    const run = turn.run()
    await turn.until(() => (turn.store.find('t1')?.progress?.settled.length ?? 0) > 0)
    const asked = Date.now()
    await turn.live?.stop()
    await run
    expect(Date.now() - asked).toBeLessThan(1_000)
    expect(turn.finals()).toEqual(['Some words.\n\n⏹ Stopped.'])
  })

  test('stops although the agent does not answer', async () => {
    const turn = await start(async (agent) => {
      agent.emit({ type: 'delta', content: 'Some' })
      await new Promise(() => undefined)
    })
    const run = turn.run()
    await turn.until(() => turn.live?.progress.live === 'Some')
    turn.server.down = true
    const asked = Date.now()
    await turn.live?.stop()
    await run
    expect(Date.now() - asked).toBeLessThan(1_500)
    expect(turn.finals()).toEqual(['Some\n\n⏹ Stopped.'])
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
    await turn.run()
    expect(turn.finals()).toEqual(['Half\n\n⚠️ The budget of today is used up.'])
    expect(turn.state()).toBe('failed')
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
  const input = { agentId: 'a', user: { id: 42, name: 'Ann', role: 'owner' as const }, message: 'hi', sources: [] }
  store.add('t1', input, Date.now())
  store.start('t1', Date.now())
  const turn = {
    server,
    store,
    outbox,
    live: undefined as TurnRun | undefined,
    agent: async (): Promise<AgentClient> => createAgentClient(server),
    sleep: (ms: number, signal: AbortSignal) => pause(Math.min(ms, 20), signal),
    run(over: AbortSignal = never) {
      const row = store.find('t1')
      if (!row) throw new Error('no turn')
      turn.live = new TurnRun(row, {
        database,
        turns: store,
        outbox,
        streamer: silentStreamer(),
        agent: () => turn.agent(),
        prepare: async () => ({ message: 'hi', attachments: [] }),
        agentChat: '42',
        quiet: false,
        isGroup: false,
        words: () => deliveryWords('en'),
        onStarted: () => undefined,
        onOutgoing: () => undefined,
        now: Date.now,
        sleep: (ms, signal) => turn.sleep(ms, signal),
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

/** Signs of life are tested on their own. */
function silentStreamer(): Streamer {
  const nothing = async () => undefined
  const budget = new ChatBudget({ kind: 'private' }, { now: Date.now, sleep: pause, saveSilence: () => undefined })
  return new Streamer(
    { mode: 'draft', kind: 'private', startedAt: Date.now() },
    {
      budget,
      sendDraft: nothing,
      sendTyping: nothing,
      editPreview: nothing,
      openPreview: nothing,
      onClosed: nothing,
      now: Date.now,
      sleep: pause,
    },
  )
}
