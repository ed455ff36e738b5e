/** The whole Worker while things go well and badly: what it counts, and what it says in its log. */
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createTestHarness } from 'wrangler'
import type { FakeTurn } from '../../functions/chat/testing/agent-server.fake.ts'
import {
  BOT_ID,
  type Surroundings,
  setWebhook,
  startSurroundings,
  TOKEN,
  WEBHOOK_SECRET,
} from '../../functions/chat/testing/delivery-harness.ts'

const CONFIG = fileURLToPath(new URL('../../wrangler.toml', import.meta.url))
const ADMIN_TOKEN = 'the-admin-token-of-this-test'
/** What no log line may hold: a person's words, an agent's words, and keys. */
const THEIR_WORDS = 'platypus-in-the-cellar'
const AGENTS_WORDS = 'ornithorhynchus-answer'
/** The agent of the surroundings is this person's. */
const OWNER = 1

let around: Surroundings
let worker: ReturnType<typeof createTestHarness>

beforeAll(async () => {
  around = await startSurroundings(brain)
  worker = createTestHarness({ workers: [{ configPath: CONFIG, vars: { ...around.variables, ADMIN_TOKEN } }] })
  const { url } = await worker.listen()
  await setWebhook(around.telegram, new URL(`/telegram/${BOT_ID}`, url).href)
  const { sim } = around.telegram
  sim.addPerson({ id: OWNER, first_name: 'Ann' })
  sim.start(OWNER)
  await hears(/agent/)
  press(/Rex/)
  await hears(/Rex/)
  sim.sendText({ from: OWNER }, `hello ${THEIR_WORDS}`)
  await hears(/answer to hello/)
})
afterAll(async () => {
  await worker?.close()
  await around?.close()
})

async function brain(turn: FakeTurn): Promise<void> {
  if (turn.request.message.includes('fail')) {
    turn.emit({ type: 'error', code: 'model_unreachable', content: 'The model is away.' })
    throw new Error('ends as an error')
  }
  await turn.say(`${AGENTS_WORDS} to ${turn.request.message.slice(0, 20)}`)
}

const botTexts = () =>
  around.telegram.sim
    .messages(OWNER)
    .filter(({ from }) => from?.is_bot)
    .map(({ text }) => text ?? '')

const hears = (pattern: RegExp, times = 1) =>
  vi.waitFor(() => expect(botTexts().filter((text) => pattern.test(text)).length).toBeGreaterThanOrEqual(times), {
    timeout: 30_000,
    interval: 50,
  })

function press(label: RegExp): void {
  const { sim } = around.telegram
  for (const message of sim.messages(OWNER).toReversed()) {
    const button = message.reply_markup?.inline_keyboard.flat().find(({ text }) => label.test(text))
    if (button) return void sim.press(OWNER, OWNER, message.message_id, { text: button.text })
  }
  throw new Error(`no button ${label}: ${botTexts().join(' ‖ ')}`)
}

async function scrape(): Promise<string> {
  const response = await worker.fetch('/admin/metrics', { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } })
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toContain('version=0.0.4')
  return response.text()
}

describe('GET /admin/metrics', () => {
  test.each([undefined, 'Bearer another-token-of-that-length!', ADMIN_TOKEN, `Basic ${ADMIN_TOKEN}`])(
    'is closed to %s',
    async (authorization) => {
      const response = await worker.fetch('/admin/metrics', authorization ? { headers: { authorization } } : {})
      expect([response.status, await response.text()]).toEqual([401, '{"error":"unauthorized"}'])
    },
  )

  test('counts turns, errors by kind, latencies, penalties and doubtful messages', async () => {
    const { sim } = around.telegram
    sim.sendText({ from: OWNER }, 'first')
    await hears(/ornithorhynchus-answer to first/)
    sim.sendText({ from: OWNER }, 'please fail')
    await hears(/model that I think with/)
    sim.fault({ kind: 'flood', method: 'sendMessage', times: 1, retry_after: 1 })
    sim.sendText({ from: OWNER }, 'second')
    await hears(/answer to second/)
    sim.fault({ kind: 'drop_after', method: 'sendMessage', times: 1 })
    sim.sendText({ from: OWNER }, 'third')
    await hears(/answer to third/)
    await vi.waitFor(async () => expect(await scrape()).toContain('baal_delivery_total{outcome="arrival_found"} 1'), {
      timeout: 30_000,
    })
    const text = await scrape()
    expect(text).toContain('baal_turns_total{result="done"} 4')
    expect(text).toContain('baal_turns_total{result="failed"} 1')
    expect(text).toContain('baal_turn_errors_total{code="model_unreachable"} 1')
    expect(text).toContain('baal_turn_seconds_count 5')
    expect(text).toContain('baal_turn_first_words_seconds_count 4')
    expect(text).toContain('baal_telegram_calls_total{method="sendText",result="retry_after"} 1')
    expect(text).toContain('baal_telegram_calls_total{method="sendText",result="unknown"} 1')
    expect(text).toContain('baal_agents{status="running"} 1')
    expect(text).toContain('baal_users 1')
  })
})

describe('the log', () => {
  test('tells of a turn by its ids', () => {
    const ended = lines().filter(({ event }) => event === 'turn_ended')
    expect(ended).toHaveLength(5)
    expect(ended[0]).toMatchObject({
      turn: expect.stringMatching(/^u-\d+-\d+$/),
      agent: expect.any(String),
      chat: `${BOT_ID}:${OWNER}`,
      result: 'done',
      ms: expect.any(Number),
    })
    expect(ended[2]).toMatchObject({ result: 'failed', code: 'model_unreachable' })
  })

  test('holds nobody’s words and no key', () => {
    const all = JSON.stringify(worker.getLogs())
    expect(botTexts().join()).toContain(AGENTS_WORDS)
    const { secret } = around.agent
    for (const hidden of [
      THEIR_WORDS,
      AGENTS_WORDS,
      'first',
      'Ann',
      'model is away',
      TOKEN,
      WEBHOOK_SECRET,
      ADMIN_TOKEN,
      secret,
      around.variables.BOT_ENCRYPTION_KEY,
    ]) {
      expect(all).not.toContain(hidden)
    }
  })
})

function lines(): Record<string, unknown>[] {
  return worker.getLogs().flatMap(({ message }) => {
    const text = typeof message === 'string' ? message : JSON.stringify(message)
    const json = /\{"event".*\}/.exec(text)?.[0]
    return json ? [JSON.parse(json)] : []
  })
}
