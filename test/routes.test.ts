/** `docs/routes.md` against the programs: each route is in the table, and asks for what the table says. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { guardedRoutes, openRoutes, type RoutePorts } from '../agent-vm/routes/routes.ts'
import { SECRET as AGENT_SECRET, type AgentUnderTest, startTestAgent } from '../agent-vm/testing/agent-under-test.ts'
import { RunnerUnderTest } from '../deploy-runner/testing/runner-under-test.ts'
import { app } from '../functions/app.ts'
import { ROOT } from '../local/settings.ts'
import { AGENT_KEY, SECRET, startWorkerInNode, type WorkerInNode } from './worker-in-node.ts'

interface Row {
  readonly program: string
  readonly method: string
  readonly path: string
  readonly authentication: string
  readonly bodyLimit: string
}

const ROWS: readonly Row[] = readFileSync(join(ROOT, 'docs/routes.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| (worker|agent|runner) /.test(line))
  .map((line) => {
    const [, program = '', method = '', path = '', authentication = '', bodyLimit = ''] = line
      .split('|')
      .map((cell) => cell.trim())
    return { program, method, path, authentication, bodyLimit }
  })

const UNITS: Readonly<Record<string, number>> = { KB: 1024, MB: 1024 ** 2 }

let worker: WorkerInNode
let runner: RunnerUnderTest
let agent: AgentUnderTest

beforeAll(async () => {
  worker = await startWorkerInNode()
  runner = await RunnerUnderTest.start()
  agent = await startTestAgent()
})
afterAll(async () => {
  await agent.close()
  await runner.stop()
  await worker.close()
})

async function call(
  { program, method, path }: Row,
  headers: Record<string, string> = {},
  body?: string,
): Promise<Response> {
  const asked = path
    .replace(':bot', '7')
    .replace(/:\w+\{\[0-9\][^/]*/g, '1')
    .replace(/:\w+/g, 'rosa')
    .replace('*', 'a.txt')
  const init = { method, headers, ...(body === undefined ? {} : { body }) }
  const programs: Record<string, { request(path: string, init: RequestInit): Response | Promise<Response> }> = {
    worker,
    agent: { request: (at, how) => fetch(`${agent.url}${at}`, how) },
    runner: runner.app,
  }
  return programs[program]?.request(asked, init) ?? expect.fail(`no program ${program}`)
}

const WRONG: Readonly<Record<string, readonly Record<string, string>[]>> = {
  'webhook secret': [{ 'x-telegram-bot-api-secret-token': `${SECRET}x` }, { authorization: `Bearer ${SECRET}` }],
  'scoped key': [{ authorization: `Bearer ${AGENT_KEY}x` }, { authorization: AGENT_KEY }, { 'x-api-key': AGENT_KEY }],
  'agent secret': [
    { authorization: `Bearer ${AGENT_SECRET}x` },
    { authorization: AGENT_SECRET },
    { authorization: 'Bearer ' },
  ],
  'signed call': [{ authorization: 'Bearer a.b.c' }, { authorization: `Bearer ${SECRET}` }],
  'admin token': [{ authorization: `Bearer ${SECRET}x` }, { authorization: SECRET }],
}
const RIGHT: Readonly<Record<string, Record<string, string>>> = {
  'webhook secret': { 'x-telegram-bot-api-secret-token': SECRET },
  'scoped key': { authorization: `Bearer ${AGENT_KEY}` },
  'agent secret': { authorization: `Bearer ${AGENT_SECRET}` },
}

test('the table and the programs have the same routes', () => {
  const listed = (program: string) =>
    ROWS.filter((row) => row.program === program).map(({ method, path }) => `${method} ${path}`)
  const served = (routes: readonly { method: string; path: string }[]) =>
    // What is for all methods is a guard in front of routes.
    routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`)
  // Listing them touches nothing of what they work with.
  const ports = {} as RoutePorts
  const agentRoutes = [...openRoutes(ports), ...guardedRoutes(ports)]
  for (const [program, routes] of Object.entries({
    worker: app.routes,
    agent: agentRoutes,
    runner: runner.app.routes,
  })) {
    expect([...new Set(served(routes))].sort(), program).toEqual(listed(program).sort())
  }
})

describe.each(ROWS)('$program $method $path', (row) => {
  test('is open or shut as the table says, and says nothing of what it is made of', async () => {
    const attempts = [{}, ...(WRONG[row.authentication] ?? [])]
    if (row.authentication !== 'none') expect(attempts.length).toBeGreaterThan(1)
    for (const headers of attempts) {
      const response = await call(row, headers, row.method === 'GET' ? undefined : '{}')
      expect([response.status, JSON.stringify(headers)]).toEqual([
        row.authentication === 'none' ? 200 : 401,
        JSON.stringify(headers),
      ])
      expect(response.headers.get('x-content-type-options')).toBe('nosniff')
      expect(response.headers.get('cache-control')).toContain('no-store')
      expect(response.headers.get('server') ?? response.headers.get('x-powered-by')).toBe(null)
    }
  })

  const limit = /^(\d+) (KB|MB)$/.exec(row.bodyLimit)
  test.runIf(limit)('takes no larger body', async () => {
    const bytes = Number(limit?.[1]) * (UNITS[limit?.[2] ?? ''] ?? 0)
    const body = ' '.repeat(bytes + 1)
    const response =
      row.authentication === 'signed call'
        ? await runner.post(row.path, body)
        : await call(row, RIGHT[row.authentication], body)
    expect(response.status).toBe(row.authentication === 'signed call' ? 401 : 413)
  })
})

test('an agent server on the network names no framework, and tells a stranger nothing about its routes', async () => {
  for (const path of ['/health', '/config', '/nothing-there']) {
    const { status, headers } = await fetch(`${agent.url}${path}`)
    expect(status).toBe(path === '/health' ? 200 : 401)
    expect([headers.get('server'), headers.get('x-powered-by')]).toEqual([null, null])
    expect(headers.get('x-content-type-options')).toBe('nosniff')
  }
})
