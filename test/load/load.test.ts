/** A short load run, and what all of its parts print meanwhile. */
import { beforeAll, describe, expect, test } from 'vitest'
import { type LoadReport, runLoad, SECRETS } from './load.ts'

let report: LoadReport
beforeAll(async () => {
  report = await runLoad({ chats: 3, messages: 4, minutes: 2, agentServers: 1, faults: 3, seed: 4, settleMs: 1_000 })
})

describe('chats with real agents, with troubles of Telegram', () => {
  test('lose nothing and hear nothing twice', () => {
    expect(report).toMatchObject({ asked: 12, lost: [], duplicated: [] })
    // Every fourth question has a tool used first.
    expect(report.modelRequests).toBeGreaterThanOrEqual(15)
  })

  test('leave no secret and nothing that was said, thought or run in any line that is printed', () => {
    const text = report.printed.join('\n')
    expect(text).toContain('"event":"agent_ready"')
    expect(text).toContain('POST /telegram/')
    const said = ['Please answer', 'end-q', 'These words', 'from the shell', 'planted prompt', 'Planted Name', 'echo ']
    for (const planted of [...SECRETS, ...said]) expect(text).not.toContain(planted)
  })
})
