import { describe, expect, test } from 'vitest'
import { ConfigError, parseConfig } from './config.ts'

const COMPLETE = {
  PUBLIC_URL: 'https://baal.example.org',
  TELEGRAM_BOT_TOKEN: `7000000001:${'a'.repeat(35)}`,
  TELEGRAM_WEBHOOK_SECRET: 'a-secret-of-enough-length',
  LIBERTAI_API_KEY: 'key',
  ALEPH_SSH_PUBKEY: 'ssh-ed25519 AAAA baal',
  LIBSQL_URL: 'libsql://baal.example.org',
  BOT_ENCRYPTION_KEY: Buffer.alloc(32).toString('base64url'),
  WORKER_SIGNING_KEY: '{}',
}

const problemOf = (change: Record<string, unknown>): string => {
  try {
    parseConfig({ ...COMPLETE, ...change })
    return ''
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as Error).message
  }
}

describe('the configuration', () => {
  test('has the defaults of the design', () => {
    const config = parseConfig({ ...COMPLETE })
    expect(config.FREE_TIER_DAILY_MESSAGES).toBe(50)
    expect(config.MAX_AGENTS_PER_USER).toBe(3)
    expect(config.DEFAULT_MODEL).toBe('qwen3-coder-next')
    expect(config.ALEPH_API_URLS[0]).toBe('https://api2.aleph.im')
    expect(config.TELEGRAM_API_ROOT).toBe('https://api.telegram.org')
  })

  test('names what is missing, one line each', () => {
    expect(problemOf({ TELEGRAM_BOT_TOKEN: undefined, LIBSQL_URL: '' })).toBe(
      'TELEGRAM_BOT_TOKEN: is not set\nLIBSQL_URL: is not set',
    )
  })

  test('never shows a value', () => {
    const problem = problemOf({ TELEGRAM_BOT_TOKEN: 'hunter2', BOT_ENCRYPTION_KEY: 'short', DEFAULT_MODEL: 'gemma-3' })
    expect(problem.split('\n')).toHaveLength(3)
    expect(problem).not.toMatch(/hunter2|short|gemma/)
  })

  test('refuses a model that is not offered and a limit that is no number', () => {
    expect(problemOf({ DEFAULT_MODEL: 'gemma-3' })).toBe('DEFAULT_MODEL: is not an offered model')
    expect(problemOf({ MAX_AGENTS_PER_USER: 'many' })).toContain('MAX_AGENTS_PER_USER: ')
  })

  test('takes lists apart and ignores bindings that are not variables', () => {
    const config = parseConfig({ ...COMPLETE, ADMIN_IDS: '1, 22', CHAT: { getByName: () => undefined } })
    expect(config.ADMIN_IDS).toEqual([1, 22])
  })

  test('is parsed once for the same bindings', () => {
    const env = { ...COMPLETE }
    expect(parseConfig(env)).toBe(parseConfig(env))
  })
})
