import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findAgent, listAgents } from '../../database/agents.ts'
import { links } from '../../database/schema.ts'
import { saveUserSettings } from '../../database/users.ts'
import { chatOf, type FakeChat } from '../chat-window.fake.ts'
import { agentOf, type FakeWorld, giveAgent, startFakeWorld } from '../handling.fake.ts'

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

/** @param choices what the buttons of the menu say before each is pressed on to its next choice */
async function share(chat: FakeChat, ...choices: (string | RegExp)[]): Promise<string> {
  await chat.says('/share')
  await chat.presses('➕ New link')
  for (const choice of choices) await chat.presses(choice)
  await chat.presses('Create link')
  return tokenOf(chat)
}

function tokenOf(chat: FakeChat): string {
  return /t\.me\/baal_bot\?start=([\w-]+)/.exec(chat.last.text)?.[1] ?? ''
}

describe('a share link', () => {
  test('is random, fits into a deep link and is kept only hashed and sealed', async () => {
    const { chat, agentId } = await owner()
    const token = await share(chat)
    expect(token).toMatch(/^[\w-]{22}$/)
    expect(chat.last.text).toContain('7 days left')
    expect(chat.buttons()).toEqual(['📤 Send to someone', '📋 Copy', '⏸ Pause', 'Close this link', '‹ Back'])
    const rows = await world.database.select().from(links).where(eq(links.agentId, agentId))
    expect(rows).toHaveLength(1)
    expect(JSON.stringify(rows)).not.toContain(token)
    expect(rows[0]).toMatchObject({ maxPeople: 5, messagesPerDay: 30, tools: 'web', needsApproval: 0, allowsCopy: 0 })
  })

  test('takes the terms that were chosen, and shows itself again to its owner', async () => {
    const { chat, agentId } = await owner()
    const presses = [
      '⏳ 7 days',
      '⏳ 30 days',
      '⏳ for ever',
      '👥 5 people',
      /^💬 30/,
      /^💬 100/,
      /^🛠 talk and the web/,
      /^✋ no/,
      /^🧬 no/,
    ]
    const token = await share(chat, ...presses)
    const [row] = await world.database.select().from(links).where(eq(links.agentId, agentId))
    expect(row).toMatchObject({ maxPeople: 20, messagesPerDay: null, expiresAt: world.time + 86_400_000 })
    expect(row).toMatchObject({ tools: 'workspace', needsApproval: 1, allowsCopy: 1 })
    await chat.presses('‹ Back')
    expect(chat.last.text).toContain(
      '⏳ 24 hours left · 👥 20 people · 💬 any number of messages · 🛠 talk, web and own files',
    )
    await chat.presses('🔗 Link 1')
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
    const token = await share(chat, '👥 5 people', '👥 20 people', '👥 anyone')
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
    expect(chat.last.text).toContain('Vic: 2 messages today, 2 in 7 days')
  })

  test('is over when it expires, at once and for everybody who came by it', async () => {
    const { chat } = await owner()
    const token = await share(chat, '⏳ 7 days', '⏳ 30 days', '⏳ for ever')
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

describe('the terms of a link', () => {
  test.each(['chat', 'web', 'workspace'] as const)('let a visitor’s turns use %s and no more', async (tools) => {
    const { chat } = await owner()
    await chat.says(`/share new ${tools}`)
    const visitor = someone()
    await visitor.says(`/start ${tokenOf(chat)}`)
    expect((await visitor.says('hello')).turn?.user).toMatchObject({ role: 'visitor', tools })
  })

  test('can be typed, and what means nothing is explained and makes no link', async () => {
    const { chat, agentId } = await owner()
    await chat.says('/share new 2d 3p 0m chat ask copy')
    const [row] = await world.database.select().from(links).where(eq(links.agentId, agentId))
    expect(row).toMatchObject({ maxPeople: 3, messagesPerDay: null, tools: 'chat', needsApproval: 1, allowsCopy: 1 })
    expect(row?.expiresAt).toBe(world.time + 2 * 86_400_000)
    for (const typed of ['new 3x', 'new everything', 'dance 1']) {
      await chat.says(`/share ${typed}`)
      expect(chat.last.text).toContain('/share new 7d 5p 30m web ask copy')
    }
    for (const typed of ['close 9', 'close']) {
      await chat.says(`/share ${typed}`)
      expect(chat.messages.at(-2)?.text).toContain('no open link of that number')
      expect(chat.last.text).toContain('🔗 Link 1')
    }
    expect(await world.database.select().from(links).where(eq(links.agentId, agentId))).toHaveLength(1)
  })

  test('can be paused and opened again, by button and by word: nobody is lost, nobody gets through meanwhile', async () => {
    const { chat } = await owner()
    const token = await share(chat)
    const visitor = someone()
    await visitor.says(`/start ${token}`)
    await chat.presses('⏸ Pause')
    expect(chat.last.text).toContain('⏸ paused')
    expect((await visitor.says('hi')).turn).toBeUndefined()
    expect(visitor.last.text).toContain('Rex is taking a break')
    await visitor.says('/list')
    expect(visitor.last.text).toContain('⏸ Rex: paused')
    expect((await visitor.presses('💬 Rex')).answer?.text).toContain('taking a break')
    const late = someone()
    await late.says(`/start ${token}`)
    expect(late.last.text).toContain('taking a break')
    await chat.presses('▶️ Open again')
    expect((await visitor.says('hi')).turn).toBeDefined()
    await chat.says('/share pause 1')
    expect((await visitor.says('hi')).turn).toBeUndefined()
    await chat.says('/share resume 1')
    expect((await visitor.says('hi')).turn).toBeDefined()
    await chat.says('/share close 1')
    expect((await visitor.says('hi')).turn).toBeUndefined()
  })
})

describe('a link that asks', () => {
  async function knocking() {
    const { chat, agentId, id } = await owner()
    await chat.says('/share new ask 1p')
    const token = tokenOf(chat)
    const visitor = someone()
    await visitor.says(`/start ${token}`)
    return { chat, agentId, id, token, visitor, visitorId: person }
  }

  test('lets nobody in before the owner has pressed the button, and tells the visitor then', async () => {
    const { chat, visitor } = await knocking()
    expect(visitor.last.text).toContain('lets each person in')
    expect((await visitor.says('hi')).turn).toBeUndefined()
    expect(visitor.last.text).toContain('lets each person in')
    await visitor.says('/list')
    expect(visitor.last.text).toContain('✋ Rex: waiting for the owner')
    expect((await visitor.presses('💬 Rex')).answer?.text).toContain('lets each person in')
    chat.hears()
    expect(chat.last.text).toBe('✋ Vic has your link and would like to talk to Rex.')
    await chat.presses('✅ Let in')
    expect(chat.last.text).toContain('Vic: 0 messages today')
    visitor.hears()
    expect(visitor.last.text).toBe('You may talk to Rex now.')
    // Without a press: who waited goes on writing.
    expect((await visitor.says('hi')).turn?.user.role).toBe('visitor')
    await visitor.presses('💬 Chat')
    expect(visitor.buttons()).toEqual(['👋 Who are you?'])
    expect((await visitor.presses('👋 Who are you?')).turn).toMatchObject({
      message: 'Who are you, and what can you do for me?',
      user: { role: 'visitor' },
    })
  })

  test('takes nobody away from an agent they talk to', async () => {
    const { token } = await knocking()
    const other = await owner()
    await other.chat.says('/chat Rex')
    await other.chat.says(`/start ${token}`)
    expect((await other.chat.says('hi')).turn?.agentId).toBe(other.agentId)
  })

  test('leaves nobody before a closed door without a way on', async () => {
    const { token, chat, visitor } = await knocking()
    const waysOn = ['➕ Create an agent', 'My agents']
    chat.hears()
    await chat.presses('🚫 Refuse')
    await visitor.says('hello?')
    expect([visitor.last.text, visitor.buttons()]).toEqual(['The owner has closed this agent for you.', waysOn])
    await chat.says('/share close 1')
    const late = someone()
    await late.says(`/start ${token}`)
    expect([late.last.text, late.buttons()]).toEqual([expect.stringContaining('does not work any more'), waysOn])
  })

  test('asks the owner once, however often it is opened', async () => {
    const { chat, token, visitor } = await knocking()
    for (let count = 0; count < 3; count++) await visitor.says(`/start ${token}`)
    const before = chat.messages.length
    chat.hears()
    expect(chat.messages.length).toBe(before + 1)
  })

  test('keeps out who is refused, for good, and says so', async () => {
    const { chat, token, visitor } = await knocking()
    chat.hears()
    await chat.presses('🚫 Refuse')
    expect(chat.last.text).toContain('Vic: blocked')
    visitor.hears()
    expect(visitor.last.text).toBe('The owner of Rex did not let you in.')
    await visitor.says(`/start ${token}`)
    expect(visitor.last.text).toBe('The owner has closed this agent for you.')
  })

  test('lets in no more people than it says, however many were asked for', async () => {
    const { chat, agentId, token, visitorId } = await knocking()
    const second = someone('Wes')
    await second.says(`/start ${token}`)
    const both = [visitorId, person].map((id) => chat.receives(chat.pressed(`m:admit:${agentId}:${id}`)))
    const answers = (await Promise.all(both)).map(({ answer }) => answer?.text)
    expect(answers.toSorted()).toEqual(['As many people as this link allows are already in.', 'Saved'])
  })

  test('asks anew of a visitor who came by another link', async () => {
    const { chat } = await owner()
    const visitor = someone()
    await visitor.says(`/start ${await share(chat)}`)
    await chat.says('/share new ask workspace')
    await visitor.says(`/start ${tokenOf(chat)}`)
    expect((await visitor.says('hi')).turn).toBeUndefined()
    await chat.says('/share admit Vic')
    expect((await visitor.says('hi')).turn?.user.tools).toBe('workspace')
  })

  test('can be answered by word, as can all about people', async () => {
    const { chat, visitor } = await knocking()
    await chat.says('/share admit vic')
    expect((await visitor.receives(visitor.pressed(`a:chat:${(await owner()).agentId}`))).turn).toBeUndefined()
    await chat.says('/share block Vic')
    expect(chat.last.text).toContain('Vic: blocked')
    await chat.says('/share unblock VIC')
    expect(chat.last.text).toContain('Vic: 0 messages')
    await chat.says('/share block Nobody')
    expect(chat.messages.at(-2)?.text).toContain('I do not find one person of that name')
  })
})

describe('a copy of one’s own', () => {
  test('has personality, model and skills of the shared agent, and nothing else of it', async () => {
    const { chat, agentId } = await owner()
    await chat.says('/soul personality You are a pirate.')
    const original = agentOf(world, agentId)
    original.files.set('skills/sailing/SKILL.md', 'how to sail')
    original.files.set('memory/MEMORY.md', 'the treasure is under the palm')
    original.files.set('map.txt', 'X')
    await chat.says('/share new copy')
    const visitor = someone()
    await visitor.says(`/start ${tokenOf(chat)}`)
    await visitor.presses('🧬 Make my own copy')
    expect(visitor.last.text).toContain('Personality and skills: as those of Rex')
    await visitor.presses('‹ Back')
    await visitor.presses('‹ Back')
    await visitor.says('Jack')
    await visitor.presses('GLM 4.7')
    await visitor.presses('🚀 Create')
    const [copy] = await listAgents(world.database, person)
    expect(copy).toMatchObject({ name: 'Jack', prompt: 'You are a pirate.', model: 'glm-4.7' })
    await world.bringUp(copy!.id)
    await visitor.reports({ agentId: copy!.id, status: 'done', step: 'done', progress: 1 })
    expect([...agentOf(world, copy!.id).files]).toEqual([['skills/sailing/SKILL.md', 'how to sail']])
    expect(copy!.inferenceKeyHash).not.toBe((await findAgent(world.database, agentId))?.inferenceKeyHash)
  })

  test('is made only where the owner allows it, asked again at the last press', async () => {
    const { chat, agentId } = await owner()
    const visitor = someone()
    await visitor.says(`/start ${await share(chat)}`)
    expect(visitor.buttons()).toEqual(['👋 Who are you?'])
    await visitor.says('/copy')
    expect(visitor.last.text).toBe('The owner of this agent does not allow copies.')
    // Links are listed by their age: of the same moment, either could be the first.
    world.time += 1_000
    await chat.says('/share new copy')
    await visitor.says(`/start ${tokenOf(chat)}`)
    await visitor.says('/copy Rex')
    await chat.says('/share close 1')
    await visitor.presses('🚀 Create')
    expect(visitor.last.text).toBe('The owner of this agent does not allow copies.')
    expect(await listAgents(world.database, person)).toEqual([])
    expect((await someone().receives(visitor.pressed(`a:copy:${agentId}`))).outgoing).toEqual([])
  })

  test('of one’s own agent is always allowed, and says when the skills could not come along', async () => {
    const { chat, agentId, id } = await owner()
    await chat.says('/copy Rex')
    await chat.presses('🚀 Create')
    const copy = (await listAgents(world.database, id)).find((agent) => agent.id !== agentId)
    await world.bringUp(copy!.id)
    world.agents.delete(agentId)
    await chat.reports({ agentId: copy!.id, status: 'done', step: 'done', progress: 1 })
    expect(chat.last.text).toContain('its skills could not be brought along')
  })
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
