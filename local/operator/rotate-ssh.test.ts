/** The whole way of a new SSH pair: the operator's file, a Worker, a runner and machines behind real SSH servers. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { type ServerType, serve } from '@hono/node-server'
import { eq } from 'drizzle-orm'
import { NodeSSH } from 'node-ssh'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { app } from '../../functions/app.ts'
import { type Database, openDatabase } from '../../functions/database/database.ts'
import type { MachineState } from '../../functions/database/machines.ts'
import { machines } from '../../functions/database/schema.ts'
import { type LocalMachine, powerOn } from '../machine/power-on.ts'
import { publicHalfOf } from '../made-keys.ts'
import { migrateDatabase } from '../migrate.ts'
import { type Sqld, startSqld } from '../sqld.ts'
import { loadValues, saveValues } from './production-file.ts'
import { makeMissing, type Values } from './production-values.ts'
import { rotate } from './rotate.ts'
import { requireRunnerWithNewPair } from './runner-key.ts'
import { startTestRunner, type TestRunner } from './testing/runner.ts'

let folder: string
let file: string
let sqld: Sqld
let database: Database
let worker: ServerType
let deployed: Values
let runner: TestRunner
let old: string
let rosa: LocalMachine
let rex: LocalMachine
const said: string[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'baal-rotate-ssh-'))
  file = join(folder, '.prod.vars')
  sqld = await startSqld({ dataDir: folder })
  await migrateDatabase(sqld.url)
  database = openDatabase({ url: sqld.url })
  const port = await new Promise<number>((resolve) => {
    worker = serve({ fetch: (request) => app.fetch(request, deployed), port: 0, hostname: '127.0.0.1' }, (info) =>
      resolve(info.port),
    )
  })
  const { values } = makeMissing({
    TELEGRAM_BOT_TOKEN: `7:${'a'.repeat(35)}`,
    LIBERTAI_API_KEY: 'key',
    LIBSQL_URL: sqld.url,
    PUBLIC_URL: `http://127.0.0.1:${port}`,
  })
  old = keyIn(values)
  runner = await startTestRunner(publicHalfOf(values.WORKER_SIGNING_KEY ?? ''), old)
  deployed = { ...values, DEPLOY_RUNNER_URL: runner.url }
  await saveValues(file, deployed)
  rosa = await on('rosa')
  rex = await on('rex')
  await record('m-rosa', 'in_use', rosa)
  await record('m-rex', 'warm', rex)
  await record('m-past', 'gone', rex)
  await record('m-coming', 'created')
})
afterAll(async () => {
  await Promise.all([rosa?.powerOff(), rex?.powerOff(), runner?.close()])
  worker?.close()
  await sqld?.close()
  await rm(folder, { recursive: true, force: true })
})

const keyIn = ({ SSH_PRIVATE_KEY = '' }: Values) => Buffer.from(SSH_PRIVATE_KEY, 'base64').toString('utf8')

function on(name: string, sshPort = 0): Promise<LocalMachine> {
  const authorizedKeys = [deployed.ALEPH_SSH_PUBKEY ?? '']
  return powerOn({ id: `rotate-${name}`, folder: join(folder, name), sshPort, authorizedKeys })
}

async function record(id: string, state: MachineState, machine?: LocalMachine): Promise<void> {
  const place = machine ? { sshHost: '127.0.0.1', sshPort: machine.sshPort, hostKey: machine.hostKey } : {}
  await database.insert(machines).values({ id, name: id, kind: 'ssh', state, ...place, createdAt: 0, updatedAt: 0 })
}

async function opens(machine: LocalMachine, privateKey: string): Promise<boolean> {
  const ssh = new NodeSSH()
  try {
    await ssh.connect({ host: '127.0.0.1', port: machine.sshPort, username: 'root', privateKey })
    return true
  } catch {
    return false
  } finally {
    ssh.dispose()
  }
}

async function run(): Promise<string> {
  said.length = 0
  return rotate('ssh', file, (line) => said.push(line)).catch((error: Error) => `FAILED: ${error.message}`)
}

async function restartRunner(): Promise<void> {
  const environment = parseEnv(await readFile(join(folder, '.prod.runner.env'), 'utf8'))
  const decode = (key?: string) => (key ? Buffer.from(key, 'base64').toString('utf8') : undefined)
  const [current, former] = [decode(environment.SSH_PRIVATE_KEY), decode(environment.SSH_PRIVATE_KEY_FORMER)]
  await runner.close()
  runner = await startTestRunner(JSON.parse(environment.WORKER_PUBLIC_KEY ?? ''), current, former)
  deployed = { ...deployed, DEPLOY_RUNNER_URL: runner.url }
  await saveValues(file, { ...(await loadValues(file)), DEPLOY_RUNNER_URL: runner.url })
}

// One story: each test begins with what the one before has left.
test('the first run makes a pair and keeps the old one beside it; no machine is touched', async () => {
  expect(await run()).toMatch(/start the runner with .*\.prod\.runner\.env.*npm run deploy.*rotate -- ssh again/)
  const values = await loadValues(file)
  expect(keyIn(values)).not.toBe(old)
  expect(Buffer.from(values.SSH_PRIVATE_KEY_FORMER ?? '', 'base64').toString()).toBe(old)
  expect(values.ALEPH_SSH_PUBKEY).not.toBe(deployed.ALEPH_SSH_PUBKEY)
  expect([await opens(rosa, old), await opens(rosa, keyIn(values))]).toEqual([true, false])
})

test('before the deployment, or the runner, has it nothing happens', async () => {
  expect(await run()).toContain('The Worker does not have the new pair yet')
  const values = await loadValues(file)
  await expect(requireRunnerWithNewPair(values)).rejects.toThrow('does not have the new SSH pair')
  deployed = { ...deployed, ALEPH_SSH_PUBKEY: values.ALEPH_SSH_PUBKEY ?? '' }
  expect(await run()).toContain('0 of 3 machines')
  expect(said.toSorted()).toEqual([
    '  m-coming  NOT YET: It is being made.',
    '  m-rex  NOT YET: key: The runner itself does not use this key yet.',
    '  m-rosa  NOT YET: key: The runner itself does not use this key yet.',
  ])
  expect([await opens(rosa, old), await opens(rosa, keyIn(values))]).toEqual([true, false])
})

test('then each machine gets it, one line each; what cannot be reached keeps both keys here', async () => {
  await restartRunner()
  await requireRunnerWithNewPair(await loadValues(file))
  await rex.powerOff()
  expect(await run()).toContain('1 of 3 machines')
  expect(said.toSorted()).toEqual([
    '  m-coming  NOT YET: It is being made.',
    expect.stringMatching(/^ {2}m-rex {2}NOT YET: connect: SSH does not answer/),
    '  m-rosa  now has the new key alone',
  ])
  const values = await loadValues(file)
  expect(values).toHaveProperty('SSH_PRIVATE_KEY_FORMER')
  expect([await opens(rosa, old), await opens(rosa, keyIn(values))]).toEqual([false, true])
})

test('and when all have it, the old one is forgotten', async () => {
  rex = await on('rex', rex.sshPort)
  await database.update(machines).set({ state: 'gone' }).where(eq(machines.id, 'm-coming'))
  expect(await run()).toMatch(/All machines \(2\).*npm run deploy, and start the runner/)
  expect(said.toSorted()).toEqual(['  m-rex  now has the new key alone', '  m-rosa  had it already'])
  const values = await loadValues(file)
  expect(values).not.toHaveProperty('SSH_PRIVATE_KEY_FORMER')
  expect(await readFile(join(folder, '.prod.runner.env'), 'utf8')).not.toContain('FORMER')
  expect([await opens(rex, old), await opens(rex, keyIn(values))]).toEqual([false, true])
})

test('no key is shown on the way', async () => {
  const values = await loadValues(file)
  await saveValues(file, { ...values, SSH_PRIVATE_KEY_FORMER: Buffer.from(old).toString('base64') })
  const words = [await run(), ...said].join('\n')
  for (const key of [
    values.SSH_PRIVATE_KEY ?? '',
    Buffer.from(old).toString('base64'),
    'PRIVATE KEY',
    values.ADMIN_TOKEN ?? '',
  ])
    expect(words).not.toContain(key)
})

test('without the present key in the file no new one is made', async () => {
  const { SSH_PRIVATE_KEY: _, ...values } = await loadValues(file)
  await saveValues(file, values)
  expect(await run()).toContain('The present SSH_PRIVATE_KEY is not in the file')
})
