import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { links } from '../../database/schema.ts'
import { saveUserSettings } from '../../database/users.ts'
import { chatOf, type FakeChat } from '../chat-window.fake.ts'
import { type FakeWorld, giveAgent, startFakeWorld } from '../handling.fake.ts'

let world: FakeWorld
let person = 70_000
beforeAll(async () => {
  world = await startFakeWorld({ FREE_TIER_DAILY_MESSAGES: '5' })
})
afterAll(() => world.close())

const someone = (name = 'Vic') => chatOf(world, { id: ++person, name })

async function owner() {
  const chat = someone('Ana')
  const agentId = await giveAgent(world, person)
  return { chat, agentId, id: person }
}

/** @param choices labels pressed before "Create link" */
async function share(chat: FakeChat, ...choices: string[]): Promise<string> {
  await chat.says('/share')
  await chat.presses('➕ New link')
  for (const choice of choices) await chat.presses(choice)
  await chat.presses('Create link')
  const [, token = ''] = /t\.me\/baal_bot\?start=([\w-]+)/.exec(chat.last.text) ?? []
  return token
}

describe('a share link', () => {
  test('is random, fits into a deep link and is kept only hashed and sealed', async () => {
    const { chat, agentId } = await owner()
    const token = await share(chat)
    expect(token).toMatch(/^[\w-]{22}$/)
    expect(chat.last.text).toContain('7 days left')
    expect(chat.buttons()).toEqual(['📤 Send to someone', '📋 Copy', 'Close this link', '‹ Back'])
    const rows = await world.database.select().from(links).where(eq(links.agentId, agentId))
    expect(rows).toHaveLength(1)
    expect(JSON.stringify(rows)).not.toContain(token)
    expect(rows[0]).toMatchObject({ maxPeople: 5, messagesPerDay: 30 })
  })

  test('takes the terms that were chosen, and shows itself again to its owner', async () => {
    const { chat, agentId } = await owner()
    const token = await share(chat, '1 day', '20 people', 'no limit')
    const [row] = await world.database.select().from(links).where(eq(links.agentId, agentId))
    expect(row).toMatchObject({ maxPeople: 20, messagesPerDay: null, expiresAt: world.time + 86_400_000 })
    await chat.presses('‹ Back')
    expect(chat.last.text).toContain('🔗 1. Lives: 24 hours left · lets in: 20 people · messages: no limit')
    await chat.presses('🔗 1')
    expect(chat.last.text).toContain(token)
  })

  test('is made once when the press is handled twice after a crash', async () => {
    const { chat, agentId } = await owner()
    await chat.says('/share')
    await chat.presses('➕ New link')
    await chat.receives(chat.press('Create link'), { crash: true })
    expect(await world.database.select().from(links).where(eq(links.agentId, agentId))).toHaveLength(1)
    expect(chat.last.text).toContain('t.me/baal_bot?start=')
  })

  test('lets a visitor in, with a conversation of their own and no owner’s rights', async () => {
    const { chat, agentId } = await owner()
    const token = await share(chat)
    const visitor = someone()
    await visitor.says(`/start ${token}`)
    expect(visitor.last.text).toContain('You are now talking to Rex')
    const { turn } = await visitor.says('hello')
    expect(turn).toMatchObject({ agentId, user: { role: 'visitor', name: 'Vic' } })
    for (const command of [
      'delete',
      'soul',
      'share',
      'memory',
      'files',
      'export',
      'repair',
      'update',
      'doctor',
      'model',
    ]) {
      const { outgoing, turn: none } = await visitor.says(`/${command}`)
      expect([command, outgoing.length, none]).toEqual([command, 1, undefined])
      expect(visitor.last.text).toBe('Only the owner of this agent can do that.')
    }
    await visitor.says('/new')
    expect(visitor.last.text).toContain('A new conversation')
  })

  test('stays in the visitor’s list until they leave', async () => {
    const { chat, agentId } = await owner()
    const visitor = someone()
    await visitor.says(`/start ${await share(chat)}`)
    await visitor.says('/manage')
    await visitor.says('/list')
    expect(visitor.last.text).toContain('Shared with you')
    await visitor.presses('💬 Rex')
    expect((await visitor.says('hi')).turn?.agentId).toBe(agentId)
    await visitor.says('/list')
    await visitor.presses('Leave')
    expect(visitor.last.text).not.toContain('Shared with you')
    expect((await visitor.says('hi')).turn).toBeUndefined()
  })

  test('lets in as many people as it says', async () => {
    const { chat } = await owner()
    const token = await share(chat, '1 person')
    const [first, second] = [someone(), someone()]
    await first.says(`/start ${token}`)
    await second.says(`/start ${token}`)
    expect(second.last.text).toContain('As many people as this link allows')
    await first.says(`/start ${token}`)
    expect(first.last.text).toContain('You are now talking to Rex')
  })

  test('gives each visitor so many messages a day, beside their own limit', async () => {
    const { chat } = await owner()
    const token = await share(chat)
    await world.database.update(links).set({ messagesPerDay: 2 })
    const visitor = someone()
    await visitor.says(`/start ${token}`)
    expect((await visitor.says('1')).turn).toBeDefined()
    expect((await visitor.says('2')).turn).toBeDefined()
    expect((await visitor.says('3')).turn).toBeUndefined()
    expect(visitor.last.text).toContain('The owner allows you 2 messages a day')
    expect(visitor.last.text).toContain('in 12 hours (00:00 UTC)')
    await chat.says('/share')
    await chat.presses('👥 People')
    expect(chat.last.text).toContain('Vic: 2 messages today')
  })

  test('is over when it expires, at once and for everybody who came by it', async () => {
    const { chat } = await owner()
    const token = await share(chat, '1 day')
    const visitor = someone()
    await visitor.says(`/start ${token}`)
    const before = world.time
    world.time += 86_400_001
    expect((await visitor.says('hi')).turn).toBeUndefined()
    expect(visitor.last.text).toContain('has been closed or has expired')
    const late = someone()
    await late.says(`/start ${token}`)
    expect(late.last.text).toContain('This link does not work any more')
    world.time = before
  })

  test('can be closed by its owner, and pressing twice does no harm', async () => {
    const { chat } = await owner()
    const token = await share(chat)
    const visitor = someone()
    await visitor.says(`/start ${token}`)
    const press = chat.press('Close this link')
    expect((await chat.receives(press)).answer?.text).toContain('The link is closed')
    await chat.receives(press)
    expect((await visitor.says('hi')).turn).toBeUndefined()
    const late = someone()
    await late.says(`/start ${token}`)
    expect(late.last.text).toContain('does not work any more')
  })

  test('keeps a blocked person out, whatever link they bring, until the owner lets them back in', async () => {
    const { chat } = await owner()
    const token = await share(chat)
    const visitor = someone()
    await visitor.says(`/start ${token}`)
    await chat.says('/share')
    await chat.presses('👥 People')
    await chat.presses('🚫 Block Vic')
    expect(chat.last.text).toContain('Vic: blocked')
    expect((await visitor.says('hi')).turn).toBeUndefined()
    expect(visitor.last.text).toBe('The owner has closed this agent for you.')
    await visitor.says(`/start ${await share(chat)}`)
    expect(visitor.last.text).toBe('The owner has closed this agent for you.')
    await chat.says('/share')
    await chat.presses('👥 People')
    await chat.presses('✅ Let Vic back in')
    expect((await visitor.says('hi')).turn).toBeDefined()
  })

  test('is the owner’s own door too', async () => {
    const { chat, agentId } = await owner()
    await chat.says(`/start ${await share(chat)}`)
    expect(chat.last.text).toContain('the link of your own agent')
    expect((await chat.says('hi')).turn).toMatchObject({ agentId, user: { role: 'owner' } })
  })

  test('dies with the agent', async () => {
    const { chat } = await owner()
    const token = await share(chat)
    const visitor = someone()
    await visitor.says(`/start ${token}`)
    await chat.says('/delete')
    await chat.presses('Yes, delete it')
    expect((await visitor.says('hi')).turn).toBeUndefined()
    expect(visitor.last.text).toContain('does not exist any more')
    const late = someone()
    await late.says(`/start ${token}`)
    expect(late.last.text).toContain('does not work any more')
  })

  test.each(['x'.repeat(22), 'x'.repeat(64), '../../etc/passwd-etc', "' OR 1=1 --------------"])(
    'is not to be guessed: %s',
    async (token) => {
      const stranger = someone()
      await stranger.says(`/start ${token}`)
      expect(stranger.last.text).toContain('This link does not work any more')
      expect((await stranger.says('hi')).turn).toBeUndefined()
    },
  )
})

describe('messages a day', () => {
  test('are without our limit where the owner’s key pays, and only there', async () => {
    const { chat, id } = await owner()
    const token = await share(chat)
    const visitor = someone()
    await visitor.says(`/start ${token}`)
    await saveUserSettings(world.database, person, { apiKeySealed: 'the visitor’s own' })
    for (let count = 0; count < 5; count++) expect((await visitor.says('hi')).turn).toBeDefined()
    expect((await visitor.says('hi')).turn).toBeUndefined()
    await saveUserSettings(world.database, id, { apiKeySealed: 'the owner’s own' })
    expect((await visitor.says('hi')).turn).toBeDefined()
  })

  test('end with hours left and a button to go on', async () => {
    const { chat } = await owner()
    await chat.says('/list')
    await chat.presses('Rex')
    await chat.presses('💬 Chat')
    for (let count = 0; count < 5; count++) expect((await chat.says('hi')).turn).toBeDefined()
    expect((await chat.says('hi')).turn).toBeUndefined()
    expect(chat.last.text).toContain('today’s 5 messages')
    expect(chat.last.text).toContain('12 hours (00:00 UTC)')
    expect(chat.buttons()).toEqual(['🔑 Use my own key'])
    await chat.says('/doctor')
    expect(chat.last.text).toContain('❌ Today’s messages are used up')
  })

  test('are given to exactly one of many simultaneous messages when one is left', async () => {
    const { chat, agentId, id } = await owner()
    const windows = Array.from({ length: 30 }, () => chatOf(world, { id, name: 'Ana' }))
    for (const window of windows) await window.receives(window.pressed(`a:chat:${agentId}`))
    for (let count = 0; count < 4; count++) await windows[0]?.says('hi')
    const outcomes = await Promise.all(windows.map((window) => window.says('now')))
    expect(outcomes.filter(({ turn }) => turn)).toHaveLength(1)
    expect(chat.messages).toEqual([])
  })

  test('are not counted twice when a message is handled twice', async () => {
    const { chat, agentId } = await owner()
    await chat.receives(chat.pressed(`a:chat:${agentId}`))
    for (let count = 0; count < 5; count++) {
      const update = chat.update({ message: chat.message('hi') })
      expect((await chat.receives(update, { crash: true })).turn).toBeDefined()
    }
    expect((await chat.says('hi')).turn).toBeUndefined()
  })
})
