/** Machines that are not there, not ours, busy, cut off in the middle, or to be wiped. */
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { createServer, connect as tcpConnect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { freePort } from '../local/sqld.ts'
import { generateSshKeyPair } from './ssh-key-pair.ts'
import { openProxy } from './testing/proxy.ts'
import { RunnerUnderTest, type TestMachine } from './testing/runner-under-test.ts'

let runner: RunnerUnderTest
let machine: TestMachine

beforeAll(async () => {
  runner = await RunnerUnderTest.start()
})
beforeEach(async () => {
  machine = await runner.powerOn()
})
afterAll(() => runner.stop())

describe('a machine', () => {
  test('that shows another host key is refused, and nothing is sent to it', async () => {
    const other = generateSshKeyPair().public.split(' ').slice(0, 2).join(' ')
    const target = { ...machine.target(), host_key: other }
    const answer = await runner.call('/machines/deploy', { ...machine.deployment(), target, wait_ms: 60_000 })
    expect(answer.error).toMatchObject({ code: 'host_key_mismatch', step: 'connect' })
    expect(await readdir(machine.home)).toEqual(['.ssh'])
  })

  test('that is not pinned yet tells its key', async () => {
    const { host_key: _, ...target } = machine.target()
    expect((await runner.call('/machines/probe', { target })).result.host_key).toBe(machine.machine.hostKey)
  })

  test('that does not let us in, and one that is not there, are told apart', async () => {
    const to = await runner.build({ stranger: true })
    expect((await runner.call('/machines/probe', { target: machine.target() }, { to })).error.code).toBe('auth_failed')
    const nobody = machine.target(await freePort())
    expect((await runner.call('/machines/probe', { target: nobody })).error.code).toBe('unreachable')
  })

  test('that is still booting is waited for', async () => {
    const later = await freePort()
    const proxy = createServer((socket) => {
      const upstream = tcpConnect(machine.machine.sshPort, '127.0.0.1')
      socket.pipe(upstream).pipe(socket)
      socket.on('error', () => upstream.destroy())
      upstream.on('error', () => socket.destroy())
    })
    const booting = runner.call('/machines/probe', { target: machine.target(later), wait_ms: 30_000 })
    await new Promise<void>((resolve) => proxy.listen(later, '127.0.0.1', resolve))
    expect((await booting).result.reachable).toBe(true)
    proxy.close()
  })

  test('is worked on by one call at a time, while others go on beside it', async () => {
    const beside = await runner.powerOn()
    // Two requests sent together may arrive in either order, so the second is sent once the first is at work.
    const working = Promise.withResolvers<void>()
    const firstCall = runner.call('/machines/deploy', machine.deployment(), { onLine: () => working.resolve() })
    await working.promise
    const [first, second, other] = await Promise.all([
      firstCall,
      runner.call('/machines/probe', { target: machine.target() }),
      runner.call('/machines/deploy', beside.deployment()),
    ])
    expect(first.result.reachable).toBe(true)
    expect(second.error.code).toBe('busy')
    expect(other.result.reachable).toBe(true)
  })

  test.each([300, 3_000, 20_000, 60_000])(
    'whose connection is cut after %i bytes is left so that the next try converges',
    async (bytes) => {
      const proxy = await openProxy(machine.machine.sshPort, (passed, cut) => passed > bytes && cut())
      const answer = await runner.call('/machines/deploy', {
        ...machine.deployment(),
        target: machine.target(proxy.port),
      })
      expect(['disconnected', 'unreachable']).toContain(answer.error.code)
      proxy.close()
      expect((await runner.call('/machines/deploy', machine.deployment())).result.reachable).toBe(true)
      expect(await machine.ask('/health')).toMatchObject({ status: 'ok' })
    },
  )

  test.each(['inspect', 'bundle', 'workspace', 'secrets', 'service', 'health'])(
    'whose connection is cut at %s ends in an error that names a step, and the next try converges',
    async (step) => {
      const proxy = await openProxy(machine.machine.sshPort)
      const answer = await runner.call(
        '/machines/deploy',
        { ...machine.deployment(), target: machine.target(proxy.port) },
        { onLine: (line) => line.step === step && line.status === 'start' && proxy.cut() },
      )
      proxy.close()
      expect(answer.error).toMatchObject({ code: 'disconnected', step: expect.stringMatching(/^[a-z]+$/) })
      expect((await runner.call('/machines/deploy', machine.deployment())).result.reachable).toBe(true)
      expect((await runner.call('/machines/deploy', machine.deployment())).result.changed).toEqual([])
      expect(existsSync(join(machine.home, '.baal-staging'))).toBe(false)
    },
  )

  test('that is wiped keeps nothing of the agent, and wiping again does no harm', async () => {
    await runner.call('/machines/deploy', machine.deployment())
    expect((await runner.call('/machines/wipe', { target: machine.target() })).result.changed).toEqual(['wipe'])
    expect((await readdir(machine.home)).toSorted()).toEqual(['.ssh', 'rc.local'])
    expect(await readFile(join(machine.home, 'rc.local'), 'utf8')).not.toContain('supervise')
    await expect(machine.ask('/health')).rejects.toThrow()
    expect((await runner.call('/machines/wipe', { target: machine.target() })).result.reachable).toBe(true)
  })

  test('that was prepared for the pool holds no secret and needs only the agent itself later', async () => {
    expect((await runner.call('/machines/prepare', { target: machine.target() })).result.changed).toEqual([
      'bundle',
      'workspace',
    ])
    expect(existsSync(join(machine.home, 'baal/config/secrets.json'))).toBe(false)
    expect((await runner.call('/machines/prepare', { target: machine.target() })).result.changed).toEqual([])
    expect((await runner.call('/machines/deploy', machine.deployment())).result.changed).toEqual(['secrets', 'service'])
  })

  test('that carries an agent is not prepared for another one', async () => {
    await runner.call('/machines/deploy', machine.deployment())
    const refused = (await runner.call('/machines/prepare', { target: machine.target() })).error
    expect(refused).toMatchObject({ code: 'step_failed', step: 'inspect' })
    await runner.call('/machines/wipe', { target: machine.target() })
    expect((await runner.call('/machines/prepare', { target: machine.target() })).result.reachable).toBe(true)
  })

  test('without root and systemd is not asked to serve a domain', async () => {
    const ingress = { kind: 'caddy', domain: 'agent.test' }
    const answer = await runner.call('/machines/deploy', { ...machine.deployment(), ingress })
    expect(answer.error).toMatchObject({ code: 'step_failed', step: 'inspect' })
    expect(await readdir(machine.home)).not.toContain('baal')
  })
})
