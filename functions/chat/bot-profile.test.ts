import { Api } from 'grammy'
import { describe, expect, test } from 'vitest'
import { ALLOWED_UPDATES, commandsFor, registerBot } from './bot-profile.ts'
import { LANGUAGES, wordsFor } from './catalogue/catalogue.ts'

type Call = { method: string; payload: Record<string, unknown> }

function recordingApi(): { api: Api; calls: Call[] } {
  const calls: Call[] = []
  const api = new Api('1:x')
  api.config.use(async (_previous, method, payload) => {
    calls.push({ method, payload: { ...payload } })
    return { ok: true, result: true as never }
  })
  return { api, calls }
}

describe('registerBot', () => {
  test('sets menus per scope and language, texts, and the webhook last', async () => {
    const { api, calls } = recordingApi()
    await registerBot({ api, publicUrl: 'https://baal.example/', botPath: '/telegram/7', secret: 's'.repeat(20) })
    expect(calls.at(-1)).toEqual({
      method: 'setWebhook',
      payload: {
        url: 'https://baal.example/telegram/7',
        secret_token: 's'.repeat(20),
        allowed_updates: [...ALLOWED_UPDATES],
        max_connections: 100,
      },
    })
    const menus = calls.filter(({ method }) => method === 'setMyCommands')
    expect(menus).toHaveLength(2 * LANGUAGES.length)
    expect(menus[0]?.payload).toMatchObject({ scope: { type: 'all_private_chats' } })
    expect(menus[0]?.payload).not.toHaveProperty('language_code')
    expect(menus.at(-1)?.payload).toMatchObject({ scope: { type: 'all_group_chats' }, language_code: 'zh' })
    const places = menus.map(({ payload }) => `${JSON.stringify(payload.scope)} ${payload.language_code ?? ''}`)
    expect(new Set(places).size).toBe(2 * LANGUAGES.length)
  })
})

describe.each(LANGUAGES)('the profile in %s', (language) => {
  test('keeps to Telegram’s lengths', () => {
    const { profile } = wordsFor(language)
    expect([...profile.shortDescription].length).toBeLessThanOrEqual(120)
    expect([...profile.description].length).toBeLessThanOrEqual(512)
  })

  test.each(['all_private_chats', 'all_group_chats'] as const)('offers a short menu in %s', (scope) => {
    const commands = commandsFor(scope, language)
    expect(commands.length).toBeLessThanOrEqual(10)
    for (const { command, description } of commands) {
      expect(command).toMatch(/^[a-z0-9_]{1,32}$/)
      expect([...description].length).toBeLessThanOrEqual(256)
    }
  })
})
