/**
 * `node test/bench/delivery.ts`: what a person sees of a turn and what it costs in calls to Telegram, with flood control as
 * strict as Telegram's; fifty chats at once; and how long a webhook takes beside an empty Worker in the same run.
 */
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Message } from 'grammy/types'
import { deliveryWords } from '../../functions/chat/delivery-words.ts'
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
const LAST_WORD = 'End.'
const SHOWS_WORDS: ReadonlySet<string> = new Set(['sendMessageDraft', 'sendMessage'])
const TURNS: Readonly<Record<string, FakeBrain>> = {
  short: (turn) => turn.say(`Yes, that is how it is. ${LAST_WORD}`, { everyMs: 30 }),
  long: (turn) => turn.say(`${WORDS.repeat(40)}${LAST_WORD}`, { everyMs: 40 }),
  'tool-heavy': async (turn) => {
    for (let n = 0; n < 12; n++) {
      await turn.say('Let me look at the next one.', { everyMs: 30 })
      await turn.useTool('bash', { command: `step ${n}` }, { takesMs: 700 })
    }
    await turn.say(`${WORDS.repeat(3)}${LAST_WORD}`, { everyMs: 40 })
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
  for (const kind of ['long', 'tool-heavy']) {
    const brain = TURNS[kind]
    if (!brain) continue
    turns.push(await measureTurn(around, `${kind}, in a group`, brain, { group: true }))
    turns.push(await measureTurn(around, `${kind}, silenced for 20 s at its start`, brain, { penaltyS: 20 }))
  }
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

interface Setting {
  /** How the chat is when the turn begins. */
  readonly penaltyS?: number
  readonly group?: boolean
}

async function measureTurn(world: Surroundings, kind: string, brain: FakeBrain, setting: Setting = {}) {
  const { person, sim } = newcomer(world)
  const chat = setting.group ? sim.addGroup({ title: kind, members: [person], type: 'supergroup' }).id : person
  let firstWordAt = 0
  let lastWordAt = 0
  world.agent.brain = async (turn) => {
    firstWordAt = Date.now()
    await brain(turn)
    lastWordAt = Date.now()
  }
  const { penaltyS } = setting
  if (penaltyS !== undefined) sim.fault({ kind: 'flood', chat_id: chat, retry_after: penaltyS, times: 1 })
  const askedAt = Date.now()
  sim.sendText({ from: person, chat }, setting.group ? `@${world.botName} go on` : 'go on')
  const isFinal = ({ text, reply_markup }: Message) => text?.trimEnd().endsWith(LAST_WORD) && !isPreview(reply_markup)
  await sim.waitForBot(chat, (message) => isFinal(message) === true, { timeoutMs: 180_000 })
  const finalAt = Date.now()
  // The call that brought it is written down once it was answered.
  await new Promise((resolve) => setTimeout(resolve, 500))
  const calls = sim.calls({ chat })
  const visible = calls.find(({ method, status }) => status === 200 && SHOWS_WORDS.has(method))
  const seconds = Math.max(1, (finalAt - askedAt) / 1000)
  return {
    turn: kind,
    'time to final (s)': ((finalAt - askedAt) / 1000).toFixed(1),
    calls: calls.length,
    'calls per second': (calls.length / seconds).toFixed(2),
    'first sign of life (ms)': (calls[0]?.at ?? 0) - askedAt,
    'first words after first token (ms)': (visible?.at ?? finalAt) - firstWordAt,
    'final after last token (ms)': finalAt - lastWordAt,
    'refused (429)': calls.filter(({ status }) => status === 429).length,
    'into a penalty': calls.filter(({ in_penalty }) => in_penalty).length,
  }
}

function isPreview(markup: Message['reply_markup']): boolean {
  return markup?.inline_keyboard[0]?.[0]?.text === deliveryWords().stop
}

async function measureManyChats(world: Surroundings) {
  const { sim } = world.telegram
  world.agent.brain = (turn) => turn.say(WORDS.repeat(2), { everyMs: 100 })
  const alone = newcomer(world).person
  const aloneAt = Date.now()
  sim.sendText({ from: alone }, 'alone')
  await sim.waitForBot(alone, () => true, { timeoutMs: 120_000 })
  const aloneMs = Date.now() - aloneAt
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
  return { chats: CHATS, 'one alone (ms)': aloneMs, 'p50 (ms)': sorted[CHATS / 2], 'slowest (ms)': sorted.at(-1) }
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
