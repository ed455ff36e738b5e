/** Somebody asks to be forgotten: by the webhook, through the real Worker, Workflow and chat objects. */
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createTestHarness } from 'wrangler'
import {
  BOT_ID,
  type Surroundings,
  setWebhook,
  startSurroundings,
} from '../../functions/chat/testing/delivery-harness.ts'
import { TEST_AGENT_ID } from '../../functions/chat/testing/simple-handlers.ts'
import { type Database, openDatabase } from '../../functions/database/database.ts'
import * as schema from '../../functions/database/schema.ts'

const CONFIG = fileURLToPath(new URL('../../wrangler.toml', import.meta.url))
/** The agent of the surroundings is Ann's. Bob visits it. */
const ANN = 1
const BOB = 2

let around: Surroundings
let worker: ReturnType<typeof createTestHarness>
let database: Database
let group: number

beforeAll(async () => {
  around = await startSurroundings((turn) => turn.say(`I heard ${turn.request.message.slice(0, 40)}`))
  // No runner answers: a machine must be given back even so.
  const vars = { ...around.variables, DEPLOY_RUNNER_URL: 'http://127.0.0.1:1' }
  worker = createTestHarness({ workers: [{ configPath: CONFIG, vars }] })
  const { url } = await worker.listen()
  await setWebhook(around.telegram, new URL(`/telegram/${BOT_ID}`, url).href)
  database = openDatabase({ url: around.sqld.url })
  const { sim } = around.telegram
  sim.addPerson({ id: ANN, first_name: 'Ann' })
  sim.addPerson({ id: BOB, first_name: 'Bob' })
  group = sim.addGroup({ title: 'Garden', members: [ANN, BOB] }).id
  await haveALife()
})
afterAll(async () => {
  await worker?.close()
  await around?.close()
})

const texts = (chat: number) => around.telegram.sim.messages(chat).map(({ text }) => text ?? '')
const hears = (chat: number, words: string) =>
  vi.waitFor(() => expect(texts(chat).join('\n')).toContain(words), { timeout: 60_000, interval: 50 })

function press(from: number, label: string, chat = from): void {
  const { sim } = around.telegram
  for (const message of sim.messages(chat).toReversed()) {
    const button = message.reply_markup?.inline_keyboard.flat().find(({ text }) => text.includes(label))
    if (button) return void sim.press(from, chat, message.message_id, { text: button.text })
  }
  throw new Error(`no button ${label}: ${texts(chat).join(' ‖ ')}`)
}

/** Ann talks alone and in a group; Bob visits; there are rows of every kind. */
async function haveALife(): Promise<void> {
  const { sim } = around.telegram
  sim.start(ANN)
  await hears(ANN, 'You have 1 agent')
  press(ANN, 'Rex')
  await hears(ANN, 'talking to Rex')
  sim.sendText({ from: ANN }, 'my secret is marigold')
  await hears(ANN, 'I heard my secret is marigold')
  sim.start(BOB)
  await hears(BOB, 'Bob')
  const now = Date.now()
  const day = '2026-11-24'
  await database.batch([
    database.insert(schema.machines).values({
      id: 'm1',
      kind: 'aleph',
      name: 'baal-m1',
      state: 'in_use',
      agentId: TEST_AGENT_ID,
      sshHost: '127.0.0.1',
      sshPort: 1,
      createdAt: now,
      updatedAt: now,
    }),
    database.update(schema.agents).set({ machineId: 'm1' }),
    database
      .insert(schema.links)
      .values({ id: 'l1', agentId: TEST_AGENT_ID, tokenHash: 't', tokenSealed: 't', createdAt: now }),
    database
      .insert(schema.agentMembers)
      .values({ agentId: TEST_AGENT_ID, userId: BOB, role: 'visitor', linkId: 'l1', joinedAt: now }),
    database.insert(schema.usage).values({ agentId: TEST_AGENT_ID, day, model: 'm', requests: 1 }),
    database.insert(schema.messageCounts).values({ userId: BOB, scope: `agent:${TEST_AGENT_ID}`, day, count: 3 }),
  ])
  sim.sendText({ from: ANN, chat: group }, `/list@${around.botName}`)
  await hears(group, 'Which agent?')
  press(ANN, 'Rex', group)
  await hears(group, 'Rex answers here now')
  sim.sendText({ from: ANN, chat: group }, `@${around.botName} the tulips are mine`)
  await hears(group, 'I heard the tulips are mine')
}

async function storedIn(chat: number): Promise<string> {
  const storage = await worker.getWorker().getDurableObjectStorage('CHAT', { name: `${BOT_ID}:${chat}` })
  const tables = await storage.exec(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\'",
  )
  const rows = await Promise.all(tables.map(({ name }) => storage.exec(`SELECT * FROM "${name}"`)))
  return JSON.stringify(rows)
}

/** As the cron does it every minute. */
const sweep = () => worker.getWorker().scheduled({ cron: '* * * * *' })

describe('/forget me', () => {
  test('says what it means when it is written with another word, and asks before anything is done', async () => {
    const { sim } = around.telegram
    sim.sendText({ from: ANN }, '/forget it all')
    await hears(ANN, '“/forget me” makes me forget you')
    sim.sendText({ from: ANN }, '/forget me')
    await hears(ANN, 'Your 1 agent with computer')
    press(ANN, 'Cancel')
    await hears(ANN, 'everything stays')
    await sweep()
    expect(await database.select().from(schema.agents)).toHaveLength(1)
    expect(await storedIn(ANN)).toContain('marigold')
  })

  test('gives the machine back first, by the way of every deletion, and keeps the request until that is done', async () => {
    around.telegram.sim.sendText({ from: ANN }, '/forget me')
    await vi.waitFor(() => expect(texts(ANN).filter((text) => text.includes('Your 1 agent'))).toHaveLength(1), {
      timeout: 30_000,
    })
    press(ANN, 'Yes, forget')
    await hears(ANN, 'given back')
    await sweep()
    const [deployment] = await database.select().from(schema.deployments)
    expect(deployment).toMatchObject({ agentId: TEST_AGENT_ID, kind: 'destroy' })
    await vi.waitFor(
      async () => {
        await sweep()
        expect(
          await database
            .select()
            .from(schema.users)
            .then((rows) => rows.map(({ id }) => id)),
        ).toEqual([BOB])
      },
      { timeout: 90_000, interval: 1_000 },
    )
    expect(await database.select().from(schema.machines)).toEqual([
      expect.objectContaining({ id: 'm1', state: 'gone', agentId: null }),
    ])
    await hears(ANN, 'I know nothing of you any more')
  })

  test('leaves no row of the person or their agents, and none of anybody else’s is touched', async () => {
    const { agents, links, agentMembers, usage, deployments, personChats, messageCounts } = schema
    for (const table of [agents, links, agentMembers, usage, deployments])
      expect(await database.select().from(table)).toEqual([])
    expect((await database.select().from(personChats)).map(({ userId }) => userId)).not.toContain(ANN)
    expect(JSON.stringify(await database.select().from(messageCounts))).not.toMatch(/"userId":1,|agent0000000test/)
  })

  test('empties the private chat’s storage, and takes the person out of a chat with others', async () => {
    expect(await storedIn(ANN)).not.toMatch(/marigold|Ann|Rex/)
    const left = await storedIn(group)
    expect(left).not.toContain('tulips')
    expect(left).not.toContain(TEST_AGENT_ID)
  })

  test('lets the person begin anew', async () => {
    around.telegram.sim.start(ANN)
    await hears(ANN, 'I give you an AI agent of your own')
  })
})
