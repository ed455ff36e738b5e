import { describe, expect, test } from 'vitest'
import type { DeploymentReport } from './deployment-report.ts'
import { Outbox } from './outbox.ts'
import { Reports } from './reports.ts'
import { fakeChatDatabase } from './testing/chat-database.fake.ts'
import { plainText } from './text/formatted-text.ts'
import { TurnStore } from './turn-store.ts'

const HOUR_MS = 3_600_000

describe('Reports', () => {
  test('say how a deployment ended after an outage of hours', async () => {
    const chat = start()
    chat.reports.add(report('d', 7))
    chat.outageUntil = 3 * HOUR_MS
    await chat.drain()
    expect(chat.said()).toEqual(['d 7'])
    expect(chat.reports.openCount()).toBe(0)
  })

  test('never wait behind one that cannot be shown', async () => {
    const chat = start()
    chat.poison = 'bad'
    chat.reports.add(report('bad', 1))
    await chat.reports.step()
    chat.reports.add(report('good', 1))
    await chat.reports.step()
    expect(chat.said()).toEqual(['good 1'])
  })

  test('end for good after a day', async () => {
    const chat = start()
    chat.poison = 'bad'
    chat.reports.add(report('bad', 1))
    await chat.drain()
    expect(chat.reports.openCount()).toBe(0)
    expect(chat.time).toBeLessThan(25 * HOUR_MS)
  })
})

function report(deploymentId: string, seq: number): DeploymentReport {
  return { deploymentId, seq, agentId: 'a', kind: 'create', status: 'done', step: 'ready', progress: 1, startedAt: 0 }
}

function start() {
  const database = fakeChatDatabase()
  const outbox = new Outbox(database)
  const chat = {
    time: 0,
    outageUntil: 0,
    poison: '',
    reports: undefined as unknown as Reports,
    said: () =>
      database
        .query('SELECT action FROM outbox ORDER BY seq')
        .map(({ action }) => JSON.parse(String(action)).text.text),
    async drain() {
      for (;;) {
        const next = await chat.reports.step()
        if (next === 'more') continue
        if (!Number.isFinite(next)) return
        chat.time = Math.max(chat.time, next)
      }
    },
  }
  chat.reports = new Reports({
    database,
    outbox,
    turns: new TurnStore(database),
    describeDeployment: async ({ deploymentId, seq }) => {
      if (chat.time < chat.outageUntil) throw new Error('the database does not answer')
      if (deploymentId === chat.poison) throw new RangeError('cannot be said')
      return { outgoing: [{ kind: 'send', text: plainText(`${deploymentId} ${seq}`) }] }
    },
    handlerPorts: async () => ({ ports: {}, store: { flush: () => undefined } }) as never,
    onOutgoing: () => undefined,
    onTurn: () => undefined,
    now: () => chat.time,
  })
  return chat
}
