import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTelegram, type Telegram } from '../../local/telegram/start-telegram.ts'
import { createTelegramClient, type TelegramClient } from './telegram-client.ts'
import { plainText } from './text/formatted-text.ts'

const TOKEN = `7000000001:${'a'.repeat(35)}`
const HALF_AT_THE_END = '🐙'

let telegram: Telegram
let client: TelegramClient

beforeAll(async () => {
  telegram = await startTelegram({ port: 0, token: TOKEN, limits: 'off' })
  client = createTelegramClient({ token: TOKEN, apiRoot: telegram.url })
})
afterAll(() => telegram?.close())

describe('the Telegram client', () => {
  test('cuts what is too long between characters, never within one', async () => {
    const { sim } = telegram
    const person = sim.addPerson({ first_name: 'Ann' }).id
    sim.start(person)
    await client.sendText({ chatId: person }, plainText('Which name?'), {
      askReply: { placeholder: `${'x'.repeat(63)}${HALF_AT_THE_END}` },
    })
    await client.answerCallback('1', { text: `${'x'.repeat(199)}${HALF_AT_THE_END}` }).catch(() => undefined)
    const [sent] = sim.calls({ method: 'sendMessage', chat: person })
    const [answered] = sim.calls({ method: 'answerCallbackQuery' })
    expect(sent?.params).toMatchObject({ reply_markup: { input_field_placeholder: 'x'.repeat(63) } })
    expect(answered?.params).toMatchObject({ text: 'x'.repeat(199) })
  })

  test('sends a file under a name that its header can carry', async () => {
    const { sim } = telegram
    const person = sim.addPerson({ first_name: 'Ann' }).id
    sim.start(person)
    const content = new TextEncoder().encode('x')
    for (const name of ['a;b\n"c".txt', 'über uns.txt']) {
      await client.sendUpload({ chatId: person }, { as: 'document', name, content }, {})
    }
    expect(sim.botMessages(person).map(({ document }) => document?.file_name)).toEqual(['a_b_c_.txt', 'über uns.txt'])
  })
})
