import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { makeFolder } from '../tools/tool-runner.fixture.ts'
import type { BackgroundRequest } from '../turn/background-turns.ts'
import { startBackground } from './background.ts'
import { RETRY_MS } from './scheduler.ts'
import { openSchedules } from './schedules.ts'
import { parseTiming } from './timing.ts'

const START = Date.parse('2026-11-23T12:00:00Z')
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const user = { id: '1', name: 'Ana', role: 'owner' } as const

describe('schedules', () => {
  test('run when they are due, once, with a turn id of their own', async () => {
    const world = makeWorld()
    world.add({ in_minutes: 10 }, 'call mother')
    const background = world.start()
    await background.tick()
    expect(world.turns).toEqual([])
    world.now += 10 * MINUTE_MS
    await background.tick()
    await background.tick()
    expect(world.turns).toHaveLength(1)
    expect(world.turns[0]).toMatchObject({
      origin: 'schedule',
      turnId: `schedule-1-${world.now}`,
      chatId: 'chat',
      user,
      task: 'call mother',
    })
    expect(world.turns[0]?.prompt).toBe('[Schedule 1, due Mon 23 Nov 2026, 12:10 (UTC).]\ncall mother')
    expect(world.schedules.list('chat')).toEqual([])
  })

  test('that were missed while the machine was off run once, and are told to be late', async () => {
    const world = makeWorld()
    world.add({ every_minutes: 60 }, 'check')
    world.add({ cron: '0 8 * * *' }, 'briefing')
    world.add({ in_minutes: 5 }, 'once')
    world.now += 50 * HOUR_MS
    const background = world.start()
    await background.tick()
    await background.tick()
    expect(world.turns.map(({ prompt }) => prompt.split('\n')[1]).sort()).toEqual(['briefing', 'check', 'once'])
    for (const { prompt } of world.turns) expect(prompt).toContain('It is run late')
    expect(world.schedules.list('chat').map(({ dueAtMs }) => new Date(dueAtMs).toISOString())).toEqual([
      '2026-11-25T15:00:00.000Z',
      '2026-11-26T08:00:00.000Z',
    ])
  })

  test('that ran when the server died are asked for again under the same id', async () => {
    const world = makeWorld()
    world.add({ in_minutes: 1 }, 'x')
    world.now += MINUTE_MS
    const died = world.start(() => new Promise(() => undefined))
    void died.tick()
    died.stop()
    expect(world.turns).toHaveLength(1)
    expect(world.schedules.list('chat')[0]?.state).toBe('running')
    const next = world.start()
    await next.tick()
    expect(world.turns.map(({ turnId }) => turnId)).toEqual([world.turns[0]?.turnId, world.turns[0]?.turnId])
    expect(world.schedules.list('chat')).toEqual([])
  })

  test('that cannot be run are tried again, later and later, and never block the rest', async () => {
    const world = makeWorld()
    world.add({ in_minutes: 1 }, 'fails')
    world.add({ in_minutes: 2 }, 'works')
    const background = world.start(async ({ prompt }) => {
      if (prompt.includes('fails')) throw new Error('broken')
      return { text: 'ok' }
    })
    world.now += 2 * MINUTE_MS
    await background.tick()
    expect(world.turns).toHaveLength(2)
    for (const pauseMs of RETRY_MS) {
      await background.tick()
      const before = world.turns.length
      world.now += pauseMs
      await background.tick()
      expect(world.turns).toHaveLength(before + 1)
    }
    world.now += 24 * HOUR_MS
    await background.tick()
    expect(world.turns).toHaveLength(5)
    expect(world.schedules.list('chat')).toEqual([])
  })

  test('that are cancelled while they run do not come back', async () => {
    const world = makeWorld()
    world.add({ every_minutes: 10 }, 'x')
    world.now += 10 * MINUTE_MS
    const background = world.start(async () => {
      world.schedules.cancel(1, 'chat')
      return { text: '' }
    })
    await background.tick()
    expect(world.schedules.list('chat')).toEqual([])
  })

  test('begin nothing after a stop', async () => {
    const world = makeWorld()
    world.add({ in_minutes: 1 }, 'x')
    const background = world.start()
    background.stop()
    world.now += HOUR_MS
    await background.tick()
    expect(world.turns).toEqual([])
  })
})

describe('the heartbeat', () => {
  const beat = async (
    world: ReturnType<typeof makeWorld>,
    background: { tick(): Promise<void> },
    ms = 30 * MINUTE_MS,
  ) => {
    world.now += ms
    await background.tick()
  }

  test('asks no model while there is nothing to do', async () => {
    const world = makeWorld()
    const background = world.start()
    const nothing = [
      undefined,
      '',
      '# Heartbeat\n\n<!-- - [ ] example\nmore -->\n',
      '- [ ]\n- [x] done\n* \n1.\n---\n## Later\n',
    ]
    for (const text of nothing) {
      if (text !== undefined) world.write(text)
      await beat(world, background)
    }
    expect(world.turns).toEqual([])
  })

  test('asks with the tasks, into the owner’s chat, at its interval', async () => {
    const world = makeWorld()
    world.write('# Heartbeat\n- Water the plants on Fridays\n- [x] old\n')
    const background = world.start(async () => ({ text: 'Water them!' }))
    await background.tick()
    await beat(world, background, 29 * MINUTE_MS)
    expect(world.turns).toEqual([])
    await beat(world, background, MINUTE_MS)
    expect(world.turns).toHaveLength(1)
    expect(world.turns[0]).toMatchObject({ origin: 'heartbeat', chatId: 'owner-chat', user: { role: 'owner' } })
    expect(world.turns[0]?.prompt).toMatch(/Water the plants on Fridays[\s\S]*HEARTBEAT_OK/)
    expect(world.turns[0]?.prompt).not.toContain('old')
    await background.tick()
    expect(world.turns).toHaveLength(1)
    await beat(world, background)
    expect(world.turns).toHaveLength(2)
  })

  test('slows down while there is nothing to say, and is awake again when the file changes', async () => {
    const world = makeWorld()
    world.write('- Tell me when it snows')
    const background = world.start(async () => ({ text: 'HEARTBEAT_OK\n' }))
    for (let half = 0; half < 24; half++) await beat(world, background)
    // After 1, 3, 7, 11, 15, 19 and 23 half hours instead of 24 times.
    expect(world.turns).toHaveLength(7)
    await beat(world, background)
    world.write('- Tell me when it rains')
    await beat(world, background)
    expect(world.turns).toHaveLength(8)
  })

  test('keeps its pulse over restarts: restarting does not mean asking', async () => {
    const world = makeWorld()
    world.write('- task')
    const first = world.start(async () => ({ text: 'said' }))
    await beat(world, first)
    first.stop()
    for (let restart = 0; restart < 3; restart++) {
      const again = world.start()
      await beat(world, again, MINUTE_MS)
      again.stop()
    }
    expect(world.turns).toHaveLength(1)
  })

  test('is off with an interval of 0 or without an owner’s chat, and follows a change at once', async () => {
    const world = makeWorld()
    world.write('- task')
    world.intervalS = 0
    const background = world.start()
    await beat(world, background)
    expect(world.turns).toEqual([])
    world.intervalS = 60
    background.configChanged()
    await beat(world, background)
    expect(world.turns).toHaveLength(1)
    const ownerless = world.start(undefined, {})
    await beat(world, ownerless)
    expect(world.turns).toHaveLength(1)
  })

  test('a turn that fails is asked for at the next beat, not at once', async () => {
    const world = makeWorld()
    world.write('- task')
    const background = world.start(() => Promise.reject(new Error('no model')))
    await beat(world, background)
    await background.tick()
    expect(world.turns).toHaveLength(1)
    await beat(world, background)
    expect(world.turns).toHaveLength(2)
  })

  test('does not read what a link leads to', async () => {
    const world = makeWorld()
    writeFileSync(join(world.dataDir, 'agent.db'), '- secret of the server')
    symlinkSync(join(world.dataDir, 'agent.db'), join(world.workspacePath, 'HEARTBEAT.md'))
    await beat(world, world.start())
    expect(world.turns).toEqual([])
  })
})

function makeWorld() {
  const workspacePath = makeFolder()
  const dataDir = makeFolder()
  const turns: BackgroundRequest[] = []
  const schedules = openSchedules(dataDir, () => world.now)
  onTestFinished(() => schedules.close())
  const world = {
    now: START,
    intervalS: 1800,
    workspacePath,
    dataDir,
    turns,
    schedules,
    write: (text: string) => writeFileSync(join(workspacePath, 'HEARTBEAT.md'), text),
    add: (timing: Parameters<typeof parseTiming>[0], prompt: string) =>
      schedules.add({ chatId: 'chat', user, prompt, ...parseTiming(timing, 'UTC', world.now) }),
    start: (
      runTurn: (request: BackgroundRequest) => Promise<{ text: string }> = async () => ({ text: 'ok' }),
      config: { OWNER_CHAT_ID?: string } = { OWNER_CHAT_ID: 'owner-chat' },
    ) => {
      const background = startBackground({
        workspacePath,
        dataDir,
        config,
        heartbeatInterval: () => world.intervalS,
        runTurn: (request) => {
          turns.push(request)
          return runTurn(request)
        },
        log: () => undefined,
        clock: () => world.now,
      })
      onTestFinished(() => background.stop())
      return background
    },
  }
  return world
}
