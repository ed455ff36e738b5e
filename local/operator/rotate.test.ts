import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { publicHalfOf } from '../made-keys.ts'
import { loadValues, saveValues } from './production-file.ts'
import { makeMissing, type Values } from './production-values.ts'
import { rotate } from './rotate.ts'
import { startTestRunner } from './testing/runner.ts'
import { trySignature } from './try-signature.ts'

let folder: string
let file: string
let before: Values

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baal-rotate-'))
  file = join(folder, '.prod.vars')
  before = makeMissing({}).values
  await saveValues(file, before)
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const differing = async () => {
  const after = await loadValues(file)
  return Object.keys({ ...before, ...after }).filter((name) => before[name] !== after[name])
}

test.each([
  ['webhook', 'TELEGRAM_WEBHOOK_SECRET'],
  ['admin', 'ADMIN_TOKEN'],
  ['signing', 'WORKER_SIGNING_KEY'],
])('%s: one key is new, and it is not shown', async (which, name) => {
  expect(await rotate(which, file)).toContain('npm run deploy')
  expect(await differing()).toEqual([name])
  expect(await rotate(which, file)).not.toContain((await loadValues(file))[name])
})

test('the signing key changes without a moment in which a runner of one’s own refuses calls', async () => {
  const environment = async () =>
    JSON.parse(parseEnv(await readFile(join(folder, '.prod.runner.env'), 'utf8')).WORKER_PUBLIC_KEY ?? '')
  const old = before.WORKER_SIGNING_KEY ?? ''
  const runner = await startTestRunner(publicHalfOf(old))
  before = { ...before, DEPLOY_RUNNER_URL: runner.url }
  await saveValues(file, before)
  expect(await rotate('signing', file)).toContain('names both')
  expect(await differing()).toEqual(['WORKER_SIGNING_KEY_NEXT'])
  await expect(rotate('signing', file)).rejects.toThrow('does not take the new key yet')
  await runner.close()

  const both = await startTestRunner(await environment())
  await saveValues(file, { ...(await loadValues(file)), DEPLOY_RUNNER_URL: both.url })
  await rotate('signing', file)
  const now = await loadValues(file)
  expect(now).not.toHaveProperty('WORKER_SIGNING_KEY_NEXT')
  expect(now.WORKER_SIGNING_KEY).not.toBe(old)
  for (const key of [old, now.WORKER_SIGNING_KEY ?? '']) expect(await trySignature(both.url, key)).toBe('accepted')
  await both.close()
})

test('a key that there is not, or a file without keys, is said', async () => {
  await expect(rotate('house', file)).rejects.toThrow('no key “house”')
  await expect(rotate('webhook', join(folder, 'nothing'))).rejects.toThrow('no keys yet')
})
