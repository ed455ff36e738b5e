import { describe, expect, test } from 'vitest'
import { type AgentClient, AgentUnreachable } from './agent-client.ts'
import { deliveryWords } from './delivery-words.ts'
import { Inbox } from './inbox.ts'
import { Outbox } from './outbox.ts'
import { OwedStops } from './owed-stops.ts'
import { fakeChatDatabase } from './testing/chat-database.fake.ts'
import { inboxItem, privateMessage } from './testing/messages.fake.ts'
import { NO_PROGRESS } from './turn-progress.ts'
import type { TurnRun } from './turn-run.ts'
import { TurnRunner } from './turn-runner.ts'
import { type TurnRow, TurnStore } from './turn-store.ts'

const never = new AbortController().signal

describe('TurnRunner', () => {
  test('gives up a turn that breaks whatever runs it, with one line, and goes on to the next', async () => {
    const chat = start()
    chat.queue(1, 'poison')
    chat.queue(2, 'fine')
    chat.run = async (row) => {
      if (row.input.message === 'poison') throw new RangeError('out of memory')
      chat.turns.end(row.turnId, 'done', 0)
    }
    for (let tries = 0; tries < 20 && chat.turns.openCount() > 0; tries++) await chat.runner.step(never).catch(() => 0)
    expect(chat.turns.find('u-7-1')?.state).toBe('failed')
    expect(chat.turns.find('u-7-2')?.state).toBe('done')
    expect(chat.outbox.next()?.action).toMatchObject({ text: { text: expect.stringContaining('went wrong') } })
  })

  test('stops at the agent what it gave up so', async () => {
    const chat = start()
    chat.queue(1, 'poison')
    chat.run = async ({ turnId }) => {
      chat.turns.savePrepared(turnId, { message: 'poison', attachments: [] })
      throw new RangeError('out of memory')
    }
    for (let tries = 0; tries < 20; tries++) await chat.runner.step(never).catch(() => 0)
    expect(chat.heard).toEqual(['stop'])
  })

  test('never gives up one that comes further each time', async () => {
    const chat = start()
    chat.queue(1, 'long')
    chat.run = async (row) => {
      chat.turns.saveProgress(row.turnId, { ...NO_PROGRESS, cursor: (row.progress?.cursor ?? 0) + 1 })
      throw new Error('killed')
    }
    for (let tries = 0; tries < 30; tries++) await chat.runner.step(never).catch(() => 0)
    expect(chat.turns.find('u-7-1')?.state).toBe('running')
  })

  test('tells the agent of a stop it has not heard of, before the next turn begins', async () => {
    const chat = start()
    chat.queue(1, 'stopped')
    chat.turns.end('u-7-1', 'done', 0)
    chat.turns.oweStop('u-7-1')
    chat.queue(2, 'next')
    chat.run = async (row) => {
      chat.heard.push(`run ${row.input.message}`)
      chat.turns.end(row.turnId, 'done', 0)
    }
    while ((await chat.runner.step(never)) === 'more');
    expect(chat.heard).toEqual(['stop', 'run next'])
    expect(chat.turns.owedStop(0)).toBeUndefined()
  })

  test('keeps telling it while it does not answer, but not for ever', async () => {
    const chat = start()
    chat.queue(1, 'stopped')
    chat.turns.end('u-7-1', 'done', 0)
    chat.turns.oweStop('u-7-1')
    chat.isDown = true
    expect(await chat.runner.step(never)).toBe(2_000)
    expect(await chat.runner.step(never)).toBe(4_000)
    chat.time = 11 * 60_000
    expect(await chat.runner.step(never)).toBe(Number.POSITIVE_INFINITY)
  })

  test('does not tell it while a later turn is in its hands: the stop would hit that one', async () => {
    const chat = start()
    chat.queue(1, 'stopped')
    chat.turns.end('u-7-1', 'done', 0)
    chat.turns.oweStop('u-7-1')
    chat.isDown = true
    chat.queue(2, 'later')
    chat.run = async (row) => {
      chat.heard.push(`run ${row.input.message}`)
      // The agent is back, and the object of the chat is not: a deployment, or a handover.
      if (chat.heard.length === 1) {
        chat.isDown = false
        throw new Error('killed')
      }
      chat.turns.end(row.turnId, 'done', 0)
    }
    for (let tries = 0; tries < 3; tries++) await chat.runner.step(never).catch(() => 0)
    expect(chat.heard.slice(0, 2)).toEqual(['run later', 'run later'])
  })

  test('leaves a turn alone that was asked for after the stop', () => {
    const chat = start()
    chat.queue(9, 'after')
    chat.turns.start('u-7-9', 0)
    expect(chat.runner.stop({ before: 5 })).toEqual({ wasRunning: false, dropped: 0 })
    expect(chat.turns.find('u-7-9')?.stopRequested).toBe(false)
    expect(chat.runner.stop({ before: 10 })).toEqual({ wasRunning: true, dropped: 0 })
  })

  test('stops what was said before, and keeps what was said after', () => {
    const chat = start()
    chat.queue(1, 'before')
    chat.queue(9, 'after')
    chat.inbox.add(inboxItem(2, privateMessage()).update, 'turn', 0)
    chat.inbox.add(inboxItem(8, privateMessage()).update, 'turn', 0)
    expect(chat.runner.stop({ before: 5 })).toEqual({ wasRunning: false, dropped: 2 })
    expect(chat.turns.firstQueued()?.turnId).toBe('u-7-9')
    expect(chat.inbox.open('turn').map(({ updateId }) => updateId)).toEqual([8])
  })

  test('does not run words by themselves that the turn before took, although the answer was lost', async () => {
    const chat = start()
    chat.queue(1, 'running')
    chat.run = async (row) => {
      if (row.turnId !== 'u-7-1') throw new Error('the second turn ran')
      chat.queue(2, 'and in blue')
      chat.loseAnswers = true
      await chat.runner.steer(never)
      chat.loseAnswers = false
      chat.turns.end(row.turnId, 'done', 0)
    }
    while ((await chat.runner.step(never)) === 'more');
    expect(chat.turns.find('u-7-2')?.state).toBe('steered')
    expect(chat.steered).toEqual(['u-7-2'])
  })

  test('runs them when the turn before did not take them', async () => {
    const chat = start()
    chat.queue(1, 'running')
    chat.run = async (row) => {
      chat.heard.push(`run ${row.input.message}`)
      if (row.turnId === 'u-7-1') {
        chat.queue(2, 'and in blue')
        chat.isDown = true
        await chat.runner.steer(never)
        chat.isDown = false
      }
      chat.turns.end(row.turnId, 'done', 0)
    }
    while ((await chat.runner.step(never)) === 'more');
    expect(chat.heard).toEqual(['run running', 'run and in blue'])
  })
})

function start() {
  const database = fakeChatDatabase()
  const turns = new TurnStore(database)
  const outbox = new Outbox(database)
  const inbox = new Inbox(database)
  const chat = {
    turns,
    outbox,
    inbox,
    time: 0,
    heard: [] as string[],
    steered: [] as string[],
    isDown: false,
    /** What was said reached the agent, and its answer did not come back. */
    loseAnswers: false,
    run: async (_: TurnRow): Promise<void> => undefined,
    queue(updateId: number, message: string) {
      turns.add(
        `u-7-${updateId}`,
        { agentId: 'a', user: { id: 1, name: 'Ann', role: 'owner' }, message, sources: [] },
        0,
      )
    },
    runner: undefined as unknown as TurnRunner,
  }
  const agent = {
    async stop() {
      if (chat.isDown) throw new AgentUnreachable('down')
      chat.heard.push('stop')
      return true
    },
    async steer(_chatId: string, _message: string, id: string) {
      if (chat.isDown) throw new AgentUnreachable('down')
      const knows = chat.steered.includes(id)
      // Only what a running turn was told is known afterwards.
      if (!knows && chat.turns.running() === undefined) return false
      if (!knows) chat.steered.push(id)
      if (chat.loseAnswers) throw new AgentUnreachable('lost')
      return true
    },
  } as unknown as AgentClient
  const now = () => chat.time
  chat.runner = new TurnRunner({
    database,
    turns,
    inbox,
    outbox,
    owedStops: new OwedStops({ turns, agent: async () => agent, agentChat: () => '1', now }),
    agentChat: () => '1',
    agent: async () => agent,
    createRun: (row) =>
      ({ row, agent, stopping: false, run: () => chat.run(row), stop: () => undefined }) as unknown as TurnRun,
    prepare: async (row) => {
      const prepared = { message: row.input.message, attachments: [] }
      turns.savePrepared(row.turnId, prepared)
      return prepared
    },
    onTurnEnded: () => undefined,
    words: () => deliveryWords('en'),
    onOutgoing: () => undefined,
    now,
  })
  return chat
}
