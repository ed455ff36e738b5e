import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findAgent } from '../database/agents.ts'
import { listPersonChats } from '../database/forgetting.ts'
import { agents } from '../database/schema.ts'
import { chatOf, groupOf, topicOf } from './chat-window.fake.ts'
import { BOT, type FakeWorld, fakePorts, giveAgent, startFakeWorld, telegramUser } from './handling.fake.ts'
import { BaalContext, DirectTelegramCall } from './routing/baal-context.ts'
import { Reply } from './routing/reply.ts'

let world: FakeWorld
let person = 90_000
beforeAll(async () => {
  world = await startFakeWorld()
})
afterAll(() => world.close())

const someone = (name = 'Ana') => telegramUser({ id: ++person, name })

describe('what is no business of ours', () => {
  test.each([
    { channel_post: { message_id: 1, date: 1, chat: { id: -1, type: 'channel', title: 'C' }, text: 'x' } },
    { poll: {} },
    { message: { message_id: 1, date: 1, chat: { id: 5, type: 'private', first_name: 'A' }, text: 'no sender' } },
    { message: { message_id: 1, date: 1, chat: { id: 5, type: 'private' }, from: { ...BOT }, text: 'a bot' } },
    { something_of_next_year: { chat: { id: 5 } } },
  ])('is ignored: %o', async (content) => {
    const chat = chatOf(world, { id: 5 })
    const outcome = await chat.receives(chat.update(content as never))
    expect(outcome).toEqual({ lane: 'ignore', outgoing: [] })
  })
})

describe('an unknown command or button', () => {
  test('is answered politely and changes nothing', async () => {
    const chat = chatOf(world, { id: ++person })
    await chat.says('/fly me to the moon')
    expect(chat.last.text).toBe('I do not know /fly. See /help.')
    for (const data of ['', 'x', 'c:fly', 'a:delete', 'w1:', 'l:show:', '💥'.repeat(16), 'x:9', 'lang:xx']) {
      const { answer, outgoing, turn } = await chat.receives(chat.pressed(data || ' '))
      expect([data, answer?.text, outgoing, turn]).toEqual([data, 'This menu is out of date.', [], undefined])
    }
  })

  test('a command is understood however it is spelled', async () => {
    const chat = chatOf(world, { id: ++person })
    await chat.says('/HELP')
    expect(chat.last.text).toContain('What I can do')
    await chat.says('/help@Baal_Bot')
    expect(chat.last.text).toContain('What I can do')
    expect((await chat.says('/help@other_bot')).lane).toBe('ignore')
  })
})

describe('someone else’s agent id in a button', () => {
  const VERBS = [
    'card', 'chat', 'update', 'repair', 'retry', 'soul', 'name', 'prompt', 'model', 'share', 'newlink', 'people',
    'delete', 'delete!', 'memory', 'remember', 'forget', 'forget!', 'files', 'export', 'doctor',
  ] // biome-ignore format: one glance

  test.each(VERBS)('is answered as if it did not exist: %s', async (verb) => {
    const agentId = await giveAgent(world, ++person)
    const before = await findAgent(world.database, agentId)
    const started = world.started.length
    const stranger = chatOf(world, { id: ++person })
    const outcome = await stranger.receives(stranger.pressed(`a:${verb}:${agentId}`))
    const unknown = await stranger.receives(stranger.pressed(`a:${verb}:0000000000000000`))
    expect(outcome).toEqual({
      lane: 'control',
      outgoing: [],
      answer: { text: 'That agent does not exist, or it is not yours.', alert: true },
    })
    expect(unknown).toEqual(outcome)
    expect(await findAgent(world.database, agentId)).toEqual(before)
    expect(world.started).toHaveLength(started)
  })

  test.each(['l:show:ID', 'l:revoke:ID', 'm:block:ID:1', 'm:unblock:ID:1', 'model:ID:glm-4.7'])(
    'nor does %s reveal or change anything',
    async (data) => {
      const agentId = await giveAgent(world, ++person)
      const stranger = chatOf(world, { id: ++person })
      const outcome = await stranger.receives(stranger.pressed(data.replace('ID', agentId)))
      expect(outcome.answer?.text).toBe('That agent does not exist, or it is not yours.')
      expect(outcome.outgoing).toEqual([])
    },
  )
})

describe('text without an agent', () => {
  test('is answered with what helps', async () => {
    const chat = chatOf(world, { id: ++person })
    expect((await chat.says('hello')).lane).toBe('control')
    expect(chat.last.text).toContain('You have no agent yet')
    expect(chat.buttons()).toEqual(['➕ Create an agent', 'Help'])
  })
})

describe('a topic of a private chat', () => {
  test('goes on with the one agent there is, as a conversation of its own', async () => {
    const agentId = await giveAgent(world, ++person)
    const topic = chatOf(world, { id: person, topic: 7 })
    expect((await topic.says('hello')).turn).toMatchObject({ agentId, user: { role: 'owner' }, message: 'hello' })
    await topic.says('/manage')
    expect((await topic.says('hello again')).turn).toBeUndefined()
    expect(topic.last.text).toContain('You are not talking to an agent now')
  })

  test('is named after the first words, when it has no name of its own', async () => {
    await giveAgent(world, ++person)
    const topic = chatOf(world, { id: person, topic: 9 })
    const opened = (forum_topic_created: object) =>
      topic.update({
        message: { ...topic.message(''), text: undefined, entities: undefined, forum_topic_created } as never,
      })
    expect(await topic.receives(opened({ name: 'New Chat', icon_color: 1, is_name_implicit: true }))).toMatchObject({
      outgoing: [],
    })
    const { outgoing, turn } = await topic.says(`Plan\na  trip ${'to the sea '.repeat(9)}`)
    expect(outgoing).toEqual([{ kind: 'name_topic', name: 'Plan a trip to the sea to the sea to th…' }])
    expect(turn).toBeDefined()
    expect((await topic.says('and more')).outgoing).toEqual([])
    const named = chatOf(world, { id: person, topic: 10 })
    await named.receives(opened({ name: 'Mine', icon_color: 1 }))
    expect((await named.says('hello')).outgoing).toEqual([])
  })

  test('asks which, when there are several', async () => {
    await giveAgent(world, ++person)
    await giveAgent(world, person, { name: 'Max' })
    const topic = chatOf(world, { id: person, topic: 8 })
    expect((await topic.says('hello')).turn).toBeUndefined()
    await topic.presses('💬 Max')
    expect((await topic.says('hello')).turn).toBeDefined()
  })
})

describe('a group', () => {
  async function groupWithAgent() {
    const ana = someone('Ana')
    const agentId = await giveAgent(world, ana.id)
    const group = groupOf(world, -100_000 - person)
    await group.says('/list@baal_bot', { from: ana })
    await group.presses('💬 Rex', { from: ana })
    return { group, ana, agentId }
  }

  test('hears only what is meant for the bot', async () => {
    const { group, agentId } = await groupWithAgent()
    const bob = someone('Bob')
    expect((await group.says('hello all', { from: bob })).lane).toBe('ignore')
    const mentioned = await group.says('@baal_bot what time is it?', { from: bob })
    expect(mentioned.turn).toMatchObject({ agentId, message: 'what time is it?', user: { name: 'Bob' } })
    expect((await group.says('and now?', { from: bob, replyToBot: true })).turn?.message).toBe('and now?')
    expect((await group.says('/stop', { from: bob })).lane).toBe('control')
    expect((await group.says('/stop@other_bot', { from: bob })).lane).toBe('ignore')
    expect((await group.says('/weather', { from: bob })).lane).toBe('ignore')
  })

  test('does not take every message of a topic that the bot opened for an answer to it', async () => {
    const { group } = await groupWithAgent()
    const message = group.message('hello all', { from: someone(), replyToBot: true })
    const opened = { ...message.reply_to_message, text: undefined, forum_topic_created: { name: 'x', icon_color: 1 } }
    const update = { message: { ...message, is_topic_message: true, reply_to_message: opened } }
    expect((await group.receives(group.update(update as never))).lane).toBe('ignore')
  })

  test('answers an administrator who speaks as the group, and never as the owner of anything', async () => {
    const { group, agentId } = await groupWithAgent()
    const asGroup = (text: string, chat = group.identity.chatId) => {
      const from = { id: 1_087_968_824, is_bot: true, first_name: 'Group', username: 'GroupAnonymousBot' }
      const sender_chat = { id: chat, type: 'supergroup', title: 'Group' }
      return group.receives(group.update({ message: { ...group.message(text, { from }), sender_chat } as never }))
    }
    expect((await asGroup('hello all')).lane).toBe('ignore')
    const mentioned = await asGroup('@baal_bot what time is it?')
    expect(mentioned.turn).toMatchObject({
      agentId,
      user: { id: group.identity.chatId, name: 'Group', role: 'visitor' },
    })
    await asGroup('/help@baal_bot')
    expect(group.last.text).toContain('In this group')
    for (const command of ['manage', 'new', 'compact', 'leave']) {
      await asGroup(`/${command}@baal_bot`)
      expect(group.last.text).toBe('Only the owner of this agent can do that.')
    }
    await asGroup('/list@baal_bot')
    expect(group.last.keyboard.flat()).toEqual([
      { text: '➕ Create an agent', url: 'https://t.me/baal_bot?start=create' },
    ])
    await asGroup('/delete@baal_bot Rex yes')
    expect(group.last.text).toContain('only in a private chat')
    // A channel that speaks in the group, and bots, are not answered.
    expect((await asGroup('@baal_bot hello', -100_555)).lane).toBe('ignore')
  })

  test('talks as visitors, its owner too, so that private memory stays private', async () => {
    const { group, ana } = await groupWithAgent()
    expect((await group.says('@baal_bot hi', { from: ana })).turn?.user.role).toBe('visitor')
  })

  test('answers to the message it answers', async () => {
    const { group } = await groupWithAgent()
    const update = group.update({ message: group.message('/status@baal_bot', { from: someone() }) })
    const { outgoing } = await group.receives(update)
    expect(outgoing[0]).toMatchObject({ kind: 'send', replyTo: update.message?.message_id })
  })

  test('cannot be given an agent by anybody but its owner, nor deprived of it', async () => {
    const { group, ana } = await groupWithAgent()
    const bob = someone('Bob')
    const forged = await group.receives(group.pressed(`a:chat:${await giveAgent(world, ana.id)}`, 1, bob))
    expect(forged.answer?.text).toContain('does not exist')
    for (const command of ['manage', 'new', 'compact']) {
      await group.says(`/${command}@baal_bot`, { from: bob })
      expect(group.last.text).toBe('Only the owner of this agent can do that.')
    }
    await group.says('/manage@baal_bot', { from: ana })
    expect(group.last.text).toContain('You left Rex')
  })

  test('sends to a private chat for what is private, and deletes a key that was typed there', async () => {
    const group = groupOf(world, -7)
    await group.says('/create@baal_bot', { from: someone() })
    expect(group.last.text).toBe('That works only in a private chat with me.')
    expect(group.last.keyboard.flat()[0]).toMatchObject({ url: 'https://t.me/baal_bot?start=create' })
    const { outgoing } = await group.says('/login sk-0123456789abcdefgh', { from: someone() })
    expect(outgoing[0]?.kind).toBe('delete')
  })

  test('is greeted when the bot is added, and not when it is thrown out', async () => {
    const group = groupOf(world, -8)
    const change = (from: string, to: string) =>
      group.update({
        my_chat_member: {
          chat: { id: -8, type: 'supergroup', title: 'G' },
          from: someone(),
          date: 1,
          old_chat_member: { status: from, user: BOT },
          new_chat_member: { status: to, user: BOT },
        },
      } as never)
    await group.receives(change('left', 'member'))
    expect(group.last.text).toContain('/list@baal_bot')
    expect((await group.receives(change('member', 'kicked'))).lane).toBe('ignore')
  })
})

describe('a topic of a group', () => {
  async function groupOfAna() {
    const ana = someone('Ana')
    const rex = await giveAgent(world, ana.id)
    const max = await giveAgent(world, ana.id, { name: 'Max' })
    const group = groupOf(world, -200_000 - person)
    return { group, ana, rex, max, topic: (id: number) => topicOf(world, group, id) }
  }
  const asks = (chat: ReturnType<typeof groupOf>) => chat.says('@baal_bot what time is it?', { from: someone('Bob') })

  test('begins with the agent of the general topic, and goes on with one that is chosen in it', async () => {
    const { group, ana, rex, max, topic } = await groupOfAna()
    await group.says('/chat@baal_bot Rex', { from: ana })
    const first = topic(5)
    expect((await asks(first)).turn).toMatchObject({ agentId: rex, user: { role: 'visitor' } })
    await first.says('/chat@baal_bot Max', { from: ana })
    expect((await asks(first)).turn?.agentId).toBe(max)
    expect((await asks(topic(6))).turn?.agentId).toBe(rex)
    expect((await asks(group)).turn?.agentId).toBe(rex)
    expect((await asks(first)).turn?.agentId).toBe(max)
  })

  test('begins with the only agent of the other topics, and asks where there are several', async () => {
    const { ana, rex, topic } = await groupOfAna()
    await topic(5).says('/chat@baal_bot Rex', { from: ana })
    await topic(6).says('/chat@baal_bot Rex', { from: ana })
    const third = topic(7)
    await third.says('/status@baal_bot', { from: someone('Bob') })
    expect(third.last.text).toContain('Rex')
    expect((await asks(third)).turn?.agentId).toBe(rex)
    await topic(8).says('/chat@baal_bot Max', { from: ana })
    expect((await asks(topic(9))).turn).toBeUndefined()
  })

  test('does not begin with one that its owner sent away or deleted', async () => {
    const { group, ana, rex, topic } = await groupOfAna()
    const first = topic(5)
    await first.says('/chat@baal_bot Rex', { from: ana })
    await first.says('/manage@baal_bot', { from: ana })
    expect((await asks(topic(6))).turn).toBeUndefined()
    expect((await asks(first)).turn).toBeUndefined()
    await group.says('/chat@baal_bot Rex', { from: ana })
    await world.database.update(agents).set({ status: 'deleted' }).where(eq(agents.id, rex))
    const later = topic(7)
    expect((await asks(later)).turn).toBeUndefined()
    expect(later.last.text).not.toContain('Rex')
    expect(later.stored().join()).not.toContain(rex)
  })

  test('is found when the owner of its agent wants to be forgotten, and so is the group', async () => {
    const { group, ana, topic } = await groupOfAna()
    const first = topic(5)
    await first.says('/chat@baal_bot Rex', { from: ana })
    const second = topic(6)
    await asks(second)
    expect(await listPersonChats(world.database, ana.id)).toEqual(
      expect.arrayContaining([group, first, second].map(({ identity }) => identity.name)),
    )
  })
})

test('another person’s press on a wizard is refused', async () => {
  const chat = chatOf(world, { id: ++person })
  await chat.says('/create')
  const { answer, outgoing } = await chat.presses('Cancel', { from: someone('Eve') })
  expect(answer?.text).toBe('This menu belongs to someone else.')
  expect(outgoing).toEqual([])
})

test('a handler that calls Telegram itself fails loudly', async () => {
  const chat = chatOf(world, { id: ++person })
  const update = chat.update({ message: chat.message('hi') })
  const ports = fakePorts(world, chat.identity, { update, store: {} as never, turns: {} as never })
  const ctx = new BaalContext(update, { ports, out: new Reply(), user: { id: person } as never })
  await expect(ctx.reply('hello')).rejects.toThrow(DirectTelegramCall)
  await expect(ctx.api.getMe()).rejects.toThrow('getMe was called by a handler')
})
