import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { MAX_SCHEDULES, openSchedules, SchedulesTooNew } from '../background/schedules.ts'
import { makeFolder, makeRunner } from './tool-runner.fixture.ts'

describe('the schedule tool', () => {
  test('confirms in the person’s local time and remembers the zone', async () => {
    const { run } = await makeRunner()
    const first = await run('schedule', {
      action: 'create',
      prompt: 'x',
      at: '2030-07-01T09:00',
      timezone: 'Europe/Berlin',
    })
    expect(first).toMatchObject({ ok: true, content: 'Schedule 1 is set: Mon 1 Jul 2030, 09:00 (Europe/Berlin).' })
    const second = await run('schedule', { action: 'create', prompt: 'y', at: '2030-01-01T09:00' })
    expect(second.content).toBe('Schedule 2 is set: Tue 1 Jan 2030, 09:00 (Europe/Berlin).')
  })

  test('without a known zone it takes UTC and says so', async () => {
    const { run } = await makeRunner()
    const { content } = await run('schedule', { action: 'create', prompt: 'x', cron: '0 8 * * *' })
    expect(content).toMatch(/\(UTC\)\. No time zone is known/)
  })

  test('lists and cancels, each chat its own', async () => {
    const { run } = await makeRunner()
    await run('schedule', { action: 'create', prompt: 'water', every_minutes: 60 })
    expect((await run('schedule', { action: 'list' })).content).toMatch(/^1\. every hour, next .*: water\nNow it is /)
    const other = { chatId: 'other' }
    expect((await run('schedule', { action: 'list' }, other)).content).toMatch(/^Nothing is scheduled/)
    expect((await run('schedule', { action: 'cancel', id: 1 }, other)).ok).toBe(false)
    expect((await run('schedule', { action: 'cancel', id: 1 })).content).toBe('Schedule 1 is cancelled.')
    expect((await run('schedule', { action: 'cancel', id: 1 })).ok).toBe(false)
    expect((await run('schedule', { action: 'cancel' })).content).toContain('needs an id')
  })

  test('answers what is wrong so that the model can put it right', async () => {
    const { run } = await makeRunner()
    expect((await run('schedule', { action: 'create', in_minutes: 5 })).content).toContain('needs a prompt')
    expect((await run('schedule', { action: 'create', prompt: 'x' })).content).toContain('exactly one')
    expect((await run('schedule', { action: 'create', prompt: 'x', every_minutes: 0.1 })).ok).toBe(false)
    expect((await run('schedule', { action: 'remind' })).content).toContain('action')
  })

  test('there is an end to how many there can be', async () => {
    const { run } = await makeRunner()
    for (let count = 0; count < MAX_SCHEDULES; count++) {
      expect((await run('schedule', { action: 'create', prompt: 'x', in_minutes: 60 })).ok).toBe(true)
    }
    expect((await run('schedule', { action: 'create', prompt: 'x', in_minutes: 60 })).content).toContain('too many')
  })
})

describe('the database', () => {
  test('survives a restart, private to the server', async () => {
    const dataDir = makeFolder()
    const schedules = openSchedules(dataDir)
    schedules.add({
      chatId: 'c',
      user: { id: '1', name: 'Ána "x"', role: 'owner' },
      prompt: "it's\n`quoted`",
      timing: { kind: 'cron', expression: '0 8 * * *' },
      timezone: 'UTC',
      dueAtMs: 5,
    })
    const stored = schedules.list('c')
    schedules.close()
    const again = openSchedules(dataDir)
    expect(again.list('c')).toEqual(stored)
    expect(stored[0]).toMatchObject({ prompt: "it's\n`quoted`", user: { name: 'Ána "x"' }, state: 'waiting' })
    again.close()
    const { statSync } = await import('node:fs')
    expect(statSync(join(dataDir, 'schedules.db')).mode & 0o077).toBe(0)
  })

  test('of a newer version is left alone', () => {
    const dataDir = makeFolder()
    const newer = new DatabaseSync(join(dataDir, 'schedules.db'))
    newer.exec('PRAGMA user_version=99')
    newer.close()
    expect(() => openSchedules(dataDir)).toThrow(SchedulesTooNew)
  })

  test('that is none stops the start instead of being overwritten', () => {
    const dataDir = makeFolder()
    writeFileSync(join(dataDir, 'schedules.db'), 'this is not a database at all, but somebody’s text')
    expect(() => openSchedules(dataDir)).toThrow()
  })
})
