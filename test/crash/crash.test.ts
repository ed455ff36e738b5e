import { afterEach, describe, expect, test } from 'vitest'
import {
  BOT_ID,
  newcomer,
  type Surroundings,
  setWebhook,
  startSurroundings,
} from '../../functions/chat/testing/delivery-harness.ts'
import { runCrashMatrix } from './crash-matrix.ts'
import { type KillableWorker, killableWorker } from './killable-worker.ts'

const config = new URL('../../functions/chat/testing/wrangler.toml', import.meta.url).pathname
let world: Surroundings | undefined
let worker: KillableWorker | undefined

afterEach(async () => {
  await worker?.stop()
  await world?.close()
  worker = undefined
  world = undefined
})

describe('kill -9 of the Worker', () => {
  test('in the middle of an answer ends in exactly one complete answer', async () => {
    const words = 'one two three four five six seven eight nine ten eleven twelve'
    const around = await startSurroundings((turn) => turn.say(words, { everyMs: 300 }))
    world = around
    const killed = await killableWorker({ config, dataDir: around.dataDir, variables: around.variables })
    worker = killed
    await killed.start()
    await setWebhook(around.telegram, `${killed.url}/telegram/${BOT_ID}`)
    const { person, sim } = newcomer(around)
    sim.sendText({ from: person }, 'count')
    await sim.waitFor(() => sim.drafts(person).some(({ text }) => text.includes('three')))
    await killed.kill()
    await killed.start()
    await sim.waitForBot(person, (message) => message.text?.trim() === words, { timeoutMs: 30_000 })
    expect(sim.botMessages(person).length).toBe(1)
    expect([...around.agent.runs.values()]).toEqual([1])
    // It was read on, not asked again from the beginning.
    expect(Number(around.agent.resumedFrom.at(-1))).toBeGreaterThan(1)
  })

  test('again and again, with troubles of Telegram beside it, loses nothing and says nothing twice', async () => {
    const report = await runCrashMatrix({
      kills: 10,
      seed: 7,
      privateChats: 4,
      groups: 1,
      forums: 0,
      trouble: { flood: 0.01, serverError: 0.02, dropBefore: 0.01, dropAfter: 0.02 },
      agentTrouble: 0.3,
    })
    expect(report).toMatchObject({
      finalsLost: [],
      finalsDuplicated: [],
      filesLost: [],
      filesDuplicated: [],
      outOfOrder: [],
      stuck: [],
      secondRuns: [],
      leftovers: [],
    })
    expect(report.callsIntoPenalty).toBe(0)
    expect(report.turnsHit).toBeGreaterThan(0)
  }, 300_000)
})
