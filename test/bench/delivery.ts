/**
 * `node test/bench/delivery.ts`: what a person sees of a turn and what it costs in calls to Telegram, with flood control as
 * strict as Telegram's; fifty chats at once; and how long a webhook takes beside an empty Worker in the same run.
 */
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FakeBrain } from '../../functions/chat/testing/agent-server.fake.ts'
import {
  BOT_ID,
  newcomer,
  type Surroundings,
  setWebhook,
  startSurroundings,
  WEBHOOK_SECRET,
} from '../../functions/chat/testing/delivery-harness.ts'
import { killableWorker } from '../crash/killable-worker.ts'

const WORDS = 'Words that come one after the other, as a model says them. '
const TURNS: Readonly<Record<string, FakeBrain>> = {
  short: (turn) => turn.say('Yes, that is how it is.', { everyMs: 30 }),
  long: (turn) => turn.say(WORDS.repeat(40), { everyMs: 40 }),
  'tool-heavy': async (turn) => {
    for (let n = 0; n < 12; n++) {
      await turn.say('Let me look at the next one.', { everyMs: 30 })
      await turn.useTool('bash', { command: `step ${n}` }, { takesMs: 700 })
    }
    await turn.say(WORDS.repeat(3), { everyMs: 40 })
  },
}
const CHATS = 50
const WEBHOOKS = 400

const around = await startSurroundings((turn) => turn.say('Hello.'), { limits: 'real' })
const config = (path: string) => new URL(path, import.meta.url).pathname
const worker = await killableWorker({
  config: config('../../functions/chat/testing/wrangler.toml'),
  dataDir: around.dataDir,
  variables: around.variables,
})
const empty = await killableWorker({
  config: config('empty-worker/wrangler.toml'),
  dataDir: await mkdtemp(join(tmpdir(), 'baal-empty-')),
  variables: {},
})
try {
  await worker.start()
  await setWebhook(around.telegram, `${worker.url}/telegram/${BOT_ID}`)
  const turns = []
  for (const [kind, brain] of Object.entries(TURNS)) turns.push(await measureTurn(around, kind, brain))
  console.table(turns)
  around.telegram.sim.setLimits('off')
  console.table([await measureManyChats(around)])
  await empty.start()
  console.table([await measureWebhooks(around, worker.url, `${empty.url}/health`)])
} finally {
  await worker.stop()
  await empty.stop()
  await around.close()
}

async function measureTurn(world: Surroundings, kind: string, brain: FakeBrain) {
  const { person, sim } = newcomer(world)
  let firstWordAt = 0
  world.agent.brain = async (turn) => {
    firstWordAt = Date.now()
    await brain(turn)
  }
  const askedAt = Date.now()
  sim.sendText({ from: person }, 'go on')
  await sim.waitForBot(person, () => true, { timeoutMs: 120_000 })
  await sim.waitFor(() => sim.calls({ method: 'sendMessage', chat: person }).length > 0)
  const calls = sim.calls({ chat: person })
  const draft = calls.find(({ method }) => method === 'sendMessageDraft' || method === 'sendMessage')
  const seconds = ((calls.at(-1)?.at ?? askedAt) - askedAt) / 1000
  return {
    turn: kind,
    'turn takes (s)': seconds.toFixed(1),
    calls: calls.length,
    'calls per second': (calls.length / Math.max(1, seconds)).toFixed(2),
    'first sign (ms)': (calls[0]?.at ?? 0) - askedAt,
    'first words after first token (ms)': (draft?.at ?? 0) - firstWordAt,
    'refused by flood control': calls.filter(({ status }) => status === 429).length,
  }
}

async function measureManyChats(world: Surroundings) {
  const { sim } = world.telegram
  world.agent.brain = (turn) => turn.say(WORDS.repeat(2), { everyMs: 100 })
  const people = Array.from({ length: CHATS }, () => newcomer(world).person)
  const askedAt = Date.now()
  for (const person of people) sim.sendText({ from: person }, 'all at once')
  const tookMs = await Promise.all(
    people.map(async (person) => {
      await sim.waitForBot(person, () => true, { timeoutMs: 120_000 })
      return Date.now() - askedAt
    }),
  )
  const sorted = tookMs.toSorted((a, b) => a - b)
  return { chats: CHATS, 'turn takes (ms)': 23 * 100, 'p50 (ms)': sorted[CHATS / 2], 'slowest (ms)': sorted.at(-1) }
}

async function measureWebhooks(world: Surroundings, workerUrl: string, emptyUrl: string) {
  const people = Array.from({ length: 20 }, () => newcomer(world).person)
  const ours: number[] = []
  const theirs: number[] = []
  for (let n = 0; n < WEBHOOKS; n++) {
    const person = people[n % people.length] ?? 1
    const body = JSON.stringify(command(800_000_000 + n, person))
    const headers = { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': WEBHOOK_SECRET }
    ours.push(await timed(() => fetch(`${workerUrl}/telegram/${BOT_ID}`, { method: 'POST', headers, body })))
    theirs.push(await timed(() => fetch(emptyUrl, { method: 'POST', headers, body })))
  }
  return {
    'webhook p50 (ms)': median(ours),
    'empty Worker p50 (ms)': median(theirs),
    ratio: (median(ours) / median(theirs)).toFixed(2),
  }
}

/** A command, so that the update is stored, and nothing but one line follows. */
function command(update_id: number, person: number) {
  const chat = { id: person, type: 'private', first_name: 'Ann' }
  const from = { id: person, is_bot: false, first_name: 'Ann' }
  return { update_id, message: { message_id: update_id, date: 1, chat, from, text: '/stop' } }
}

async function timed(call: () => Promise<Response>): Promise<number> {
  const startedAt = performance.now()
  const response = await call()
  await response.arrayBuffer()
  return performance.now() - startedAt
}

function median(values: readonly number[]): number {
  return Math.round((values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0) * 10) / 10
}
