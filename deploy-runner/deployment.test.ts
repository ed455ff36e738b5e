/** What a deployment does to a machine without systemd; the other kind is tested on a virtual machine. */
import { existsSync, readFileSync } from 'node:fs'
import { readdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { AGENT, ODD_PROMPT, RunnerUnderTest, type TestMachine } from './testing/runner-under-test.ts'

/** Of agents that are never healthy. */
const SOON = { healthMs: 3_000 }

let runner: RunnerUnderTest
let machine: TestMachine

beforeAll(async () => {
  runner = await RunnerUnderTest.start()
})
beforeEach(async () => {
  machine = await runner.powerOn()
})
afterAll(() => runner.stop())

const deploy = (to?: typeof runner.app, changes = {}) =>
  runner.call('/machines/deploy', machine.deployment(changes), to ? { to } : {})

describe('a deployment', () => {
  test('brings an agent to life, its prompt unchanged, with a line for each step', async () => {
    const answer = await deploy()
    expect(answer.result).toMatchObject({
      reachable: true,
      mode: 'plain',
      host_key: machine.machine.hostKey,
      round_trips: 2,
      agent_version: (await machine.ask('/health')).version,
    })
    const steps = answer.lines.flatMap(({ step, status }) => (status === 'ok' ? [step] : []))
    expect(steps).toEqual(['connect', 'inspect', 'bundle', 'workspace', 'secrets', 'service', 'health'])
    expect(await machine.ask('/env')).toMatchObject({
      SYSTEM_PROMPT: ODD_PROMPT,
      AGENT_NAME: 'Rosa "the\nfox"',
      AGENT_SECRET: 'planted-agent-secret',
    })
  })

  test('that is repeated changes nothing and takes one round trip', async () => {
    await deploy()
    expect((await deploy()).result).toMatchObject({ changed: [], round_trips: 1, bytes_sent: 0 })
  })

  test('with another prompt, or another secret, changes only that and starts the agent anew', async () => {
    await deploy()
    expect((await deploy(undefined, { system_prompt: 'Be brief.' })).result.changed).toEqual(['service'])
    expect(await machine.ask('/env')).toMatchObject({ SYSTEM_PROMPT: 'Be brief.' })
    const other = {
      ...machine.deployment(),
      secrets: { agent_secret: 'another-agent-secret', libertai_api_key: 'bk-other' },
    }
    expect((await runner.call('/machines/deploy', other)).result.changed).toEqual(['secrets', 'service'])
    expect(await machine.ask('/env')).toMatchObject({ AGENT_SECRET: 'another-agent-secret' })
  })

  test('with new code replaces it and keeps what the agent wrote into its files', async () => {
    await deploy()
    const memory = join(machine.home, 'baal/workspace/memory/MEMORY.md')
    await writeFile(memory, 'mine')
    const newer = await runner.build({ agent: AGENT('2') })
    expect((await deploy(newer)).result.changed).toEqual(['bundle', 'service'])
    expect(await machine.ask('/health')).toMatchObject({ mark: '2' })
    expect(readFileSync(memory, 'utf8')).toBe('mine')
  })

  test('mends what was altered on the machine', async () => {
    await deploy()
    await writeFile(join(machine.home, 'baal/launch.mjs'), 'altered')
    expect((await deploy()).result.changed).toEqual(['bundle', 'service'])
    expect((await deploy()).result.changed).toEqual([])
  })

  test('starts an agent again that is down, with nothing else to change', async () => {
    await deploy()
    await machine.machine.powerOff()
    await writeFile(join(machine.home, 'rc.local'), '')
    machine = await runner.powerOn(dirname(machine.home), machine.port)
    expect((await deploy()).result.changed).toEqual(['service'])
    expect(await machine.ask('/health')).toMatchObject({ status: 'ok' })
  })

  test('comes back by itself after the machine was off', async () => {
    await deploy()
    await machine.machine.powerOff()
    await expect(machine.ask('/health')).rejects.toThrow()
    await runner.powerOn(dirname(machine.home))
    const isUp = () =>
      machine.ask('/health').then(
        () => true,
        () => false,
      )
    await expect.poll(isUp, { timeout: 15_000 }).toBe(true)
  })

  test('of an agent that does not start tells its last words, and the next try converges', async () => {
    const broken = await runner.build({ agent: 'console.error("no such module: moon"); process.exit(1)', limits: SOON })
    const answer = await deploy(broken)
    expect(answer.error).toMatchObject({ code: 'unhealthy', step: 'health' })
    expect(answer.error.message).toContain('no such module: moon')
    expect((await deploy()).result.changed).toContain('bundle')
  })

  test('of an agent that prints its secrets before it ends does not pass them on', async () => {
    const leaking = await runner.build({
      agent: 'console.error("last words", process.env); process.exit(1)',
      limits: SOON,
    })
    const answer = await deploy(leaking)
    expect(answer.error).toMatchObject({ code: 'unhealthy', message: expect.stringContaining("AGENT_SECRET: '…'") })
    expect(answer.raw + runner.logged.join()).not.toContain('planted')
  })

  test('does not take an older agent on the same port for the one it started', async () => {
    await deploy()
    const stubborn = await runner.build({ agent: `${AGENT('2')}\nprocess.exit(1)`, limits: SOON })
    expect((await deploy(stubborn)).error.code).toBe('unhealthy')
  })

  test('brings the runtime where the machine has another', async () => {
    const runtime = join(runner.folder, 'node')
    const version = 'v99.0.0'
    await writeFile(
      runtime,
      `#!/bin/sh\ncase "$1" in --version) echo ${version} ;; -p) echo ${version} ${process.arch} ;; *) OWN_RUNTIME=1 exec ${process.execPath} "$@" ;; esac\n`,
      { mode: 0o755 },
    )
    const other = await runner.build({ runtime })
    const answer = await deploy(other)
    expect(answer.result.changed).toContain('runtime')
    expect(answer.result.node_version).toBe(version)
    expect(await machine.ask('/env')).toMatchObject({ OWN_RUNTIME: '1' })
    expect((await deploy(other)).result.changed).toEqual([])
  })

  test('shows no secret in its lines, its log, or a command line, and stores them for the owner alone', async () => {
    const answer = await deploy()
    await runner.call('/machines/probe', { target: machine.target() })
    expect(answer.raw + runner.logged.join()).not.toMatch(/planted/)
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
    expect(pids.map(readCommandLine).join('\n')).not.toContain('planted')
    for (const name of ['secrets.json', 'agent.json'])
      expect((await stat(join(machine.home, 'baal/config', name))).mode & 0o077).toBe(0)
    expect(existsSync(join(machine.home, '.baal-staging'))).toBe(false)
  })
})

function readCommandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8') + readFileSync(`/proc/${pid}/environ`, 'utf8')
  } catch {
    // It ended in the meantime.
    return ''
  }
}
