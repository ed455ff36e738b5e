import { afterEach, describe, expect, test, vi } from 'vitest'
import { describeError, log } from './log.ts'

const TOKEN = '7000000001:AAGmGzKxaaaaaaaaaaaaaaaaaaaaaaaaaaa'

afterEach(() => {
  vi.restoreAllMocks()
})

const lineOf = (fields: Parameters<typeof log>[2]): string => {
  const spy = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  log('warn', 'something', fields)
  return String(spy.mock.calls[0]?.[0])
}

describe('a log line', () => {
  test('is JSON with the event and its ids', () => {
    expect(JSON.parse(lineOf({ update: 5, agent: 'a1' }))).toEqual({ event: 'something', update: 5, agent: 'a1' })
  })

  test('drops what is named like a secret or like content', () => {
    expect(lineOf({ botToken: 'x1', apiKey: 'x2', prompt: 'x3', text: 'x4', Authorization: 'x5' })).not.toMatch(/x\d/)
  })

  test('hides a bot token and the query of an address wherever they stand', () => {
    const line = lineOf({ url: `https://api.telegram.org/bot${TOKEN}/getMe`, address: 'https://a.example/?key=abc' })
    expect(line).not.toContain(TOKEN)
    expect(line).not.toContain('abc')
  })
})

describe('describeError', () => {
  test('names the causes, with codes, without tokens', () => {
    const cause = Object.assign(new Error(`fetch https://api.telegram.org/bot${TOKEN}/getMe failed`), { code: 'ECONN' })
    const description = describeError(new TypeError('sending failed', { cause }))
    expect(description).toMatch(/^TypeError: sending failed < Error \[ECONN\]: fetch/)
    expect(description).not.toContain(TOKEN)
  })

  test('survives what is not an error and causes that go in circles', () => {
    const circle = new Error('a')
    circle.cause = circle
    expect(describeError(circle)).toContain('Error: a')
    expect(describeError('text')).toBe('string')
  })
})
