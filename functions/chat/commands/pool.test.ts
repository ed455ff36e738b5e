import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Aleph, startAleph } from '../../../local/aleph/start-aleph.ts'
import { addMetrics } from '../../database/metrics.ts'
import { machines, rollouts } from '../../database/schema.ts'
import { observation } from '../../metrics/histogram.ts'
import { chatOf } from '../chat-window.fake.ts'
import { type FakeWorld, startFakeWorld } from '../handling.fake.ts'
import { parseHost } from './pool.ts'

const HOUR_MS = 3_600_000

let world: FakeWorld
let aleph: Aleph
beforeAll(async () => {
  aleph = await startAleph({ port: 0 })
  world = await startFakeWorld({
    ...{ ADMIN_IDS: '1', POOL_MIN_SIZE: '2', POOL_MAX_SIZE: '4' },
    ...{ ALEPH_PRIVATE_KEY: '1'.repeat(64), ALEPH_API_URLS: aleph.url },
  })
})
afterAll(async () => {
  await world?.close()
  await aleph?.close()
})

const admin = () => chatOf(world, { id: 1, name: 'Ada' })

describe('/pool', () => {
  test('has nothing to say of credits while nothing is paid for', async () => {
    const chat = admin()
    await chat.says('/pool')
    expect(chat.last.text).toContain('Paid for: 0 machines')
    expect(chat.last.text).not.toContain('Credits')
  })

  test('shows the operator sizes, age, cost and which nodes failed', async () => {
    const now = world.time
    const row = { kind: 'aleph' as const, updatedAt: now, orderedAt: now }
    await world.database.insert(machines).values([
      { ...row, id: 'm1', name: 'baal-1', state: 'warm', itemHash: 'a1', createdAt: now - 5 * HOUR_MS },
      { ...row, id: 'm2', name: 'baal-2', state: 'in_use', itemHash: 'a2', createdAt: now, creditsPerDay: 480_000 },
      {
        ...row,
        ...{ id: 'm3', name: 'baal-3', state: 'gone', itemHash: 'a3', createdAt: now },
        ...{ failure: 'placement_timeout', failedAt: now - HOUR_MS, crnUrl: 'https://crn7.example' },
      },
      {
        ...row,
        ...{ id: 'm4', name: 'baal-4', state: 'gone', itemHash: 'a4', createdAt: now },
        ...{ failure: 'unreachable', failedAt: now - 30 * HOUR_MS, crnUrl: 'https://old.example' },
      },
    ])
    const chat = admin()
    await chat.says('/pool')
    const { text } = chat.last
    expect(text).toContain('1 in_use, 1 warm')
    expect(text).toContain('Kept ready: 2 to 4')
    expect(text).toContain('Oldest ready one: 5 hours')
    // 342,000 and 480,000 credits a day.
    expect(text).toContain('Paid for: 2 machines, 0.034 USD an hour')
    expect(text).toContain('Failures in the last 24 hours: 1')
    expect(text).toContain('https://crn7.example: 1 × placement_timeout')
    expect(text).not.toContain('old.example')
    await chat.says('/dashboard')
    expect(chat.last.text).toContain('0.034 USD an hour')
    expect(chat.last.text).toContain('crn7.example')
  })

  test.each([
    [49, '\nCredits: 40.28 USD, enough for 49 days of these machines'],
    [7, '\nCredits: 5.75 USD, enough for 7 days of these machines'],
    [3, '\n⚠️ Credits: 2.47 USD, enough for only 3 days of these machines. Top up'],
    [0.5, '\n⚠️ Credits: 0.41 USD, enough for only 12 hours of these machines. Top up'],
  ])('says how long the credits last, and warns below a week: %s days', async (days, line) => {
    aleph.network.credits = days * (342_000 + 480_000)
    const chat = admin()
    await chat.says('/pool')
    expect(chat.last.text).toContain(line)
  })

  test('shows the rest when no core node tells the balance', async () => {
    aleph.network.faults.badGateways = 1
    const chat = admin()
    await chat.says('/pool')
    expect(aleph.network.faults.badGateways).toBe(0)
    expect(chat.last.text).toContain('Paid for: 2 machines')
    expect(chat.last.text).not.toContain('Credits')
  })

  test('takes hosts of the operator’s own in and out, and says what is wrong', async () => {
    const chat = admin()
    await chat.says('/pool add root@192.0.2.7:2222 https://agents.example/some/path')
    expect(chat.last.text).toContain('192.0.2.7:2222 is being prepared')
    const row = (await world.database.select().from(machines)).find(({ kind }) => kind === 'ssh')
    expect(row).toMatchObject({
      ...{ state: 'preparing', sshHost: '192.0.2.7', sshPort: 2222, sshUser: 'root', agentId: null },
      url: 'https://agents.example',
    })
    await chat.says('/pool add 192.0.2.7:2222 https://agents.example')
    expect(chat.last.text).toContain('is in the pool already')
    await chat.says('/pool')
    expect(chat.last.text).toContain('192.0.2.7:2222: preparing')
    await chat.says('/pool remove 192.0.2.7:2222')
    expect(chat.last.text).toContain('is out of the pool')
    await chat.says('/pool remove 192.0.2.7:2222')
    expect(chat.last.text).toContain('is not in the pool')
    for (const wrong of [
      'add',
      'add 192.0.2.7',
      'add 192.0.2.7 ftp://x.example',
      'add a;b https://x.example',
      'fill',
    ]) {
      await chat.says(`/pool ${wrong}`)
      expect(chat.last.text).toContain('/pool add root@192.0.2.7:22')
    }
  })

  test('does nothing for anybody else, whatever they write', async () => {
    const chat = chatOf(world, { id: 2, name: 'Eve' })
    const before = (await world.database.select().from(machines)).length
    for (const words of ['', ' add root@192.0.2.9 https://eve.example', ' remove 192.0.2.7:2222']) {
      await chat.says(`/pool${words}`)
      expect(chat.last.text).not.toContain('192.0.2')
    }
    expect((await world.database.select().from(machines)).length).toBe(before)
  })
})

test.each([
  ['192.0.2.7', { name: '192.0.2.7:22', sshHost: '192.0.2.7', sshPort: 22, sshUser: 'root' }],
  [
    'debian@Host.Example:2022',
    { name: 'host.example:2022', sshHost: 'host.example', sshPort: 2022, sshUser: 'debian' },
  ],
  ['root@[2001:DB8::7]:22', { name: '[2001:db8::7]:22', sshHost: '2001:db8::7', sshPort: 22, sshUser: 'root' }],
  ['host:0', undefined],
  ['host:70000', undefined],
  ['-oProxyCommand=x@host', undefined],
  ['', undefined],
])('the address %s is read as it is meant', (typed, expected) => {
  expect(parseHost(typed)).toEqual(expected)
})

describe('/dashboard', () => {
  test('says in words how long new agents take and where, of the last week, and nothing while there were none', async () => {
    const chat = admin()
    await chat.says('/dashboard')
    expect(chat.last.text).not.toContain('Setting up')
    const labels = 'kind="create",step="placement"'
    const weekAgo = world.time - 5 * 24 * HOUR_MS
    await addMetrics(world.database, observation('baal_deployment_seconds', 45_000, { kind: 'create' }), weekAgo)
    await addMetrics(
      world.database,
      [
        { name: 'baal_deployment_steps_total', labels, value: 2 },
        { name: 'baal_deployment_step_seconds_total', labels, value: 61 },
      ],
      weekAgo,
    )
    await chat.says('/dashboard')
    expect(chat.last.text).toContain(
      'Setting up, last 7 days\n\nNew agents: 1, half within 60 s\n· slowest step: Finding a place for it, 31 s\n\nToday',
    )
  })
})

describe('/update all', () => {
  test('begins one update of everybody for the operator, however often it is asked for', async () => {
    const chat = admin()
    await chat.says('/update all')
    expect(chat.last.text).toContain('Updating every agent')
    await chat.says('/update all')
    await chat.says('/dashboard')
    expect(chat.last.text).toContain('Update of all agents: 0 of 0 so far')
  })

  test('that stopped says where, and that the agent there runs as before', async () => {
    const rollout = { failedAgentId: 'a1', status: 'stopped', error: 'rolled_back' } as const
    await world.database.update(rollouts).set(rollout)
    const chat = admin()
    await chat.says('/dashboard')
    expect(chat.last.text).toContain('stopped after 0 of 0 at a1: the update did not come up, so it runs as before')
  })

  test('is the name of an agent to everybody else', async () => {
    const chat = chatOf(world, { id: 3, name: 'Eve' })
    await chat.says('/update all')
    expect(chat.last.text).not.toContain('Updating every agent')
  })
})
