import type { Message } from 'grammy/types'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ALICE, BOB } from '../start-telegram.ts'
import type { SimEvent } from '../state/events.ts'
import { refusal, startTestBot, type TestBot } from '../test-bot.ts'

let bot: TestBot
beforeEach(async () => {
  bot = await startTestBot()
})
afterEach(() => bot.close())

const heard = () => bot.sim.pendingUpdates().map(({ message }) => message?.text ?? Object.keys(message ?? {}).at(-1))

describe('in a private chat', () => {
  test('a deep link brings its payload, unless no app would send it', () => {
    bot.sim.start(ALICE, 'abc_DEF-123')
    bot.sim.start(ALICE, 'has.dot')
    expect(heard()).toEqual(['/start abc_DEF-123', '/start'])
  })

  test('a long paste is split as the apps split it', () => {
    bot.sim.sendText({ from: ALICE }, 'x'.repeat(5000))
    expect(bot.sim.messages(ALICE).map(({ text }) => text?.length)).toEqual([4096, 904])
  })

  test('blocking and coming back are told', () => {
    bot.sim.start(ALICE)
    bot.sim.block(ALICE)
    bot.sim.sendText({ from: ALICE }, 'back')
    const standings = bot.sim
      .pendingUpdates()
      .flatMap(({ my_chat_member }) => my_chat_member?.new_chat_member.status ?? [])
    expect(standings).toEqual(['kicked', 'member'])
  })

  test('replies carry what they answer and the quoted part', () => {
    const { message_id } = bot.sim.sendText({ from: ALICE }, 'one two three')
    bot.sim.sendText({ from: ALICE, replyTo: message_id, quote: 'two' }, 'this')
    const update = bot.sim.pendingUpdates().at(-1)
    expect(update?.message).toMatchObject({
      reply_to_message: { text: 'one two three' },
      quote: { text: 'two', position: 4 },
    })
  })

  test('edits arrive as edits, albums with one group id, contacts and places as such', async () => {
    const { message_id } = bot.sim.sendText({ from: ALICE }, 'helo')
    bot.sim.editText(ALICE, ALICE, message_id, '/help')
    const file = { kind: 'document' as const, name: 'a.txt', bytes: Buffer.from('x') }
    await bot.sim.sendAlbum({ from: ALICE }, [file, file])
    bot.sim.sendContact({ from: ALICE }, { phone_number: '+1', first_name: 'C' })
    bot.sim.sendLocation({ from: ALICE }, 1, 2)
    const updates = bot.sim.pendingUpdates()
    expect(updates[1]?.edited_message).toMatchObject({
      text: '/help',
      entities: [{ type: 'bot_command' }],
      edit_date: expect.any(Number),
    })
    expect(updates[2]?.message?.media_group_id).toBe(updates[3]?.message?.media_group_id)
    expect(updates.slice(4).map(({ message }) => message?.contact ?? message?.location)).toEqual([
      { phone_number: '+1', first_name: 'C' },
      { latitude: 1, longitude: 2 },
    ])
  })

  test('a reply is asked for until something is written', async () => {
    bot.sim.start(ALICE)
    await bot.api.sendMessage(ALICE, 'Name?', { reply_markup: { force_reply: true } })
    expect(bot.sim.keyboard(ALICE)?.markup).toEqual({ force_reply: true })
    bot.sim.sendText({ from: ALICE }, 'Rex')
    expect(bot.sim.keyboard(ALICE)).toBeUndefined()
    await bot.api.sendMessage(ALICE, 'Pick', { reply_markup: { keyboard: [['A']] } })
    bot.sim.sendText({ from: ALICE }, 'A')
    expect(bot.sim.keyboard(ALICE)).toBeDefined()
    await bot.api.sendMessage(ALICE, 'Done', { reply_markup: { remove_keyboard: true } })
    expect(bot.sim.keyboard(ALICE)).toBeUndefined()
  })

  test('forwards name who wrote it', () => {
    const { message_id } = bot.sim.sendText({ from: ALICE }, 'x')
    bot.sim.forward({ from: ALICE }, ALICE, message_id)
    expect(bot.sim.pendingUpdates()[1]?.message?.forward_origin).toMatchObject({
      type: 'user',
      sender_user: { id: ALICE },
    })
  })

  test('nobody presses what is not there', async () => {
    bot.sim.start(ALICE)
    const { message_id } = await bot.api.sendMessage(ALICE, 'x', {
      reply_markup: { inline_keyboard: [[{ text: 'A', url: 'https://a.org' }]] },
    })
    expect(() => bot.sim.press(ALICE, ALICE, message_id, { text: 'B' })).toThrow('there are: A')
    expect(() => bot.sim.press(ALICE, ALICE, message_id, { text: 'A' })).toThrow('not one that the bot is told of')
    expect(() => bot.sim.sendText({ from: BOB, chat: ALICE }, 'x')).toThrow('private chat of another')
  })
})

describe('in a group', () => {
  const forum = () => bot.sim.world.people.rooms()[0]?.id ?? 0

  test('privacy mode lets the bot hear commands, mentions and replies to it', async () => {
    const chat = forum()
    const own = await bot.api.sendMessage(chat, 'I am here')
    for (const text of [
      'hello all',
      '/help',
      '/help@baal_local_bot',
      '/help@other_bot',
      'hi @baal_local_bot',
      'hi @someone',
    ]) {
      bot.sim.sendText({ from: ALICE, chat }, text)
    }
    bot.sim.sendText({ from: BOB, chat, replyTo: own.message_id }, 'good')
    expect(heard()).toEqual(['/help', '/help@baal_local_bot', 'hi @baal_local_bot', 'good'])
    bot.sim.setBot({ can_read_all_group_messages: true })
    bot.sim.sendText({ from: ALICE, chat }, 'hello again')
    expect(heard().at(-1)).toBe('hello again')
  })

  test('topics keep their messages, and answers stay in them', async () => {
    const chat = forum()
    const [topic] = bot.sim.world.people.topics(chat)
    const asked = bot.sim.sendText({ from: ALICE, chat, thread: topic?.threadId }, '@baal_local_bot?')
    expect(asked).toMatchObject({ is_topic_message: true, message_thread_id: topic?.threadId })
    const answer = await bot.api.sendMessage(chat, 'yes', { reply_parameters: { message_id: asked.message_id } })
    expect(answer.message_thread_id).toBe(topic?.threadId)
    expect(await refusal(bot.api.sendMessage(chat, 'x', { message_thread_id: 999 }))).toBe(
      'Bad Request: message thread not found',
    )
  })

  test('only an administrator makes and closes topics', async () => {
    const chat = forum()
    expect(await refusal(bot.api.createForumTopic(chat, 'New'))).toBe(
      'Bad Request: not enough rights to create a topic',
    )
    bot.sim.setBotStanding(chat, 'administrator', ALICE)
    const { message_thread_id } = await bot.api.createForumTopic(chat, 'New')
    await bot.api.editForumTopic(chat, message_thread_id, { name: 'Newer' })
    await bot.api.closeForumTopic(chat, message_thread_id)
    expect(bot.sim.world.people.topic(chat, message_thread_id)).toMatchObject({ name: 'Newer', closed: true })
    bot.sim.setBotStanding(chat, 'member', ALICE)
    expect(await refusal(bot.api.sendMessage(chat, 'x', { message_thread_id }))).toBe('Bad Request: TOPIC_CLOSED')
  })

  test('the bot knows the members, and can leave', async () => {
    const chat = forum()
    expect((await bot.api.getChatMember(chat, ALICE)).status).toBe('creator')
    expect((await bot.api.getChatMember(chat, BOB)).status).toBe('member')
    expect(await bot.api.getChatMemberCount(chat)).toBe(3)
    await bot.api.leaveChat(chat)
    expect(await refusal(bot.api.sendMessage(chat, 'x'))).toBe('Forbidden: bot is not a member of the supergroup chat')
  })

  test('a new group tells the bot that it is in', () => {
    const { id } = bot.sim.addGroup({ title: 'G', members: [ALICE] })
    expect(bot.sim.pendingUpdates()[0]?.my_chat_member).toMatchObject({
      chat: { id, type: 'group' },
      new_chat_member: { status: 'member' },
    })
  })
})

describe('waiting', () => {
  test('ends with what was awaited, already there or still to come', async () => {
    bot.sim.start(ALICE)
    const waiting = bot.sim.waitForBot(ALICE, /^hel+o/)
    await bot.api.sendMessage(ALICE, 'hello')
    expect((await waiting).text).toBe('hello')
    expect((await bot.sim.waitForBot(ALICE, 'ello')).text).toBe('hello')
  })

  test('ends after its time and says what was there instead', async () => {
    bot.sim.sendText({ from: ALICE }, 'lonely')
    await expect(bot.sim.waitForBot(ALICE, 'x', { timeoutMs: 10 })).rejects.toThrow('Alice: lonely')
  })
})

describe('over HTTP', () => {
  const post = (path: string, body: object) =>
    fetch(`${bot.url}/sim${path}`, { method: 'POST', body: JSON.stringify(body) })

  test('a person writes, waits, presses and sends files', async () => {
    await post('/start', { from: ALICE })
    const waiting = post('/wait', { chat: ALICE, contains: 'model' })
    await bot.api.sendMessage(ALICE, 'Which model?', {
      reply_markup: { inline_keyboard: [[{ text: 'A', callback_data: 'a' }]] },
    })
    const { message_id } = (await (await waiting).json()) as Message
    expect(await (await post('/press', { from: ALICE, chat: ALICE, message_id, text: 'A' })).json()).toEqual({
      callback_query_id: expect.any(String),
    })
    const sent = await fetch(`${bot.url}/sim/file?from=${ALICE}&kind=document&name=a%20b.html&caption=hi`, {
      method: 'POST',
      body: '<script>',
    })
    const { document, caption } = (await sent.json()) as Message
    expect([document?.file_name, document?.file_size, caption]).toEqual(['a b.html', 8, 'hi'])
    expect((await post('/text', { from: 'nobody', text: 'x' })).status).toBe(400)
    expect((await post('/text', { from: 77, text: 'x' })).status).toBe(400)
  })

  test('files that a browser could run are only downloaded', async () => {
    const message = await bot.sim.sendFile({ from: ALICE }, Buffer.from('<svg/>'), { kind: 'document', name: 'a.svg' })
    const response = await fetch(`${bot.url}/sim/files/${message.document?.file_id}`)
    expect(response.headers.get('content-type')).toBe('application/octet-stream')
    expect(response.headers.get('content-disposition')).toMatch(/^attachment/)
    expect(response.headers.get('content-security-policy')).toContain('sandbox')
  })

  test('events are streamed', async () => {
    const response = await fetch(`${bot.url}/sim/events`)
    const events: SimEvent[] = []
    const reading = (async () => {
      let text = ''
      for await (const chunk of response.body ?? []) {
        text += Buffer.from(chunk).toString()
        if (text.includes('event: ready') && events.length === 0) bot.sim.start(ALICE)
        for (const match of text.matchAll(/^data: (\{"type".*)$/gm)) events.push(JSON.parse(match[1] ?? ''))
        if (events.some(({ type }) => type === 'message')) return
      }
    })()
    await reading
    expect(events.find(({ type }) => type === 'message')).toMatchObject({ message: { text: '/start' } })
  })

  test('no other website may act or read here', async () => {
    const foreign = await fetch(`${bot.url}/sim/state`, { headers: { origin: 'https://evil.example' } })
    expect(foreign.status).toBe(403)
    const own = await fetch(`${bot.url}/sim/state`, { headers: { origin: bot.url } })
    expect(own.status).toBe(200)
  })
})
