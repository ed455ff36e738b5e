import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ALICE, BOB } from '../start-telegram.ts'
import { call, refusal, startWithAlice, type TestBot } from '../test-bot.ts'

let bot: TestBot
beforeEach(async () => {
  bot = await startWithAlice()
  bot.sim.start(BOB)
})
afterEach(() => bot.close())

const send = (chat_id: number = ALICE) => call(bot, 'sendMessage', { chat_id, text: 'x' })
const shown = () => bot.sim.botMessages(ALICE).length

describe('a fault', () => {
  test('strikes its method and chat so many times', async () => {
    bot.sim.fault({
      kind: 'error',
      method: 'sendMessage',
      chat_id: ALICE,
      times: 1,
      skip: 1,
      error_code: 400,
      description: 'Bad Request: odd',
    })
    expect((await send(BOB)).status).toBe(200)
    expect((await send()).status).toBe(200)
    expect((await send()).body).toEqual({ ok: false, error_code: 400, description: 'Bad Request: odd' })
    expect((await send()).status).toBe(200)
  })

  test('of flood silences the chat for its time, and calls into it are noted', async () => {
    bot.sim.fault({ kind: 'flood', retry_after: 30, times: 1 })
    expect((await send()).body.parameters).toEqual({ retry_after: 30 })
    expect((await send()).body.parameters).toEqual({ retry_after: 60 })
    expect(bot.sim.calls().map(({ in_penalty }) => in_penalty)).toEqual([false, true])
    expect((await send(BOB)).status).toBe(200)
  })

  test('may be an error of a proxy, without JSON', async () => {
    bot.sim.fault({ kind: 'server_error', status: 502, times: 1 })
    expect(await refusal(bot.api.sendMessage(ALICE, 'x'))).toMatch(/failed/)
    expect(bot.sim.calls()[0]).toMatchObject({ status: 502, ok: false })
    expect(shown()).toBe(0)
  })

  test('may drop the connection before the effect', async () => {
    bot.sim.fault({ kind: 'drop_before', times: 1 })
    await expect(send()).rejects.toThrow()
    expect(shown()).toBe(0)
  })

  test('may drop the connection after the effect', async () => {
    bot.sim.fault({ kind: 'drop_after', times: 1 })
    await expect(send()).rejects.toThrow()
    expect(shown()).toBe(1)
    expect(bot.sim.calls()[0]).toMatchObject({ ok: false, status: 0 })
  })

  test('may delay', async () => {
    bot.sim.fault({ kind: 'delay', ms: 30, times: 1 })
    await send()
    expect(bot.sim.calls()[0]?.ms).toBeGreaterThanOrEqual(29)
  })

  test('may come by chance, the same chance for the same seed', async () => {
    const run = async (seed: number) => {
      const stop = bot.sim.fault({ kind: 'server_error', probability: 0.5, seed })
      const outcome: boolean[] = []
      for (let n = 0; n < 24; n++)
        outcome.push((await fetch(`${bot.url}/bot7000000001:AAtestTESTtestTESTtestTEST/getMe`)).ok)
      stop()
      return outcome.map(Number).join('')
    }
    const first = await run(7)
    expect(first).toMatch(/01|10/)
    expect(await run(7)).toBe(first)
    expect(await run(8)).not.toBe(first)
  })

  test('can be ordered over HTTP and taken back', async () => {
    const order = (method: string, body?: object) =>
      fetch(`${bot.url}/sim/faults`, { method, ...(body ? { body: JSON.stringify(body) } : {}) })
    expect((await order('POST', { kind: 'nonsense' })).status).toBe(400)
    await order('POST', { kind: 'server_error', status: 500 })
    expect((await fetch(`${bot.url}/bot7000000001:AAtestTESTtestTESTtestTEST/getMe`)).status).toBe(500)
    await order('DELETE')
    expect((await send()).status).toBe(200)
  })
})

describe('a group that becomes a supergroup', () => {
  test('tells both chats, and refuses sends to the old one with the new id', async () => {
    const { id } = bot.sim.addGroup({ title: 'G', members: [ALICE] })
    await bot.api.sendMessage(id, 'before')
    const to = bot.sim.migrate(id)
    const { body } = await send(id)
    expect(body).toEqual({
      ok: false,
      error_code: 400,
      description: 'Bad Request: group chat was upgraded to a supergroup chat',
      parameters: { migrate_to_chat_id: to },
    })
    expect((await send(to)).status).toBe(200)
    const told = bot.sim
      .pendingUpdates()
      .flatMap(({ message }) => message?.migrate_to_chat_id ?? message?.migrate_from_chat_id ?? [])
    expect(told).toEqual([to, id])
  })

  test('or throws the bot out, refuses all', async () => {
    const { id } = bot.sim.addGroup({ title: 'G', members: [ALICE], type: 'supergroup' })
    bot.sim.setBotStanding(id, 'kicked', ALICE)
    expect((await send(id)).body.description).toBe('Forbidden: bot was kicked from the supergroup chat')
    bot.sim.setBotStanding(id, 'left', ALICE)
    expect((await send(id)).body.description).toBe('Forbidden: bot is not a member of the supergroup chat')
  })
})
