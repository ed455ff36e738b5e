/** Another SSH key for machines that run, while whatever can be cut is cut. */
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Hono } from 'hono'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { generateSshKeyPair, publicHalfOf } from './ssh-key-pair.ts'
import { openProxy } from './testing/proxy.ts'
import { RunnerUnderTest, type TestMachine } from './testing/runner-under-test.ts'

const next = generateSshKeyPair('baal')

let runner: RunnerUnderTest
/** Holds the new key, and the former one that machines were made with. */
let both: Hono
/** Holds the new key alone. */
let renewed: Hono
let machine: TestMachine

beforeAll(async () => {
  runner = await RunnerUnderTest.start()
  both = await runner.build({ sshKeys: { current: next.private, former: runner.sshKeys.private } })
  renewed = await runner.build({ sshKeys: { current: next.private } })
})
beforeEach(async () => {
  machine = await runner.powerOn()
})
afterAll(() => runner.stop())

const keysFile = () => join(machine.home, '.ssh/authorized_keys')
const keys = async () => (await readFile(keysFile(), 'utf8')).trim().split('\n')
const rekey = (port?: number, to = both) =>
  runner.call('/machines/rekey', { target: machine.target(port), public_key: next.public }, { to })

/** @returns `open`, or why not */
async function attempt(to: Hono): Promise<string> {
  const answer = await runner.call('/machines/probe', { target: machine.target() }, { to })
  return answer.raw.includes('"result"') ? 'open' : answer.error.code
}

describe('a machine with the former key', () => {
  test('is opened by a runner that has both, and takes an agent from it', async () => {
    expect(await attempt(renewed)).toBe('auth_failed')
    expect((await runner.call('/machines/deploy', machine.deployment(), { to: both })).result.reachable).toBe(true)
  })

  test('lets in the new key alone afterwards, and once more changes nothing', async () => {
    expect((await rekey()).result.changed).toEqual(['key'])
    expect([await attempt(renewed), await attempt(runner.app)]).toEqual(['open', 'auth_failed'])
    expect((await rekey()).result.changed).toEqual([])
    expect(await keys()).toEqual([`${publicHalfOf(next.private)} baal`])
  })

  test('keeps the keys of others, whatever its file looks like', async () => {
    const own = generateSshKeyPair().public
    const former = publicHalfOf(runner.sshKeys.private)
    await writeFile(keysFile(), `# ours\n\nno-pty,command="echo hi" ${former} old\n${former}\n${own} someone's laptop`)
    expect((await rekey()).result.changed).toEqual(['key'])
    expect(await keys()).toEqual(['# ours', '', `${own} someone's laptop`, `${publicHalfOf(next.private)} baal`])
    expect([await attempt(renewed), await attempt(runner.app)]).toEqual(['open', 'auth_failed'])
  })

  test('is left with it when the new one does not open it', async () => {
    // From another address only: the line is there, and the login fails.
    await appendFile(keysFile(), `\n# ${next.public}\nfrom="192.0.2.1" ${next.public}\n`)
    const before = await keys()
    expect((await rekey()).error).toMatchObject({ code: 'auth_failed' })
    expect(await keys()).toEqual(before)
    expect(await attempt(runner.app)).toBe('open')
  })

  test('is not touched by a runner that has another key than the caller means', async () => {
    const before = await keys()
    const answer = await rekey(undefined, runner.app)
    expect(answer.error).toMatchObject({ code: 'bad_request', step: 'key' })
    expect(await keys()).toEqual(before)
  })

  test('is shut by nobody, wherever the connection is cut, and the next try finishes', async () => {
    const whole = await runner.powerOn()
    const counting = await openProxy(whole.machine.sshPort)
    await runner.call(
      '/machines/rekey',
      { target: { ...machine.target(counting.port), host_key: whole.machine.hostKey }, public_key: next.public },
      { to: both },
    )
    const bytes = counting.passed()
    counting.close()
    const outcomes = new Set<string>()
    for (let cut = 1; cut <= 6; cut++) {
      await writeFile(keysFile(), `${runner.sshKeys.public}\n`)
      const proxy = await openProxy(machine.machine.sshPort, (passed, end) => passed > (bytes * cut) / 7 && end())
      const answer = await rekey(proxy.port)
      proxy.close()
      outcomes.add(answer.raw.includes('"result"') ? 'done' : 'cut')
      expect((await rekey()).result.reachable, `after ${cut} of 7 parts`).toBe(true)
      expect(await keys(), `after ${cut} of 7 parts`).toEqual([`${publicHalfOf(next.private)} baal`])
    }
    expect([...outcomes]).toContain('cut')
  })
})

test('neither key is shown, whatever goes wrong', async () => {
  const answers = [await rekey(), await rekey(undefined, runner.app), await rekey(1)]
  const secrets = [next.private, runner.sshKeys.private].map((key) => key.split('\n')[2] ?? '')
  for (const text of [...answers.map(({ raw }) => raw), ...runner.logged]) {
    for (const secret of secrets) expect(text).not.toContain(secret)
    expect(text).not.toContain('PRIVATE KEY')
  }
})

test('the runner tells which key machines must let in', async () => {
  const health = (await (await both.request('/health')).json()) as { ssh_public_key: string }
  expect(health.ssh_public_key).toBe(publicHalfOf(next.private))
})
