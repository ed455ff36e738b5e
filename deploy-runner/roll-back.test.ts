/** A deployment that fails leaves the agent running with what it had; the same with systemd is tested on a virtual machine. */
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openProxy } from './testing/proxy.ts'
import { AGENT, RunnerUnderTest, type TestMachine } from './testing/runner-under-test.ts'

type Runner = typeof runner.app

let runner: RunnerUnderTest
let broken: Runner
let brokenRuntime: Runner

beforeAll(async () => {
  runner = await RunnerUnderTest.start()
  broken = await runner.build({ agent: 'console.error("no such module: moon"); process.exit(1)', limits: SOON })
  brokenRuntime = await runner.build({ agent: AGENT('2'), runtime: await writeBrokenRuntime() })
})
afterAll(() => runner.stop())

/** Of agents that are never healthy. */
const SOON = { healthMs: 1_000 }

const deploy = (machine: TestMachine, to = runner.app, changes = {}) =>
  runner.call('/machines/deploy', machine.deployment(changes), { to })

/** Runs here, and on no machine. */
async function writeBrokenRuntime(): Promise<string> {
  const file = join(runner.folder, 'broken-node')
  const script = `#!/bin/sh\ncase "$0" in */baal/bin/node) exit 1 ;; esac\necho v99.0.0 ${process.arch}\n`
  await writeFile(file, script, { mode: 0o755 })
  return file
}

async function cutAt(machine: TestMachine, step: string, to: Runner) {
  const proxy = await openProxy(machine.machine.sshPort)
  const request = { ...machine.deployment({ system_prompt: 'newer' }), target: machine.target(proxy.port) }
  const onLine = (line: { step: string; status: string }) =>
    line.step === step && line.status === 'start' && proxy.cut()
  const answer = await runner.call('/machines/deploy', request, { to, onLine })
  proxy.close()
  return answer
}

const leftOvers = ({ home }: TestMachine) =>
  ['former', 'former.new', 'bin/node', 'data/agent.db.former'].filter((name) => existsSync(join(home, 'baal', name)))

describe.concurrent('an agent whose new version does not come up', () => {
  test('runs its former version with its former settings again, and the failure says which', async () => {
    const machine = await runner.powerOn()
    await deploy(machine, runner.app, { system_prompt: 'older' })
    const { version } = await machine.ask('/health')
    const answer = await deploy(machine, broken, { system_prompt: 'newer' })
    expect(answer.error).toMatchObject({ code: 'unhealthy', step: 'health', rolled_back_to: version })
    expect(answer.error.message).toContain('no such module: moon')
    expect(answer.lines.at(-1)).toMatchObject({ step: 'health', status: 'error' })
    expect(answer.lines).toContainEqual(expect.objectContaining({ step: 'rollback', status: 'ok' }))
    expect(await machine.ask('/env')).toMatchObject({ SYSTEM_PROMPT: 'older' })
    expect(leftOvers(machine)).toEqual([])
    const again = await deploy(machine, runner.app, { system_prompt: 'older' })
    expect(again.result).toMatchObject({ changed: [], round_trips: 1, agent_version: version })
  })

  test('finds its database as it was before the newer version changed it', async () => {
    const machine = await runner.powerOn()
    const [older, newer] = await Promise.all([
      runner.build({ agent: DATABASE_AGENT(1) }),
      runner.build({ agent: DATABASE_AGENT(2), limits: SOON }),
    ])
    expect((await deploy(machine, older)).result.reachable).toBe(true)
    const answer = await deploy(machine, newer)
    expect(answer.error).toMatchObject({ code: 'unhealthy', rolled_back_to: expect.any(String) })
    expect(await machine.ask('/health')).toMatchObject({ said: 'hello from 1' })
    expect(leftOvers(machine)).toEqual([])
  })

  test('comes back from a step that fails, too, and from a runtime that does not run', async () => {
    const machine = await runner.powerOn()
    await deploy(machine)
    const { version } = await machine.ask('/health')
    const { error } = await deploy(machine, brokenRuntime)
    expect(error).toMatchObject({ code: 'step_failed', step: 'runtime', rolled_back_to: version })
    expect(await machine.ask('/health')).toMatchObject({ mark: '1' })
    expect(leftOvers(machine)).toEqual([])
    expect((await deploy(machine)).result.changed).toEqual([])
  })

  test('keeps the secrets of now, which are all that its caller knows', async () => {
    const machine = await runner.powerOn()
    await deploy(machine)
    const secrets = { agent_secret: 'another-agent-secret', libertai_api_key: 'bk-another' }
    const request = { ...machine.deployment(), secrets }
    const { error } = await runner.call('/machines/deploy', request, { to: brokenRuntime })
    expect(error.rolled_back_to).toBeDefined()
    // What the broken step kept from arriving comes with the next deployment.
    expect((await runner.call('/machines/deploy', request)).result.changed).toEqual(['secrets', 'service'])
    expect(await machine.ask('/env')).toMatchObject({ AGENT_SECRET: 'another-agent-secret' })
  })

  test('has its former version still after the deployment was cut, and the rollback as well', async () => {
    const machine = await runner.powerOn()
    await deploy(machine)
    const { version } = await machine.ask('/health')
    expect((await cutAt(machine, 'runtime', brokenRuntime)).error.code).toBe('disconnected')
    expect((await cutAt(machine, 'rollback', brokenRuntime)).error.code).toBe('disconnected')
    expect((await deploy(machine, brokenRuntime)).error).toMatchObject({ step: 'runtime', rolled_back_to: version })
    expect(await machine.ask('/health')).toMatchObject({ mark: '1' })
    expect(leftOvers(machine)).toEqual([])
  })

  test.each(['bundle', 'rollback'])('gets a better one after a cut at %s', async (step) => {
    const machine = await runner.powerOn()
    await deploy(machine)
    await cutAt(machine, step, step === 'bundle' ? broken : brokenRuntime)
    const better = await runner.build({ agent: AGENT('3') })
    expect((await deploy(machine, better)).result.reachable).toBe(true)
    expect(await machine.ask('/health')).toMatchObject({ mark: '3' })
    expect(leftOvers(machine)).toEqual([])
    expect((await deploy(machine, better)).result.changed).toEqual([])
  })

  test('does not go back where nothing was good before', async () => {
    const machine = await runner.powerOn()
    expect((await deploy(machine, broken)).error.rolled_back_to).toBeUndefined()
    await deploy(machine)
    await writeFile(join(machine.home, 'baal/launch.mjs'), 'altered by somebody')
    expect((await deploy(machine, broken)).error.rolled_back_to).toBeUndefined()
  })
})

describe.concurrent('an agent on trial', () => {
  const onTrial = (machine: TestMachine, trial: string, to = runner.app, changes = {}) =>
    runner.call('/machines/deploy', { ...machine.deployment(changes), trial }, { to })
  const settle = async (machine: TestMachine, trial: string, verdict: 'good' | 'bad') =>
    (await runner.call('/machines/settle', { target: machine.target(), trial, verdict })).result

  async function onTrialFrom1To2(changes = {}) {
    const machine = await runner.powerOn()
    await deploy(machine, runner.app, { system_prompt: 'older' })
    const { version } = await machine.ask('/health')
    const newer = await runner.build({ agent: AGENT('2') })
    expect((await onTrial(machine, 't-1', newer, changes)).result.changed).toContain('service')
    expect(await machine.ask('/health')).toMatchObject({ mark: '2' })
    return { machine, version, newer }
  }

  test('that looked bad from outside runs its former version again, however often that is asked for', async () => {
    const { machine, version } = await onTrialFrom1To2({ system_prompt: 'newer' })
    for (let time = 0; time < 2; time++) {
      expect(await settle(machine, 't-1', 'bad')).toMatchObject({ rolled_back_to: version, agent_version: version })
    }
    expect(await machine.ask('/env')).toMatchObject({ SYSTEM_PROMPT: 'older' })
    expect(await machine.ask('/health')).toMatchObject({ mark: '1' })
    expect(leftOvers(machine)).toEqual([])
    expect((await deploy(machine, runner.app, { system_prompt: 'older' })).result.changed).toEqual([])
  })

  test('that looked good keeps nothing of the former one', async () => {
    const { machine, newer } = await onTrialFrom1To2()
    expect(leftOvers(machine)).toContain('former')
    expect((await settle(machine, 't-1', 'good')).changed).toEqual([])
    expect(leftOvers(machine)).toEqual([])
    expect((await settle(machine, 't-1', 'bad')).rolled_back_to).toBeUndefined()
    expect(await machine.ask('/health')).toMatchObject({ mark: '2' })
    expect((await deploy(machine, newer)).result.changed).toEqual([])
  })

  test('goes back to what ran before the trial, also after a second deployment of the same trial', async () => {
    const { machine, version, newer } = await onTrialFrom1To2()
    expect((await onTrial(machine, 't-1', newer)).result.changed).toEqual([])
    await onTrial(machine, 't-1', newer, { system_prompt: 'changed meanwhile' })
    expect(await settle(machine, 't-1', 'bad')).toMatchObject({ rolled_back_to: version })
    expect(await machine.ask('/env')).toMatchObject({ SYSTEM_PROMPT: 'older' })
  })

  test('is nothing to another trial, nor to a later deployment, which would bring back what is old by then', async () => {
    const { machine } = await onTrialFrom1To2()
    expect((await settle(machine, 't-2', 'bad')).rolled_back_to).toBeUndefined()
    await settle(machine, 't-2', 'good')
    expect(leftOvers(machine)).toContain('former')
    await writeFile(join(machine.home, 'baal/launch.mjs'), 'altered by somebody')
    expect((await deploy(machine, broken)).error.rolled_back_to).toBeUndefined()
    expect(leftOvers(machine)).toEqual([])
  })

  test('finds its database as it was before the newer version changed it', async () => {
    const machine = await runner.powerOn()
    const older = await runner.build({ agent: DATABASE_AGENT(1) })
    const newer = await runner.build({ agent: DATABASE_AGENT(2, 'comes up') })
    await deploy(machine, older)
    await onTrial(machine, 't-1', newer)
    expect(await machine.ask('/health')).toMatchObject({ said: 'hello from 2' })
    expect((await settle(machine, 't-1', 'bad')).rolled_back_to).toBeDefined()
    expect(await machine.ask('/health')).toMatchObject({ said: 'hello from 1' })
    expect(leftOvers(machine)).toEqual([])
  })

  test('does not go back where nothing ran before', async () => {
    const machine = await runner.powerOn()
    await onTrial(machine, 't-1')
    expect((await settle(machine, 't-1', 'bad')).rolled_back_to).toBeUndefined()
    expect(await machine.ask('/health')).toMatchObject({ mark: '1' })
  })
})

/** Opens its database as the agent server does: a newer one changes the schema, an older one refuses what it does not know. */
const DATABASE_AGENT = (known: number, fate: 'comes up' | 'ends' = known > 1 ? 'ends' : 'comes up') => `
import { DatabaseSync } from 'node:sqlite'
const path = process.env.DB_PATH
const database = new DatabaseSync(path)
database.exec('PRAGMA journal_mode=WAL; CREATE TABLE IF NOT EXISTS said (text)')
const { user_version: found } = database.prepare('PRAGMA user_version').get()
if (found > ${known}) throw new Error('written by a newer agent')
if (found > 0 && found < ${known}) database.exec("VACUUM INTO '" + path + ".former'")
database.exec('PRAGMA user_version=${known}')
database.prepare('INSERT INTO said VALUES (?)').run('hello from ${known}')
if ('${fate}' === 'ends') process.exit(1)
const { text } = database.prepare('SELECT text FROM said ORDER BY rowid DESC').get()
${AGENT('').replace("mark: ''", 'said: text')}`
