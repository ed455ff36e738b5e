import { afterEach, describe, expect, test, vi } from 'vitest'
import { telegramWebhook } from './telegram-webhook.ts'

const SECRET = 'a-secret-of-enough-length'
const UPDATE = { update_id: 7, message: { message_id: 1, date: 0, chat: { id: 42, type: 'private' }, text: 'hi' } }

const enqueued: { name: string; update: unknown }[] = []
let failure: Error | undefined

const bindings = {
  PUBLIC_URL: 'https://baal.example.org',
  TELEGRAM_BOT_TOKEN: `7000000001:${'a'.repeat(35)}`,
  TELEGRAM_WEBHOOK_SECRET: SECRET,
  LIBERTAI_API_KEY: 'key',
  ALEPH_SSH_PUBKEY: 'ssh-ed25519 AAAA baal',
  LIBSQL_URL: 'libsql://baal.example.org',
  BOT_ENCRYPTION_KEY: Buffer.alloc(32).toString('base64url'),
  WORKER_SIGNING_KEY: '{}',
  CHAT: {
    getByName: (name: string) => ({
      enqueue: async (update: unknown) => {
        if (failure) throw failure
        enqueued.push({ name, update })
        return 'new'
      },
    }),
  },
}

const post = (
  body: string,
  { bot = '7000000001', headers = { 'x-telegram-bot-api-secret-token': SECRET } as HeadersInit } = {},
) => telegramWebhook.request(`/telegram/${bot}`, { method: 'POST', body, headers }, bindings)

afterEach(() => {
  enqueued.length = 0
  failure = undefined
  vi.restoreAllMocks()
})

describe('an update from Telegram', () => {
  test('goes to the object of its chat, whole', async () => {
    expect((await post(JSON.stringify(UPDATE))).status).toBe(200)
    expect(enqueued).toEqual([{ name: '7000000001:42', update: UPDATE }])
  })

  test.each([
    ['a topic message', { message: { ...UPDATE.message, message_thread_id: 9, is_topic_message: true } }, ':42:9'],
    ['a reply thread that is no topic', { message: { ...UPDATE.message, message_thread_id: 9 } }, ':42'],
    ['a button', { callback_query: { id: 'q', from: { id: 5 }, message: UPDATE.message, data: 'x' } }, ':42'],
    ['an edited message', { edited_message: UPDATE.message }, ':42'],
    ['a stopped draft', { stopped_message_generation: { chat: UPDATE.message.chat, draft_id: 5 } }, ':42'],
  ])('finds the chat of %s', async (_, update, suffix) => {
    await post(JSON.stringify({ update_id: 8, ...update }))
    expect(enqueued[0]?.name).toBe(`7000000001${suffix}`)
  })

  test('of an unknown kind is answered and ignored, so that it does not block what follows', async () => {
    expect((await post(JSON.stringify({ update_id: 9, something_new: { a: 1 } }))).status).toBe(200)
    expect((await post(JSON.stringify({ update_id: 9, message: { chat: 'odd' } }))).status).toBe(200)
    expect(enqueued).toEqual([])
  })

  test('with a wrong secret, an empty one or none changes nothing', async () => {
    for (const headers of [
      { 'x-telegram-bot-api-secret-token': 'wrong' },
      { 'x-telegram-bot-api-secret-token': '' },
      {},
    ]) {
      const response = await post(JSON.stringify(UPDATE), { headers: headers as HeadersInit })
      expect(response.status).toBe(401)
      expect(await response.json()).toEqual({ error: 'unauthorized' })
    }
    expect(enqueued).toEqual([])
  })

  test('for another bot is not found', async () => {
    expect((await post(JSON.stringify(UPDATE), { bot: '1' })).status).toBe(404)
  })

  test.each([['{"half'], ['[]'], ['null'], ['{"update_id":"7"}'], ['{"update_id":-1}'], ['']])(
    'that is malformed (%s) is refused with JSON and has no effect',
    async (body) => {
      const response = await post(body)
      expect(response.status).toBe(400)
      expect(await response.json()).toEqual({ error: 'malformed_update' })
      expect(enqueued).toEqual([])
    },
  )

  test('larger than any real one is refused', async () => {
    expect((await post(JSON.stringify({ ...UPDATE, padding: 'x'.repeat(1024 * 1024) }))).status).toBe(413)
  })

  test('that could not be made durable is refused, so that Telegram sends it again', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    failure = new Error('storage is gone')
    expect((await post(JSON.stringify(UPDATE))).status).toBe(503)
    expect(String(logged.mock.calls[0]?.[0])).toContain('"update":7')
  })
})
