import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createManualClock, type ManualClock } from '../manual-clock.ts'
import { ALICE, BOB } from '../start-telegram.ts'
import { refusal, startTestBot, type TestBot } from '../test-bot.ts'
import { telegramRetryDelay } from './webhook.ts'

let clock: ManualClock
let bot: TestBot
beforeEach(async () => {
  clock = createManualClock()
  bot = await startTestBot({ clock })
})
afterEach(() => bot.close())

const texts = () => bot.received.map(({ update }) => update.message?.text ?? update.callback_query?.data ?? '?')
/** Until this many attempts are over, as the stand-in has noted them. */
const attempts = (count: number) => bot.sim.waitFor((sim) => sim.deliveries().length >= count, { pollMs: 5 })

describe('webhook delivery', () => {
  test('carries the secret, and ids that grow by one', async () => {
    await bot.api.setWebhook(bot.webhookUrl, { secret_token: 'se-cret_1' })
    bot.sim.start(ALICE)
    bot.sim.sendText({ from: ALICE }, 'two')
    const [first, second] = [await bot.nth(0), await bot.nth(1)]
    expect(first.headers['x-telegram-bot-api-secret-token']).toBe('se-cret_1')
    expect(first.headers['content-type']).toBe('application/json')
    expect(second.update.update_id).toBe(first.update.update_id + 1)
    expect(first.update.message).toMatchObject({
      text: '/start',
      entities: [{ type: 'bot_command', offset: 0, length: 6 }],
    })
  })

  test('sends a chat its next update only after the last was taken, and other chats meanwhile', async () => {
    bot.onUpdate = () => undefined
    await bot.api.setWebhook(bot.webhookUrl)
    bot.sim.start(ALICE)
    bot.sim.sendText({ from: ALICE }, 'two')
    bot.sim.sendText({ from: BOB }, 'other')
    await bot.nth(1)
    expect(texts()).toEqual(['/start', 'other'])
    bot.received[0]?.reply()
    await bot.nth(2)
    expect(texts()).toEqual(['/start', 'other', 'two'])
  })

  test('has buttons in a queue of their own', async () => {
    await bot.api.setWebhook(bot.webhookUrl)
    bot.sim.start(ALICE)
    await attempts(1)
    const reply_markup = { inline_keyboard: [[{ text: 'A', callback_data: 'stop' }]] }
    const { message_id } = await bot.api.sendMessage(ALICE, 'x', { reply_markup })
    bot.onUpdate = () => undefined
    bot.sim.sendText({ from: ALICE }, 'slow')
    await bot.nth(1)
    bot.sim.press(ALICE, ALICE, message_id, { text: 'A' })
    await bot.nth(2)
    expect(texts()).toEqual(['/start', 'slow', 'stop'])
  })

  test('keeps to max_connections', async () => {
    bot.onUpdate = () => undefined
    await bot.api.setWebhook(bot.webhookUrl, { max_connections: 2 })
    for (let person = 1; person <= 4; person++) {
      const { id } = bot.sim.addPerson({ first_name: `P${person}` })
      bot.sim.start(id)
    }
    await bot.nth(1)
    expect((await bot.api.getWebhookInfo()).pending_update_count).toBe(4)
    expect(bot.received).toHaveLength(2)
    bot.received[0]?.reply()
    await bot.nth(2)
    expect(bot.received).toHaveLength(3)
  })

  test('tries again at once, then after 2, 4, 8 seconds, in order', async () => {
    bot.onUpdate = ({ reply }) => reply(500)
    await bot.api.setWebhook(bot.webhookUrl)
    bot.sim.start(ALICE)
    bot.sim.sendText({ from: ALICE }, 'two')
    await attempts(2)
    for (const [pause, count] of [
      [2, 3],
      [4, 4],
      [8, 5],
    ] as const) {
      await clock.advance(pause * 1000 - 1)
      expect(bot.sim.deliveries()).toHaveLength(count - 1)
      await clock.advance(1)
      await attempts(count)
    }
    expect((await bot.api.getWebhookInfo()).last_error_message).toBe(
      'Wrong response from the webhook: 500 Internal Server Error',
    )
    bot.onUpdate = ({ reply }) => reply()
    await clock.advance(16_000)
    await attempts(7)
    expect(texts()).toEqual([...Array(6).fill('/start'), 'two'])
    expect((await bot.api.getWebhookInfo()).pending_update_count).toBe(0)
  })

  test('pauses at most one to two minutes', () => {
    expect([1, 2, 3, 4].map(telegramRetryDelay)).toEqual([0, 2000, 4000, 8000])
    const long = telegramRetryDelay(30)
    expect(long).toBeGreaterThanOrEqual(60_000)
    expect(long).toBeLessThanOrEqual(120_000)
  })

  test('honours Retry-After', async () => {
    bot.onUpdate = ({ reply }) => reply(503, { 'retry-after': '100' })
    await bot.api.setWebhook(bot.webhookUrl)
    bot.sim.start(ALICE)
    await attempts(1)
    await clock.advance(99_999)
    expect(bot.sim.deliveries()).toHaveLength(1)
    await clock.advance(1)
    await attempts(2)
  })

  test('waits 60 seconds for an answer, and counts a hang-up as a failure', async () => {
    bot.onUpdate = () => undefined
    await bot.api.setWebhook(bot.webhookUrl)
    bot.sim.start(ALICE)
    await bot.nth(0)
    await clock.advance(59_999)
    expect(bot.sim.deliveries()).toHaveLength(0)
    await clock.advance(1)
    await attempts(1)
    expect(bot.sim.deliveries()[0]).toMatchObject({ ok: false, error: 'Read timeout expired' })
    ;(await bot.nth(1)).hangUp()
    await attempts(2)
    expect(bot.sim.deliveries()[1]).toMatchObject({ ok: false, error: 'Webhook connection closed' })
  })

  test('drops a press after 150 seconds and a message after a day', async () => {
    bot.sim.start(ALICE)
    const message = bot.sim.messages(ALICE)[0]
    if (!message) throw new Error('no message')
    bot.sim.pressRaw(ALICE, message, 'x')
    expect(bot.sim.pendingUpdates()).toHaveLength(2)
    await clock.advance(150_001)
    expect(bot.sim.pendingUpdates()).toHaveLength(1)
    await clock.advance(24 * 3600 * 1000)
    expect(bot.sim.pendingUpdates()).toEqual([])
  })

  test('gives up the webhook after 23 hours of 410', async () => {
    bot.onUpdate = ({ reply }) => reply(410, { 'retry-after': '3600' })
    await bot.api.setWebhook(bot.webhookUrl)
    bot.sim.start(ALICE)
    await attempts(1)
    for (let hour = 1; hour <= 23; hour++) {
      await clock.advance(3600_000)
      await attempts(hour + 1)
    }
    expect((await bot.api.getWebhookInfo()).url).toBe(bot.webhookUrl)
    bot.sim.sendText({ from: ALICE }, 'still here')
    await clock.advance(3600_000)
    await attempts(25)
    expect((await bot.api.getWebhookInfo()).url).toBe('')
  })

  test('takes a method call in the answer, but no get and no setWebhook', async () => {
    const reply = { method: 'sendMessage', chat_id: ALICE, text: 'from the answer' }
    bot.onUpdate = (item) =>
      item.reply(200, {}, JSON.stringify(bot.received.length === 1 ? reply : { method: 'deleteWebhook' }))
    await bot.api.setWebhook(bot.webhookUrl)
    bot.sim.start(ALICE)
    await bot.sim.waitForBot(ALICE, 'from the answer')
    bot.sim.sendText({ from: ALICE }, 'x')
    await attempts(2)
    expect((await bot.api.getWebhookInfo()).url).toBe(bot.webhookUrl)
  })

  test('holds back kinds that were not asked for', async () => {
    bot.sim.start(ALICE)
    bot.sim.react(ALICE, ALICE, 1, '👍')
    expect(bot.sim.pendingUpdates().map((update) => Object.keys(update)[1])).toEqual(['message'])
    await bot.api.setWebhook(bot.webhookUrl, { allowed_updates: ['message_reaction'] })
    bot.sim.react(ALICE, ALICE, 1, '🔥')
    bot.sim.sendText({ from: ALICE }, 'not asked for')
    await attempts(2)
    expect(bot.received.map(({ update }) => Object.keys(update)[1])).toEqual(['message', 'message_reaction'])
  })

  test('is set only for addresses and secrets that Telegram would take', async () => {
    const set = (url: string, other = {}) => refusal(bot.api.setWebhook(url, other))
    expect(await set('nonsense')).toBe('Bad Request: invalid webhook URL specified')
    expect(await set('http://example.org/')).toBe('Bad Request: bad webhook: An HTTPS URL must be provided for webhook')
    expect(await set('https://example.org:1234/')).toMatch(/only on ports 80, 88, 443 or 8443/)
    expect(await set(bot.webhookUrl, { secret_token: 'a b' })).toBe(
      'Bad Request: secret token contains unallowed characters',
    )
    expect(await set(bot.webhookUrl, { secret_token: 'x'.repeat(257) })).toBe('Bad Request: secret token is too long')
  })

  test('drops what waits when asked to', async () => {
    bot.sim.start(ALICE)
    await bot.api.deleteWebhook({ drop_pending_updates: true })
    expect(bot.sim.pendingUpdates()).toEqual([])
  })
})

describe('long polling', () => {
  test('is refused while a webhook is set', async () => {
    await bot.api.setWebhook(bot.webhookUrl)
    expect(await refusal(bot.api.getUpdates())).toBe(
      "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    )
  })

  test('waits for an update, and forgets what the offset confirms', async () => {
    const waiting = bot.api.getUpdates({ timeout: 50 })
    await bot.sim.waitFor(() => bot.sim.world.polling.isWaiting, { pollMs: 5 })
    bot.sim.start(ALICE)
    const [update] = await waiting
    expect(update?.message?.text).toBe('/start')
    expect(await bot.api.getUpdates()).toHaveLength(1)
    expect(await bot.api.getUpdates({ offset: (update?.update_id ?? 0) + 1 })).toEqual([])
    expect(bot.sim.pendingUpdates()).toEqual([])
  })

  test('ends with nothing after its time', async () => {
    const waiting = bot.api.getUpdates({ timeout: 10 })
    await bot.sim.waitFor(() => bot.sim.world.polling.isWaiting, { pollMs: 5 })
    await clock.advance(10_000)
    expect(await waiting).toEqual([])
  })

  test('has one reader: the earlier is told to go', async () => {
    const first = refusal(bot.api.getUpdates({ timeout: 50 }))
    await bot.sim.waitFor(() => bot.sim.world.polling.isWaiting, { pollMs: 5 })
    const second = bot.api.getUpdates({ timeout: 50 })
    expect(await first).toBe(
      'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running',
    )
    await bot.sim.waitFor(() => bot.sim.world.polling.isWaiting, { pollMs: 5 })
    bot.sim.start(ALICE)
    expect(await second).toHaveLength(1)
  })
})
