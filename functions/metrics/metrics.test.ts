import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Database } from '../database/database.ts'
import { finishDeployment, saveStep } from '../database/deployments.ts'
import { addMetrics, foldOldMetrics, sumMetrics } from '../database/metrics.ts'
import { deployments, machines, metrics } from '../database/schema.ts'
import { startTestDatabase, type TestDatabase } from '../database/testing/test-database.ts'
import { deploymentTimes } from './deployment-times.ts'
import { readGauges } from './gauges.ts'
import { type Increment, MetricsBuffer } from './metrics-buffer.ts'
import { renderPrometheus } from './render-prometheus.ts'
import { summarize } from './summary.ts'

const DAY = 86_400_000
const NOW = Date.parse('2026-11-24T12:00:00Z')

let opened: TestDatabase
let database: Database
beforeAll(async () => {
  opened = await startTestDatabase()
  database = opened.database
})
afterAll(() => opened?.close())

describe('what is counted', () => {
  test('is written in one piece, and only once', async () => {
    const saved: (readonly Increment[])[] = []
    const buffer = new MetricsBuffer(async (increments) => void saved.push(increments))
    buffer.count('baal_turns_total', { result: 'done' })
    buffer.count('baal_turns_total', { result: 'done' })
    buffer.count('baal_turns_total', { result: 'failed' })
    await Promise.all([buffer.flush(), buffer.flush()])
    expect(saved).toEqual([
      [
        { name: 'baal_turns_total', labels: 'result="done"', value: 2 },
        { name: 'baal_turns_total', labels: 'result="failed"', value: 1 },
      ],
    ])
  })

  test('costs a line in the log when the database does not take it, and nothing else', async () => {
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const buffer = new MetricsBuffer(() => Promise.reject(new Error('no database')))
    buffer.count('baal_turns_total', { result: 'done' })
    await buffer.flush()
    expect(String(warned.mock.calls[0]?.[0])).toContain('metrics_not_saved')
    warned.mockRestore()
  })

  test('cannot grow without end by a label that takes every value', async () => {
    let series = 0
    const buffer = new MetricsBuffer(async (increments) => {
      series = increments.length
    })
    for (let id = 0; id < 10_000; id++) buffer.count('baal_turn_errors_total', { code: `c${id}` })
    await buffer.flush()
    expect(series).toBeLessThanOrEqual(500)
  })
})

describe('the table', () => {
  test('adds up what many write at once', async () => {
    const increments = [{ name: 'baal_turns_total', labels: 'result="done"', value: 1 }]
    await Promise.all(Array.from({ length: 20 }, () => addMetrics(database, increments, NOW)))
    expect(await sumMetrics(database)).toEqual([{ ...increments[0], value: 20 }])
  })

  test('folds days that are long over without changing a sum', async () => {
    for (const day of [31, 32, 33])
      await addMetrics(database, [{ name: 'baal_turns_total', labels: 'result="done"', value: day }], NOW - day * DAY)
    const before = await sumMetrics(database)
    for (let run = 0; run < 4; run++) await foldOldMetrics(database, NOW)
    expect(await sumMetrics(database)).toEqual(before)
    expect((await database.select().from(metrics)).map(({ day }) => day).toSorted()).toEqual(['', '2026-11-24'])
    expect(await sumMetrics(database, '2026-11-24')).toEqual([expect.objectContaining({ value: 20 })])
  })
})

describe('the text for Prometheus', () => {
  const observed = async (...ms: number[]) => {
    let sums: readonly Increment[] = []
    const buffer = new MetricsBuffer(async (increments) => {
      sums = increments
    })
    for (const one of ms) buffer.observe('baal_turn_seconds', one)
    await buffer.flush()
    return sums
  }

  test('has cumulative buckets, a sum and a count', async () => {
    const text = renderPrometheus(await observed(90, 2_000, 2_400, 400_000), [])
    expect(text).toContain('# TYPE baal_turn_seconds histogram')
    expect(text).toMatch(/bucket\{le="0\.1"\} 1\n/)
    expect(text).toMatch(/bucket\{le="2\.5"\} 3\n/)
    expect(text).toMatch(/bucket\{le="\+Inf"\} 4\n.*_sum 404\.49\n.*_count 4\n/)
  })

  test('is read by its grammar, line by line', async () => {
    const counted = [{ name: 'baal_turn_errors_total', labels: 'code="a_b"', value: 3 }]
    const gauges = [{ name: 'baal_users', help: 'People.', values: [{ labels: '', value: 7 }] }]
    const lines = renderPrometheus([...counted, ...(await observed(5))], gauges)
      .trimEnd()
      .split('\n')
    const grammar = /^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"\\\n]*"(,\w+="[^"\\\n]*")*\})? [-+.\de]+)$/
    expect(lines.filter((line) => !grammar.test(line))).toEqual([])
    expect(lines).toEqual(expect.arrayContaining(['baal_turn_errors_total{code="a_b"} 3', 'baal_users 7']))
  })
})

describe('a deployment', () => {
  const begun = NOW - 42_000
  const deploy = async (id: string) => {
    const deployment = { id, agentId: 'rosa', kind: 'create' as const, createdAt: begun }
    await database.insert(deployments).values({ ...deployment, status: 'running', updatedAt: begun })
    return deployment
  }
  const lines = async () =>
    renderPrometheus(await sumMetrics(database), [])
      .split('\n')
      .filter((line) => line.startsWith('baal_deployment_seconds') && line.includes('kind="create"'))

  test('that is done is counted by kind and duration, once however often its last step runs', async () => {
    const deployment = await deploy('d1')
    for (let run = 0; run < 3; run++) await finishDeployment(database, deployment, {}, { status: 'done' }, NOW)
    expect(await lines()).toEqual(
      expect.arrayContaining([
        'baal_deployment_seconds_bucket{kind="create",le="30"} 0',
        'baal_deployment_seconds_bucket{kind="create",le="60"} 1',
        'baal_deployment_seconds_bucket{kind="create",le="+Inf"} 1',
        'baal_deployment_seconds_sum{kind="create"} 42',
        'baal_deployment_seconds_count{kind="create"} 1',
      ]),
    )
  })

  test('that fails is not among them', async () => {
    const outcome = { status: 'failed', errorCode: 'timeout', error: 'late' } as const
    await finishDeployment(database, await deploy('d2'), {}, outcome, NOW)
    expect(await lines()).toContain('baal_deployment_seconds_count{kind="create"} 1')
  })
})

describe('the steps of deployments', () => {
  const kind = 'update' as const
  const secondsOf = async () => {
    const sums = await sumMetrics(database)
    return (step: string) =>
      ['baal_deployment_steps_total', 'baal_deployment_step_seconds_total'].map(
        (name) => sums.find((sum) => sum.name === name && sum.labels === `kind="${kind}",step="${step}"`)?.value ?? 0,
      )
  }

  test('are counted with all their time, begun once or again, to the end of each deployment, and the slowest is named', async () => {
    const deployment = { id: 's1', agentId: 'rosa', kind, createdAt: NOW }
    await database.insert(deployments).values({ ...deployment, status: 'running', updatedAt: NOW })
    const step = (name: string, seconds: number) => saveStep(database, 's1', name, undefined, NOW + seconds * 1_000)
    expect(await step('connect', 2)).toBe(true)
    await step('connect', 12)
    await step('service', 42)
    // One that overtook the others.
    await step('secrets', 41)
    await step('health', 50)
    await finishDeployment(database, deployment, {}, { status: 'done' }, NOW + 55_000)
    expect(await step('health', 90)).toBe(false)
    const of = await secondsOf()
    expect([of('queued'), of('connect'), of('service'), of('secrets'), of('health')]).toEqual([
      ...[
        [1, 2],
        [1, 40],
        [1, 0],
        [1, 9],
        [1, 5],
      ],
    ])
    expect(deploymentTimes(await sumMetrics(database))).toContainEqual({
      ...{ kind, done: 1, halfWithin: '60', slowest: { step: 'connect', seconds: 40 } },
    })
    expect(renderPrometheus(await sumMetrics(database), [])).toContain(
      'baal_deployment_step_seconds_total{kind="update",step="connect"} 40',
    )
  })
})

test('machines cost what the network said when they were ordered', async () => {
  const row = { kind: 'aleph', state: 'in_use', createdAt: NOW, updatedAt: NOW } as const
  await database.insert(machines).values([
    { ...row, id: 'm1', name: 'm1', itemHash: 'm1', creditsPerDay: 1_000_000 },
    { ...row, id: 'm2', name: 'm2', itemHash: 'm2' },
    { ...row, id: 'm3', name: 'm3', itemHash: 'm3', state: 'gone', creditsPerDay: 5_000_000 },
  ])
  const gauges = await readGauges(database, NOW)
  expect(gauges.find(({ name }) => name === 'baal_machines_dollars_per_day')?.values[0]?.value).toBeCloseTo(1.342)
})

test('a day is summed up for a person', () => {
  const one = (name: string, labels: string, value: number) => ({ name, labels, value })
  const sums = [
    one('baal_turns_total', 'result="done"', 18),
    one('baal_turns_total', 'result="failed"', 2),
    one('baal_turn_seconds_bucket', 'le="2.5"', 12),
    one('baal_turn_seconds_bucket', 'le="30"', 7),
    one('baal_turn_seconds_bucket', 'le="+Inf"', 1),
    one('baal_telegram_calls_total', 'method="sendText",result="retry_after"', 3),
    one('baal_delivery_total', 'outcome="arrival_unknown"', 1),
    one('baal_model_tokens_total', 'kind="prompt",model="m"', 100),
    one('baal_model_tokens_total', 'kind="cached",model="m"', 60),
    one('baal_model_tokens_total', 'kind="completion",model="m"', 11),
  ]
  expect(summarize(sums)).toEqual({
    turns: 20,
    failed: 2,
    halfWithin: '2.5',
    mostWithin: '30',
    floods: 3,
    unknown: 1,
    tokens: 111,
  })
  expect(summarize([])).toMatchObject({ turns: 0, halfWithin: '–' })
})
