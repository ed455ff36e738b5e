/**
 * Keys come in as people and provisioning bring them, and then every byte that the database has written is read: none of them
 * may be found. And when the key that seals them is changed, the old records still open and are sealed anew.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Update } from 'grammy/types'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Bindings } from '../functions/bindings.ts'
import { ChatEngine } from '../functions/chat/chat-engine.ts'
import { chatOf, type FakeChat } from '../functions/chat/chat-window.fake.ts'
import { classifyUpdate, describeDeployment, handleUpdate } from '../functions/chat/handle-update.ts'
import { type FakeWorld, giveAgent, startFakeWorld } from '../functions/chat/handling.fake.ts'
import { fakeChatDatabase } from '../functions/chat/testing/chat-database.fake.ts'
import { findAgent } from '../functions/database/agents.ts'
import { agents, links, users } from '../functions/database/schema.ts'
import { createSeal } from '../functions/seal.ts'
import { startModel } from '../local/model/start-model.ts'
import { fingerprint, loadValues, saveState, saveValues } from '../local/operator/production-file.ts'
import { rotate } from '../local/operator/rotate.ts'
import { ROOT } from '../local/settings.ts'
import { startTelegram } from '../local/telegram/start-telegram.ts'

const OWN_KEY = 'LTAI-planted-own-key-0123456789abcdef'
const REFUSED_KEY = 'LTAI-planted-refused-key-0123456789'
const NEW_SEALING_KEY = Buffer.alloc(32, 9).toString('base64url')

let world: FakeWorld
let chat: FakeChat
let agentId: string
let planted: string[]

beforeAll(async () => {
  world = await startFakeWorld()
  chat = chatOf(world, { id: 1, name: 'Ana' })
  agentId = await giveAgent(world, 1)
  world.provider.answer = { kind: 'refused' }
  await chat.says(`/login ${REFUSED_KEY}`)
  world.provider.answer = { kind: 'valid' }
  await chat.says('/login')
  await chat.says(OWN_KEY)
  await chat.says('/share new')
  const token = /start=([\w-]+)/.exec(chat.last.text)?.[1] ?? ''
  await chatOf(world, { id: 2, name: 'Vic' }).says(`/start ${token}`)
  const agent = await findAgent(world.database, agentId)
  const open = (sealed: string | undefined, what: 'agent-secret' | 'inference-key') =>
    world.seal.open(sealed ?? '', { what, id: agentId })
  planted = [
    OWN_KEY,
    REFUSED_KEY,
    token,
    await open(agent?.secretSealed, 'agent-secret'),
    await open(agent?.inferenceKeySealed, 'inference-key'),
    world.config.BOT_ENCRYPTION_KEY,
  ]
})
afterAll(() => world.close())

/** The database file, its log and whatever else lies beside them. */
function everyByte(folder = world.dataDir): Buffer {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return Buffer.concat(files.map((entry) => readFileSync(join(entry.parentPath, entry.name))))
}

test('no planted key is found in any byte of the database', () => {
  const bytes = everyByte()
  // The search looks in the right place: what is not secret is there.
  expect(bytes.includes('You are Rex, a personal AI agent.')).toBe(true)
  expect(planted.every((key) => key.length >= 16)).toBe(true)
  for (const key of planted) {
    for (const form of [
      key,
      Buffer.from(key).toString('base64').replace(/=+$/, ''),
      Buffer.from(key).toString('hex'),
    ]) {
      expect(bytes.includes(form), `${key.slice(0, 8)}…`).toBe(false)
    }
  }
})

describe('a key that somebody just typed', () => {
  const TYPED = ['LTAI-planted-with-login-0123456789abc', 'LTAI-planted-as-next-message-01234567']
  const typed = (update_id: number, text: string) => {
    const entities = text.startsWith('/') ? [{ type: 'bot_command', offset: 0, length: 6 }] : []
    const person = { id: 9, is_bot: false, first_name: 'Ida' }
    const chat = { id: 9, type: 'private', first_name: 'Ida' }
    const date = Math.floor(Date.now() / 1000)
    return { update_id, message: { message_id: update_id, date, chat, from: person, text, entities } } as Update
  }

  test('is in no file of the chat while it waits, nor after a crash, and arrives whole', async () => {
    const folder = mkdtempSync(join(world.dataDir, 'chat-'))
    const storage = fakeChatDatabase(join(folder, 'chat.sqlite'))
    const telegram = await startTelegram({ port: 0, token: world.config.TELEGRAM_BOT_TOKEN })
    const model = await startModel({ port: 0 })
    const config = { ...world.config, TELEGRAM_API_ROOT: telegram.url, LIBERTAI_BASE_URL: `${model.url}/v1` }
    telegram.sim.addPerson({ id: 9, first_name: 'Ida' })
    telegram.sim.start(9)
    const chatWith = (handle: typeof handleUpdate) =>
      new ChatEngine({
        identity: { name: '7000:9', botId: 7000, chatId: 9, kind: 'private' },
        storage,
        config,
        env: {} as Bindings,
        handlers: { classifyUpdate, describeDeployment, handleUpdate: handle },
        handoverMs: 60_000,
        wake: async () => undefined,
        background: (work) => void work.catch(() => undefined),
      })
    const clear = () => TYPED.filter((key) => everyByte(folder).includes(key))
    try {
      const begun = Promise.withResolvers<void>()
      const cut = chatWith(() => {
        begun.resolve()
        // As of an object that dies in it.
        return new Promise(() => undefined)
      })
      await cut.enqueue(typed(1, `/login ${TYPED[0]}`))
      expect(everyByte(folder).includes('Ida')).toBe(true)
      expect(clear()).toEqual([])
      void cut.run()
      await begun.promise
      expect(clear()).toEqual([])
      const whole = chatWith(handleUpdate)
      await whole.run()
      expect(await keyOf(9)).toBe(TYPED[0])
      await whole.enqueue(typed(2, '/login'))
      await whole.run()
      await whole.enqueue(typed(3, TYPED[1] ?? ''))
      expect(clear()).toEqual([])
      await whole.run()
      expect(await keyOf(9)).toBe(TYPED[1])
      expect(clear()).toEqual([])
    } finally {
      await telegram.close()
      await model.close()
    }
  })

  async function keyOf(id: number): Promise<string> {
    const [user] = (await world.database.select().from(users)).filter((each) => each.id === id)
    return world.seal.open(user?.apiKeySealed ?? '', { what: 'user-key', id: String(id) })
  }
})

test('npm run rotate -- encryption seals everything anew once the Worker has the new key; what nobody can open stays and is told', async () => {
  const file = join(world.dataDir, '.prod.vars')
  const before = world.config.BOT_ENCRYPTION_KEY
  const run = () => rotate('encryption', file).catch((error: Error) => error.message)
  const deployed = async () => {
    const { BOT_ENCRYPTION_KEY = '' } = await loadValues(file)
    await saveState(file, { secrets: { BOT_ENCRYPTION_KEY: fingerprint('BOT_ENCRYPTION_KEY', BOT_ENCRYPTION_KEY) } })
  }
  await saveValues(file, { LIBSQL_URL: world.config.LIBSQL_URL, BOT_ENCRYPTION_KEY: before })
  await deployed()
  expect(await run()).toContain('npm run deploy, then npm run rotate -- encryption again')
  expect(await run()).toBe('The Worker does not have the new key yet.')
  await deployed()
  const made = await loadValues(file)
  expect(made.BOT_ENCRYPTION_KEY_FORMER).toBe(before)
  await saveValues(file, { ...made, BOT_ENCRYPTION_KEY_FORMER: Buffer.alloc(32, 5).toString('base64url') })
  expect(await run()).toContain('0 sealed anew, 0 with the new key already, 5 that')
  await saveValues(file, made)
  expect(await run()).toContain('5 sealed anew, 0 with the new key already, 0 that no known key opens')
  expect(await loadValues(file)).not.toHaveProperty('BOT_ENCRYPTION_KEY_FORMER')
  await saveValues(file, made)
  expect(await run()).toContain('0 sealed anew, 5 with the new key already')
  const renewed = createSeal(made.BOT_ENCRYPTION_KEY ?? '')
  const [agent] = await world.database.select().from(agents)
  const [user] = (await world.database.select().from(users)).filter(({ id }) => id === 1)
  const [link] = await world.database.select().from(links)
  expect(await renewed.open(agent?.secretSealed ?? '', { what: 'agent-secret', id: agentId })).toBe(planted[3])
  expect(await renewed.open(agent?.inferenceKeySealed ?? '', { what: 'inference-key', id: agentId })).toBe(planted[4])
  expect(await renewed.open(user?.apiKeySealed ?? '', { what: 'user-key', id: '1' })).toBe(OWN_KEY)
  expect(await renewed.open(link?.tokenSealed ?? '', { what: 'link-token', id: link?.id ?? '' })).toBe(planted[2])
})

test('npm run rotate-key does the same with keys that are given to it', async () => {
  const { BOT_ENCRYPTION_KEY: former = '' } = await loadValues(join(world.dataDir, '.prod.vars'))
  const env = {
    PATH: process.env.PATH,
    LIBSQL_URL: world.config.LIBSQL_URL,
    BOT_ENCRYPTION_KEY: NEW_SEALING_KEY,
    BOT_ENCRYPTION_KEY_FORMER: former,
  }
  const run = () => promisify(execFile)(process.execPath, [join(ROOT, 'local/rotate-key-main.ts')], { env })
  expect((await run()).stdout).toContain('5 sealed anew, 0 with the new key already, 0 that no known key opens')
  expect((await run()).stdout).toContain('0 sealed anew, 5 with the new key already')
})

test('a Worker that knows both keys opens what either has sealed', async () => {
  const seal = createSeal(NEW_SEALING_KEY, [world.config.BOT_ENCRYPTION_KEY])
  const context = { what: 'agent-secret', id: 'a' } as const
  expect(await seal.open(await world.seal.seal('old', context), context)).toBe('old')
  expect(await seal.open(await seal.seal('new', context), context)).toBe('new')
})
