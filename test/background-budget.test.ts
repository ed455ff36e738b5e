/**
 * A real agent server behind the Worker's real gateway: its heartbeat and its schedules draw on the same daily budget as the
 * person's own turns, and when it is used up the owner hears so once, not with every beat.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ServerType, serve } from '@hono/node-server'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Background, startBackground } from '../agent-vm/background/background.ts'
import { openSchedules } from '../agent-vm/background/schedules.ts'
import type { PendingResponse } from '../agent-vm/protocol.ts'
import { type AgentUnderTest, startTestAgent } from '../agent-vm/testing/agent-under-test.ts'
import { type Model, startModel } from '../local/model/start-model.ts'
import { AGENT_KEY, startWorkerInNode, type WorkerInNode } from './worker-in-node.ts'

const HEARTBEAT_S = 1800
const OWNER = { id: '1', name: 'Ann', role: 'owner' as const }
const CHAT = 'owner-chat'

let worker: WorkerInNode
let model: Model
let gateway: ServerType
let agent: AgentUnderTest
let background: Background
const budget = { AGENT_DAILY_REQUESTS: '3' }
let asked = 0
let now = Date.UTC(2026, 10, 24, 8)

beforeAll(async () => {
  worker = await startWorkerInNode()
  model = await startModel({ port: 0, tokenDelayMs: 0, firstTokenDelayMs: 0 })
  const { promise, resolve } = Promise.withResolvers<number>()
  const answer = (request: Request) => {
    asked += 1
    return worker.request(request, undefined, { ...budget, LIBERTAI_BASE_URL: `${model.url}/v1` })
  }
  gateway = serve({ fetch: answer, port: 0, hostname: '127.0.0.1' }, ({ port }) => resolve(port))
  const url = `http://127.0.0.1:${await promise}/v1`
  agent = await startTestAgent({
    env: { LIBERTAI_BASE_URL: url, LIBERTAI_API_KEY: AGENT_KEY, MODEL: 'glm-4.7', OWNER_CHAT_ID: CHAT },
  })
  background = startBackground({
    workspacePath: agent.workspace,
    dataDir: join(agent.workspace, '..'),
    config: { OWNER_CHAT_ID: CHAT },
    heartbeatInterval: () => HEARTBEAT_S,
    runTurn: async (request) => (await agent.runBackground(request)) as { text: string },
    log: () => undefined,
    clock: () => now,
  })
})
afterAll(async () => {
  background?.stop()
  await agent?.close()
  gateway?.close()
  await model?.close()
  await worker?.close()
})

/** The file changes, so that the heart does not slow down. */
async function beat(task: string): Promise<void> {
  writeFileSync(join(agent.workspace, 'HEARTBEAT.md'), `- ${task}\n`)
  now += (HEARTBEAT_S + 1) * 1000
  await background.tick()
}

async function scheduled(prompt: string): Promise<void> {
  const schedules = openSchedules(join(agent.workspace, '..'), () => now)
  schedules.add({ chatId: CHAT, user: OWNER, prompt, timing: { kind: 'once' }, timezone: 'UTC', dueAtMs: now })
  schedules.close()
  await background.tick()
}

async function results(): Promise<PendingResponse['messages']> {
  return ((await (await agent.request('/pending')).json()) as PendingResponse).messages
}

async function pending(): Promise<string[]> {
  return (await results()).map(({ content }) => content)
}

const usedUp = expect.stringMatching(/budget for the model is used up/)

test('heartbeat, schedule and person draw on one budget', async () => {
  await beat('look at the news')
  await scheduled('Remind the person: stretch')
  expect(await pending()).toEqual([expect.stringContaining('stretch')])
  expect(
    (await agent.chat({ message: 'hello', chat_id: CHAT, user: OWNER })).some(({ event }) => event.type === 'error'),
  ).toBe(false)
  expect(asked).toBe(3)
})

test('when it is used up, nothing more reaches the model, and the owner is told once', async () => {
  await beat('look at the mail')
  await scheduled('Remind the person: drink')
  await beat('look at the weather')
  await agent.restart()
  await beat('look at the garden')
  expect((await pending()).slice(1)).toEqual([usedUp])
  // By the code it is told in the owner's language.
  expect((await results()).map(({ code }) => code)).toEqual([undefined, 'out_of_credit'])
  const [request] = (await worker.database.all('SELECT sum(requests) AS count FROM usage')) as { count: number }[]
  expect(request?.count).toBe(3)
})

test('a person who asks is answered each time, and all goes on when there is budget again', async () => {
  for (const _ of [1, 2]) {
    const events = await agent.chat({ message: 'hello', chat_id: CHAT, user: OWNER })
    expect(events.map(({ event }) => event)).toContainEqual(expect.objectContaining({ code: 'out_of_credit' }))
  }
  budget.AGENT_DAILY_REQUESTS = '100'
  await scheduled('Remind the person: sleep')
  expect((await pending()).at(-1)).toContain('sleep')
})
