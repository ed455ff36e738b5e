import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseConfig } from '../functions/config.ts'
import { loadSettings, SettingsError } from './settings.ts'
import { renderEnvFile } from './worker.ts'

let root: string

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'baal-settings-'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

const load = (environment: Record<string, string> = {}) =>
  loadSettings({ BAAL_DATA_DIR: join(root, 'data'), ...environment }, root)

describe('the settings of npm start', () => {
  test('need a stand-in for everything when nothing is given', async () => {
    expect((await load()).standIns).toEqual({ telegram: true, model: true, aleph: true, libsql: true, runner: true })
  })

  test('use the real service for each key in .dev.vars, and the environment wins', async () => {
    await writeFile(join(root, '.dev.vars'), 'LIBERTAI_API_KEY="from file"\nTELEGRAM_BOT_TOKEN=\nPORT=9000\n')
    const settings = await load({ PORT: '9100' })
    expect(settings.standIns).toMatchObject({ telegram: true, model: false })
    expect(settings.given.LIBERTAI_API_KEY).toBe('from file')
    expect(settings.workerPort).toBe(9100)
  })

  test('make keys once, readable by their owner alone', async () => {
    const first = await load()
    const second = await load()
    expect(second.made).toEqual(first.made)
    const { mode } = await stat(join(root, 'data', 'keys.json'))
    expect(mode & 0o777).toBe(0o600)
  })

  test('make keys that the Worker accepts', async () => {
    const { made } = await load()
    const { SSH_PRIVATE_KEY, ...variables } = made
    expect(SSH_PRIVATE_KEY).toContain('OPENSSH PRIVATE KEY')
    expect(() =>
      parseConfig({ ...variables, PUBLIC_URL: 'http://127.0.0.1:8787', LIBSQL_URL: 'http://127.0.0.1:1' }),
    ).not.toThrow()
  })

  test('never replace a key file that is damaged: sealed records would be lost', async () => {
    await load()
    await writeFile(join(root, 'data', 'keys.json'), '{"half":')
    await expect(load()).rejects.toThrow(SettingsError)
    expect(await readFile(join(root, 'data', 'keys.json'), 'utf8')).toBe('{"half":')
  })

  test('name a malformed value without showing it', async () => {
    await expect(load({ PORT: 'eighty' })).rejects.toThrow(/^PORT: (?!.*eighty)/)
  })
})

describe("the Worker's environment file", () => {
  test('keeps dollars, quotes and hashes as they are', () => {
    expect(renderEnvFile({ KEY: '{"d":"$x#"}' })).toBe(`KEY='{"d":"$x#"}'\n`)
  })

  test('refuses what it cannot hold', () => {
    expect(() => renderEnvFile({ KEY: "it's" })).toThrow('KEY')
  })
})
