import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { usage } from '../../database/schema.ts'
import { findUser } from '../../database/users.ts'
import { LANGUAGES, wordsFor } from '../catalogue/catalogue.ts'
import { openStore } from '../chat-store.ts'
import { chatOf, groupOf } from '../chat-window.fake.ts'
import { type FakeWorld, giveAgent, startFakeWorld } from '../handling.fake.ts'
import { openWords, sealWords } from '../sealed-words.ts'
import { fakeChatDatabase } from '../testing/chat-database.fake.ts'
import { startEdit } from '../wizard/edit-wizard.ts'
import { saveWizard } from '../wizard/stored-wizard.ts'
import { parseTimezone } from './timezone.ts'

let world: FakeWorld
let person = 80_000
beforeAll(async () => {
  world = await startFakeWorld({ FREE_TIER_DAILY_MESSAGES: '2' })
})
afterAll(() => world.close())

const KEY = 'LTAI_planted_key_0123456789'
const newcomer = () => chatOf(world, { id: ++person })

describe('/login', () => {
  test('deletes the message, tries the key and keeps it sealed; then there is no daily limit', async () => {
    const chat = newcomer()
    const agentId = await giveAgent(world, person)
    await chat.receives(chat.pressed(`a:chat:${agentId}`))
    const update = chat.update({ message: chat.message(`/login ${KEY}`) })
    const { outgoing } = await chat.receives(update)
    expect(outgoing[0]).toEqual({ kind: 'delete', target: { messageId: update.message?.message_id } })
    expect(chat.last.text).toContain('Your key works')
    expect(JSON.stringify(outgoing)).not.toContain(KEY)
    const user = await findUser(world.database, person)
    expect(user?.apiKeySealed).not.toContain(KEY)
    const context = { what: 'user-key', id: String(person) } as const
    expect(await world.seal.open(user?.apiKeySealed ?? '', context)).toBe(KEY)
    for (let count = 0; count < 4; count++) expect((await chat.says('hi')).turn).toBeDefined()
    await chat.says('/account')
    expect(chat.last.text).toContain('no daily limit')
    expect(chat.last.text).toContain('12.5')
    await chat.presses('Remove my key')
    expect((await findUser(world.database, person))?.apiKeySealed).toBeNull()
    expect((await chat.says('hi')).turn).toBeUndefined()
  })

  test.each([
    [{ kind: 'refused' }, 'LibertAI refuses that key'],
    [{ kind: 'unreachable' }, 'cannot be reached just now'],
  ] as const)('keeps nothing when the answer is %o, and deletes the message all the same', async (answer, said) => {
    const chat = newcomer()
    world.provider.answer = answer
    const { outgoing } = await chat.says(`/login ${KEY}`)
    world.provider.answer = { kind: 'valid' }
    expect(outgoing[0]?.kind).toBe('delete')
    expect(chat.last.text).toContain(said)
    expect((await findUser(world.database, person))?.apiKeySealed).toBeNull()
  })

  test('passes a key on to nobody that comes when nothing waits for it any more', async () => {
    const chat = newcomer()
    await chat.receives(chat.pressed(`a:chat:${await giveAgent(world, person)}`))
    const store = openStore(fakeChatDatabase())
    const date = Math.floor(world.time / 1000)
    const state = startEdit(
      { id: 'login1', userId: person, now: world.time },
      { agentId: '', agentName: '', field: 'key' },
    )
    saveWizard(store, state)
    const wordsSeal = { seal: world.seal, chat: 'c' }
    const typed = chat.update({ message: { ...chat.message(KEY), date } })
    const sealed = await sealWords(typed, store, wordsSeal)
    expect(JSON.stringify(sealed)).not.toContain(KEY)
    // Sent twice, or cancelled before it was handled.
    const { turn, outgoing } = await chat.receives(await openWords(sealed, wordsSeal))
    expect(turn).toBeUndefined()
    expect(outgoing[0]).toEqual({ kind: 'delete', target: { messageId: typed.message?.message_id } })
    expect(chat.last.text).toContain('passed it on to nobody')
    expect(JSON.stringify([outgoing, chat.stored()])).not.toContain(KEY)
  })

  test('asks nobody about what is no key', async () => {
    const chat = newcomer()
    const asked = world.provider.asked.length
    const { outgoing } = await chat.says('/login my key is secret')
    expect(outgoing[0]?.kind).toBe('delete')
    expect(chat.last.text).toContain('does not look like a key')
    expect(world.provider.asked).toHaveLength(asked)
  })

  test('explains itself without a key', async () => {
    const chat = newcomer()
    await chat.says('/login')
    expect(chat.last.text).toContain('Send it as your next message')
    await chat.says('/logout')
    expect(chat.last.text).toContain('no key of your own')
  })

  test('takes the next message as the key: it never goes to an agent, and is deleted', async () => {
    const chat = newcomer()
    const agentId = await giveAgent(world, person)
    await chat.receives(chat.pressed(`a:chat:${agentId}`))
    await chat.says('/login')
    const { lane, turn, outgoing } = await chat.says(KEY)
    expect([lane, turn]).toEqual(['control', undefined])
    expect(outgoing[0]).toMatchObject({ kind: 'delete', target: { messageId: expect.any(Number) } })
    expect(chat.last.text).toContain('Your key works and is kept sealed')
    expect(JSON.stringify([outgoing, chat.stored()])).not.toContain(KEY)
    expect((await chat.says('hello')).turn).toBeDefined()
  })

  test('in a group takes no key, and deletes the message that shows it', async () => {
    const group = groupOf(world, -7)
    const from = { id: ++person, is_bot: false, first_name: 'Ann' }
    const asked = world.provider.asked.length
    const { outgoing } = await group.says(`/login@baal_bot ${KEY}`, { from })
    expect(outgoing[0]).toMatchObject({ kind: 'delete' })
    expect(group.last.text).toContain('Not here: everybody would see your key')
    expect(world.provider.asked).toHaveLength(asked)
  })
})

describe('/account and /usage', () => {
  test('show what is used and what is left', async () => {
    const chat = newcomer()
    const agentId = await giveAgent(world, person)
    await chat.receives(chat.pressed(`a:chat:${agentId}`))
    await chat.says('hi')
    await chat.says('/account')
    expect(chat.last.text).toContain('Messages today: 1 of 2, new ones in 12 hours.')
    expect(chat.last.text).toContain('Agents: 1 of 3')
    await chat.presses('📊 Use')
    expect(chat.last.text).toContain('Nothing was used yet.')
    const counts = {
      agentId,
      model: 'glm-4.7',
      requests: 2,
      promptTokens: 1000,
      cachedTokens: 900,
      completionTokens: 234,
    }
    await world.database.insert(usage).values([
      { ...counts, day: '2026-11-23' },
      { ...counts, day: '2026-11-16', promptTokens: 99_999 },
    ])
    await chat.says('/usage')
    expect(chat.last.text.split('\n')).toContain('Rex: 1,234 tokens in 2 requests')
  })
})

describe('/language', () => {
  test('is kept, goes before Telegram’s own, and can be given back', async () => {
    const chat = chatOf(world, { id: ++person, language: 'es' })
    await chat.says('/language')
    expect(chat.buttons()).toEqual([
      'English',
      'Français',
      'Español',
      'Русский',
      '中文',
      'Como en Telegram',
      'Mi cuenta',
    ])
    await chat.presses('Русский')
    expect(chat.last.text).toBe('Теперь я говорю по-русски.')
    await chat.says('/list')
    expect(chat.last.text).toContain('Ваши агенты')
    await chat.says('/language auto')
    expect(chat.last.text).toBe('Ahora hablo español.')
  })
})

describe('/timezone', () => {
  test('takes a name or a button, and refuses what is none', async () => {
    const chat = newcomer()
    await chat.says('/timezone')
    await chat.presses('New York')
    expect(chat.last.text).toContain('Your time zone is America/New_York; it is 07:00 there now')
    await chat.says('/timezone Mars/Olympus')
    expect(chat.last.text).toContain('I do not know the time zone “Mars/Olympus”')
    await chat.says('/timezone')
    expect(chat.last.text).toContain('America/New_York (07:00)')
  })

  test('says what counts while none is set, and leads back to the account', async () => {
    const chat = newcomer()
    await chat.says('/timezone')
    expect(chat.last.text).toContain('not set, so I reckon in UTC (12:00)')
    await chat.presses('My account')
    expect(chat.last.text).toContain('Time zone: not set')
    await chat.presses('🌐 Language')
    await chat.presses('My account')
    expect(chat.last.text).toContain('Your account')
  })

  test.each(LANGUAGES)('offers in %s places that there are, each once', (language) => {
    const zones = wordsFor(language).timezone.zones.map(({ zone }) => zone)
    expect(new Set(zones).size).toBe(zones.length)
    for (const timeZone of zones) expect(() => new Intl.DateTimeFormat('en', { timeZone })).not.toThrow()
  })

  test('understands names as people type them', () => {
    expect(parseTimezone('europe/paris')).toBe('Europe/Paris')
    expect(parseTimezone('America/New York')).toBe('America/New_York')
    expect(parseTimezone('asia/kolkata')).toBe('Asia/Kolkata')
    expect(parseTimezone('nowhere')).toBeUndefined()
    expect(parseTimezone('')).toBeUndefined()
  })
})

describe('for the operator', () => {
  test.each(['dashboard', 'pool'])('/%s answers admins alone', async (command) => {
    const stranger = newcomer()
    await stranger.says(`/${command}`)
    expect(stranger.last.text).toBe('That is for the operator of this bot.')
    const admin = chatOf(world, { id: 1 })
    await admin.says(`/${command}`)
    expect(admin.last.text).toMatch(/Machines: none/)
  })
})
