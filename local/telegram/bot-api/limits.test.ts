import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createManualClock, type ManualClock } from '../manual-clock.ts'
import { ALICE, BOB } from '../start-telegram.ts'
import { call, startWithAlice, type TestBot } from '../test-bot.ts'

let clock: ManualClock
let bot: TestBot
beforeEach(async () => {
  clock = createManualClock()
  bot = await startWithAlice({ clock, limits: 'real' })
  bot.sim.start(BOB)
})
afterEach(() => bot.close())

const send = (chat_id: number = ALICE) => call(bot, 'sendMessage', { chat_id, text: 'x' })
const flood = async (chat: number = ALICE) => {
  for (let sent = 0; sent < 100; sent++) {
    const answer = await send(chat)
    if (answer.status === 429) return answer
  }
  throw new Error('no limit')
}

describe('flood control', () => {
  test('never troubles a bot that keeps to one call a second after a short burst', async () => {
    for (let sent = 0; sent < 8; sent++) expect((await send()).status).toBe(200)
    for (let second = 0; second < 120; second++) {
      await clock.advance(1000)
      expect((await call(bot, 'sendMessageDraft', { chat_id: ALICE, draft_id: 1, text: `${second}` })).status).toBe(200)
    }
  })

  test('answers 429 with the time to wait, in the words of Telegram', async () => {
    const { body } = await flood()
    expect(body).toEqual({
      ok: false,
      error_code: 429,
      description: 'Too Many Requests: retry after 5',
      parameters: { retry_after: 5 },
    })
  })

  test('holds for one chat, and counts sends, edits and drafts together', async () => {
    const { body } = await send()
    const { message_id } = body.result as { message_id: number }
    for (let round = 0; round < 3; round++) {
      await call(bot, 'editMessageText', { chat_id: ALICE, message_id, text: String(round) })
      await call(bot, 'sendMessageDraft', { chat_id: ALICE, draft_id: 1, text: String(round) })
      await send()
    }
    expect((await send()).status).toBe(429)
    expect((await send(BOB)).status).toBe(200)
  })

  test('gets longer with each call made into it, and the log shows who did', async () => {
    await flood()
    bot.sim.world.calls.clear()
    expect((await send()).body.description).toBe('Too Many Requests: retry after 10')
    expect((await send()).body.description).toBe('Too Many Requests: retry after 20')
    expect(bot.sim.calls().map(({ in_penalty }) => in_penalty)).toEqual([true, true])
    await clock.advance(19_999)
    expect((await send()).body.description).toBe('Too Many Requests: retry after 40')
    await clock.advance(40_000)
    expect((await send()).status).toBe(200)
  })

  test('is forgiven after a while', async () => {
    await flood()
    await clock.advance(5_000 + 120_001)
    expect((await flood()).body.parameters).toEqual({ retry_after: 5 })
  })

  test('lets a group have 20 a minute', async () => {
    const { id } = bot.sim.addGroup({ title: 'G', members: [ALICE] })
    let passed = 0
    for (let second = 0; second < 40; second++) {
      await clock.advance(1000)
      if ((await send(id)).status === 200) passed++
      else break
    }
    expect(passed).toBe(20)
  })

  test('leaves answers to buttons alone', async () => {
    const { body } = await call(bot, 'sendMessage', {
      chat_id: ALICE,
      text: 'x',
      reply_markup: { inline_keyboard: [[{ text: 'A', callback_data: 'a' }]] },
    })
    const { message_id } = body.result as { message_id: number }
    await flood()
    const callback_query_id = bot.sim.press(ALICE, ALICE, message_id, { data: 'a' })
    expect((await call(bot, 'answerCallbackQuery', { callback_query_id })).status).toBe(200)
  })

  test('can be switched off', async () => {
    bot.sim.setLimits('off')
    for (let sent = 0; sent < 100; sent++) expect((await send()).status).toBe(200)
  })
})
