/** Every wait of the runner has an end, and what waited leaves the machine so that the next call gets through. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server, connect as tcpConnect } from 'node:net'
import { join } from 'node:path'
import { type ServerType, serve } from '@hono/node-server'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { DEFAULT_LIMITS, stepLimitMs } from './limits.ts'
import { AGENT, RunnerUnderTest, type TestMachine } from './testing/runner-under-test.ts'

let runner: RunnerUnderTest
let machine: TestMachine

beforeAll(async () => {
  runner = await RunnerUnderTest.start()
})
beforeEach(async () => {
  machine = await runner.powerOn()
})
afterAll(() => runner.stop())

const deploy = (to = runner.app) => runner.call('/machines/deploy', machine.deployment(), { to })

/** Whoever reads it waits until somebody writes: a step that hangs. */
const makePipe = (path: string) => execFileSync('mkfifo', [path])

describe('a machine', () => {
  test('that takes a connection and says nothing is given up when the time of the caller and of one try are over', async () => {
    const silent = createServer(() => undefined)
    const port = await listen(silent)
    const to = await runner.build({ limits: { handshakeMs: 300 } })
    const answer = await runner.call('/machines/probe', { target: machine.target(port), wait_ms: 1_000 }, { to })
    expect(answer.error).toMatchObject({ code: 'unreachable', step: 'connect' })
    silent.close()
  })

  test('whose keys come into place while it boots is waited for, one without our key is not for long', async () => {
    const others = await RunnerUnderTest.start()
    const stranger = await others.powerOn()
    let port = stranger.machine.sshPort
    const refused = Promise.withResolvers<void>()
    const proxy = createServer((socket) => {
      const upstream = tcpConnect(port, '127.0.0.1')
      socket.pipe(upstream).pipe(socket)
      socket.on('close', () => refused.resolve())
    })
    const { host_key: _, ...target } = machine.target(await listen(proxy))
    const booting = runner.call('/machines/probe', { target, wait_ms: 60_000 })
    await refused.promise
    port = machine.machine.sshPort
    expect((await booting).result.host_key).toBe(machine.machine.hostKey)

    const to = await runner.build({ stranger: true, limits: { keysMs: 500 } })
    const answer = await runner.call('/machines/probe', { target, wait_ms: 600_000 }, { to })
    expect(answer.error.code).toBe('auth_failed')
    proxy.close()
    await others.stop()
  })

  test('that hangs while it is looked at is told with its step', async () => {
    await mkdir(join(machine.home, 'baal'), { recursive: true })
    makePipe(join(machine.home, 'baal/templates.sha256'))
    const to = await runner.build({ limits: { inspectMs: 500 } })
    expect((await deploy(to)).error).toMatchObject({ code: 'timeout', step: 'inspect' })
    await rm(join(machine.home, 'baal/templates.sha256'))
    expect((await deploy()).result.reachable).toBe(true)
  })

  test('whose step hangs is told, the step is ended there, and the next call gets through at once', async () => {
    const pipe = join(machine.home, 'rc.local')
    makePipe(pipe)
    const to = await runner.build({ limits: { stepMs: 2_000 } })
    const answer = await deploy(to)
    expect(answer.error).toMatchObject({ code: 'timeout', step: 'service' })
    expect(answer.lines.at(-1)).toMatchObject({ step: 'service', status: 'error' })
    await rm(pipe)
    expect((await deploy()).result.changed).toContain('service')
    expect(await machine.ask('/health')).toMatchObject({ status: 'ok' })
  })

  test('that takes what is sent and then no more is told, and the next call gets through', async () => {
    const stalling = createServer((socket) => {
      const upstream = tcpConnect(machine.machine.sshPort, '127.0.0.1')
      upstream.pipe(socket)
      let passed = 0
      socket.on('data', (chunk) => {
        passed += chunk.length
        if (passed < 30_000) upstream.write(chunk)
      })
      socket.on('close', () => upstream.destroy())
      for (const end of [socket, upstream]) end.on('error', () => undefined)
    })
    const target = machine.target(await listen(stalling))
    const to = await runner.build({ limits: { sendingMs: 500 } })
    const answer = await runner.call('/machines/deploy', { ...machine.deployment(), target }, { to })
    expect(answer.error).toMatchObject({ code: 'timeout', step: 'bundle' })
    expect((await deploy()).result.reachable).toBe(true)
    stalling.close()
  })

  test('whose agent does not want to end while it is wiped is told, and wiped once it does', async () => {
    const flag = join(machine.home, 'baal/data/agent.db.stubborn')
    const stubborn = `${AGENT('1')}
process.on('SIGTERM', () => setInterval(() => existsSync(process.env.DB_PATH + '.stubborn') || process.exit(), 50))`
    await deploy(await runner.build({ agent: stubborn }))
    await writeFile(flag, '')
    const to = await runner.build({ limits: { wipeMs: 500 } })
    const wipe = (through = runner.app) => runner.call('/machines/wipe', { target: machine.target() }, { to: through })
    expect((await wipe(to)).error).toMatchObject({ code: 'timeout', step: 'wipe' })
    await rm(flag)
    expect((await wipe()).result.changed).toEqual(['wipe'])
  })

  test('whose agent hangs instead of starting is told with its last words', async () => {
    const to = await runner.build({
      agent: 'console.log("waiting for the moon"); setInterval(() => {}, 1000)',
      limits: { healthMs: 1_000 },
    })
    const { error } = await deploy(to)
    expect(error).toMatchObject({ code: 'unhealthy', step: 'health' })
    expect(error.message).toContain('waiting for the moon')
  })
})

test('a step that waits for others has longer: for the archive, for the agent, for the former one', () => {
  const limits = { ...DEFAULT_LIMITS, stepMs: 1, packagesMs: 20, healthMs: 300, formerHealthMs: 4_000 }
  const steps = ['service', 'packages', 'health', 'rollback', 'of next year']
  expect(steps.map((step) => stepLimitMs(step, limits))).toEqual([1, 20, 301, 4_001, 1])
})

test('an agent that is too busy to answer at once is left alone', async () => {
  await deploy()
  const flag = join(machine.home, 'baal/data/agent.db.busy')
  await writeFile(flag, '')
  const again = deploy()
  setTimeout(() => void rm(flag), 5_000)
  expect((await again).result.changed).toEqual([])
})

test('a caller that leaves in the middle of a step frees the machine for the next call, which converges', async () => {
  const pipe = join(machine.home, 'rc.local')
  makePipe(pipe)
  const server = await new Promise<ServerType>((resolve) => {
    const started = serve({ fetch: runner.app.fetch, hostname: '127.0.0.1', port: 0 }, () => resolve(started))
  })
  const address = server.address()
  const body = JSON.stringify(machine.deployment())
  const leaving = new AbortController()
  const response = await fetch(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/machines/deploy`, {
    method: 'POST',
    body,
    headers: { authorization: `Bearer ${await runner.token(body)}` },
    signal: leaving.signal,
  })
  runner.logged.length = 0
  const decoder = new TextDecoder()
  await expect(async () => {
    for await (const chunk of response.body ?? []) {
      if (decoder.decode(chunk).includes('"step":"service","status":"start"')) leaving.abort()
    }
  }).rejects.toThrow()
  await expect.poll(() => runner.logged.join(), { timeout: 10_000 }).toContain('"call_failed"')
  expect(runner.logged.join()).toContain('"step":"service"')
  // The step that was left behind goes on until it has something to say to nobody.
  const writer = openSync(pipe, 'r+')
  await rm(pipe)
  await writeFile(pipe, '')
  closeSync(writer)
  expect((await deploy()).result.changed).toContain('service')
  expect((await deploy()).result.changed).toEqual([])
  server.close()
})

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}
