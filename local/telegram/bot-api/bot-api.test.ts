import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { viewState } from '../sim/view.ts'
import { ALICE, BOB } from '../start-telegram.ts'
import { call, refusal, startWithAlice, type TestBot, TOKEN } from '../test-bot.ts'

let bot: TestBot
beforeEach(async () => {
  bot = await startWithAlice()
})
afterEach(() => bot.close())

const keyboard = (button: object) => ({ inline_keyboard: [[{ text: 'A', ...button }]] }) as never

describe('the Bot API', () => {
  test('knows its bot by the token', async () => {
    expect(await bot.api.getMe()).toMatchObject({ id: 7_000_000_001, is_bot: true, username: 'baal_local_bot' })
    const wrong = await fetch(`${bot.url}/bot1:wrong/getMe`)
    expect([wrong.status, await wrong.json()]).toEqual([
      401,
      { ok: false, error_code: 401, description: 'Unauthorized' },
    ])
    expect((await fetch(`${bot.url}/botnonsense/getMe`)).status).toBe(404)
  })

  test('takes JSON, forms and query strings, and method names in any case', async () => {
    const text = 'a & b'
    const form = new URLSearchParams({
      chat_id: String(ALICE),
      text,
      reply_markup: JSON.stringify(keyboard({ callback_data: 'x' })),
    })
    const multipart = new FormData()
    multipart.set('chat_id', String(ALICE))
    multipart.set('text', text)
    multipart.set('disable_notification', 'true')
    const query = new URLSearchParams({ chat_id: String(ALICE), text })
    const answers = await Promise.all([
      fetch(`${bot.url}/bot${TOKEN}/sendMessage`, { method: 'POST', body: form }),
      fetch(`${bot.url}/bot${TOKEN}/sendMessage`, { method: 'POST', body: multipart }),
      fetch(`${bot.url}/bot${TOKEN}/SENDMESSAGE?${query}`),
    ])
    for (const answer of answers) expect(await answer.json()).toMatchObject({ ok: true, result: { text } })
    expect(bot.sim.botMessages(ALICE).find(({ reply_markup }) => reply_markup)?.reply_markup).toEqual(
      keyboard({ callback_data: 'x' }),
    )
  })

  test('refuses unknown methods and parameters aloud', async () => {
    expect(await call(bot, 'sendMesage', {})).toEqual({
      status: 404,
      body: { ok: false, error_code: 404, description: 'Not Found: method not found' },
    })
    const unknown = await call(bot, 'sendMessage', { chat_id: ALICE, text: 'x', silent: true })
    expect(unknown.body.description).toBe('Bad Request: unknown parameter "silent" in sendMessage')
    const nested = await call(bot, 'sendMessage', { chat_id: ALICE, text: 'x', link_preview_options: { off: true } })
    expect(nested.body.description).toContain('unknown parameter "off" in link_preview_options')
    expect((await call(bot, 'sendMessage', {}, { body: '{' })).status).toBe(400)
  })

  test.each([
    ['a missing chat', { text: 'x' }, 'Bad Request: chat_id is empty'],
    ['an unknown chat', { chat_id: 42, text: 'x' }, 'Bad Request: chat not found'],
    ['an unknown name', { chat_id: '@nobody', text: 'x' }, 'Bad Request: chat not found'],
    ['no text', { chat_id: ALICE }, 'Bad Request: message text is empty'],
    ['an empty text', { chat_id: ALICE, text: '' }, 'Bad Request: message text is empty'],
    ['a blank text', { chat_id: ALICE, text: ' \n ' }, 'Bad Request: text must be non-empty'],
    ['a long text', { chat_id: ALICE, text: 'x'.repeat(4097) }, 'Bad Request: message is too long'],
    [
      'a reply to nothing',
      { chat_id: ALICE, text: 'x', reply_parameters: { message_id: 999 } },
      'Bad Request: message to be replied not found',
    ],
    [
      'a topic that is none',
      { chat_id: ALICE, text: 'x', message_thread_id: 5 },
      'Bad Request: message thread not found',
    ],
    ['a person who never wrote', { chat_id: BOB, text: 'x' }, "Forbidden: bot can't initiate conversation with a user"],
  ])('answers %s as Telegram does', async (_, params, description) => {
    expect((await call(bot, 'sendMessage', params)).body.description).toBe(description)
  })

  test.each([
    [
      '65 bytes of callback data',
      keyboard({ callback_data: `${'x'.repeat(63)}é` }),
      'Bad Request: BUTTON_DATA_INVALID',
    ],
    ['empty callback data', keyboard({ callback_data: '' }), 'Bad Request: BUTTON_DATA_INVALID'],
    [
      'a button that does nothing',
      keyboard({}),
      "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
    ],
    [
      'two kinds in one button',
      keyboard({ url: 'https://a.org', callback_data: 'x' }),
      "Bad Request: can't parse inline keyboard button: url and callback_data in one button",
    ],
    [
      'a local address',
      keyboard({ url: 'http://localhost/' }),
      "Bad Request: inline keyboard button URL 'http://localhost/' is invalid: Wrong HTTP URL",
    ],
    [
      'a long text to copy',
      keyboard({ copy_text: { text: 'x'.repeat(257) } }),
      'Bad Request: BUTTON_COPY_TEXT_INVALID',
    ],
    [
      'a style that is none',
      keyboard({ callback_data: 'x', style: 'pink' }),
      /^Bad Request: can't parse inline keyboard button: style/,
    ],
    [
      'an unknown field',
      keyboard({ callback_data: 'x', color: 'red' }),
      'Bad Request: can\'t parse inline keyboard button: unknown field "color"',
    ],
    [
      'rows that are no rows',
      { inline_keyboard: [{ text: 'A' }] },
      'Bad Request: field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays',
    ],
    [
      '101 buttons',
      { inline_keyboard: Array.from({ length: 101 }, () => [{ text: 'A', callback_data: 'x' }]) },
      'Bad Request: reply markup is too long',
    ],
    ['a keyboard that is a text', 'keys', "Bad Request: can't parse reply keyboard markup JSON object"],
  ])('refuses %s', async (_, reply_markup, description) => {
    const { body } = await call(bot, 'sendMessage', { chat_id: ALICE, text: 'x', reply_markup })
    if (typeof description === 'string') expect(body.description).toBe(description)
    else expect(body.description).toMatch(description)
    expect(bot.sim.botMessages(ALICE)).toEqual([])
  })

  test('takes exactly 64 bytes of callback data', async () => {
    const sent = await bot.api.sendMessage(ALICE, 'x', { reply_markup: keyboard({ callback_data: 'é'.repeat(32) }) })
    expect(sent.reply_markup?.inline_keyboard[0]).toHaveLength(1)
  })

  test('keeps people who blocked the bot or are gone out of reach', async () => {
    bot.sim.block(ALICE)
    expect(await refusal(bot.api.sendMessage(ALICE, 'x'))).toBe('Forbidden: bot was blocked by the user')
    expect(await refusal(bot.api.sendChatAction(ALICE, 'typing'))).toBe('Forbidden: bot was blocked by the user')
    bot.sim.start(ALICE)
    await bot.api.sendMessage(ALICE, 'welcome back')
    bot.sim.deactivate(ALICE)
    expect(await refusal(bot.api.sendMessage(ALICE, 'x'))).toBe('Forbidden: user is deactivated')
  })

  test('counts messages of private chats together and of a supergroup apart', async () => {
    bot.sim.start(BOB)
    const [a, b] = [await bot.api.sendMessage(ALICE, 'x'), await bot.api.sendMessage(BOB, 'x')]
    expect(b.message_id).toBe(a.message_id + 1)
  })
})

describe('an edit', () => {
  test('says the whole anew: a keyboard that is not given is gone', async () => {
    const sent = await bot.api.sendMessage(ALICE, 'x', { reply_markup: keyboard({ callback_data: 'x' }) })
    const edited = await bot.api.editMessageText(ALICE, sent.message_id, 'y')
    expect(edited).toMatchObject({ text: 'y', edit_date: expect.any(Number) })
    expect(bot.sim.message(ALICE, sent.message_id).reply_markup).toBeUndefined()
  })

  test('that changes nothing is refused in the exact words', async () => {
    const other = { reply_markup: keyboard({ callback_data: 'x' }) }
    const { message_id } = await bot.api.sendMessage(ALICE, 'x', other)
    expect(await refusal(bot.api.editMessageText(ALICE, message_id, 'x', other))).toBe(
      'Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message',
    )
    expect(await refusal(bot.api.editMessageReplyMarkup(ALICE, message_id, other))).toMatch(/message is not modified/)
    await bot.api.editMessageReplyMarkup(ALICE, message_id)
  })

  test('reaches only own messages that are still there', async () => {
    const own = bot.sim.messages(ALICE)[0]
    expect(await refusal(bot.api.editMessageText(ALICE, own?.message_id ?? 0, 'y'))).toBe(
      "Bad Request: message can't be edited",
    )
    const { message_id } = await bot.api.sendMessage(ALICE, 'x')
    await bot.api.deleteMessage(ALICE, message_id)
    expect(await refusal(bot.api.editMessageText(ALICE, message_id, 'y'))).toBe(
      'Bad Request: message to edit not found',
    )
    expect(await refusal(bot.api.deleteMessage(ALICE, message_id))).toBe('Bad Request: message to delete not found')
  })
})

describe('a pressed button', () => {
  const press = async () => {
    const { message_id } = await bot.api.sendMessage(ALICE, 'x', { reply_markup: keyboard({ callback_data: 'go' }) })
    return bot.sim.press(ALICE, ALICE, message_id, { text: 'A' })
  }
  const tooOld = 'Bad Request: query is too old and response timeout expired or query ID is invalid'

  test('may be answered once', async () => {
    const id = await press()
    await bot.api.answerCallbackQuery(id, { text: 'done' })
    expect(await refusal(bot.api.answerCallbackQuery(id))).toBe(tooOld)
    expect(await refusal(bot.api.answerCallbackQuery('12'))).toBe(tooOld)
  })

  test('takes no long answer', async () => {
    expect(await refusal(bot.api.answerCallbackQuery(await press(), { text: 'x'.repeat(201) }))).toBe(
      'Bad Request: MESSAGE_TOO_LONG',
    )
  })
})

describe('reactions, forwards, commands', () => {
  test('a bot has one reaction, of the known kinds', async () => {
    const { message_id } = bot.sim.messages(ALICE)[0] ?? { message_id: 0 }
    const emoji = (value: string) => ({ type: 'emoji', emoji: value }) as never
    await bot.api.setMessageReaction(ALICE, message_id, [emoji('👀')])
    expect(bot.sim.world.messages.reactions(ALICE, message_id)).toHaveLength(1)
    expect(await refusal(bot.api.setMessageReaction(ALICE, message_id, [emoji('👍'), emoji('🔥')]))).toBe(
      'Bad Request: REACTIONS_TOO_MANY',
    )
    expect(await refusal(bot.api.setMessageReaction(ALICE, message_id, [emoji('🧀')]))).toBe(
      'Bad Request: REACTION_INVALID',
    )
    await bot.api.setMessageReaction(ALICE, message_id, [])
    expect(bot.sim.world.messages.reactions(ALICE, message_id)).toEqual([])
  })

  test('a forward names its origin, a copy does not', async () => {
    const { message_id } = bot.sim.sendText({ from: ALICE }, 'mine')
    const forward = await bot.api.forwardMessage(ALICE, ALICE, message_id)
    expect(forward.forward_origin).toMatchObject({ type: 'user', sender_user: { id: ALICE } })
    const copy = await bot.api.copyMessage(ALICE, ALICE, message_id)
    expect(bot.sim.message(ALICE, copy.message_id)).not.toHaveProperty('forward_origin')
  })

  test('commands are shown by the narrowest scope', async () => {
    await bot.api.setMyCommands([{ command: 'help', description: 'Help' }])
    await bot.api.setMyCommands([{ command: 'secret', description: 'Yours' }], {
      scope: { type: 'chat', chat_id: ALICE },
    })
    const shown = (user: number) => viewState(bot.sim.world, user).chats[0]?.commands
    expect(shown(ALICE)).toMatchObject([{ command: 'secret' }])
    expect(shown(BOB)).toMatchObject([{ command: 'help' }])
    expect(await bot.api.getMyCommands()).toMatchObject([{ command: 'help' }])
    expect(await refusal(bot.api.setMyCommands([{ command: 'Help me', description: 'x' }]))).toBe(
      'Bad Request: BOT_COMMAND_INVALID',
    )
  })

  test('the profile has a text per language', async () => {
    await bot.api.setMyDescription('Hello')
    await bot.api.setMyDescription('Hallo', { language_code: 'de' })
    expect((await bot.api.getMyDescription({ language_code: 'de' })).description).toBe('Hallo')
    expect((await bot.api.getMyDescription({ language_code: 'fr' })).description).toBe('Hello')
  })
})

describe('the call log', () => {
  test('has every call with its outcome', async () => {
    await bot.api.sendMessage(ALICE, 'x')
    await refusal(bot.api.sendMessage(42, 'x'))
    expect(bot.sim.calls({ method: 'sendMessage' })).toMatchObject([
      { chat_id: ALICE, ok: true, status: 200, params: { text: 'x' } },
      { chat_id: 42, ok: false, status: 400, description: 'Bad Request: chat not found' },
    ])
  })

  test('warns of what Telegram would drop in silence', async () => {
    const entities = Array.from({ length: 101 }, (_, index) => ({
      type: 'bold' as const,
      offset: index * 2,
      length: 1,
    }))
    await bot.api.sendMessage(ALICE, 'x '.repeat(101), { entities })
    expect(bot.sim.calls({ method: 'sendMessage' })[0]?.warnings).toEqual([
      'more than 100 entities: the last 1 were dropped',
    ])
  })
})
