import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { PendingMessage } from '../agent-vm/protocol.ts'
import { migrateDatabase } from '../local/migrate.ts'
import { type Sqld, startSqld } from '../local/sqld.ts'
import { agentPending, collectPending, SWEEP_EVERY_MS, sweepPending } from './agent-pending.ts'
import { parseConfig } from './config.ts'
import { type Database, openDatabase } from './database/database.ts'
import { agentMembers, agents } from './database/schema.ts'
import { hashInferenceKey } from './inference/agent-key.ts'
import { createSeal } from './seal.ts'

const ENCRYPTION_KEY = Buffer.alloc(32, 7).toString('base64url')
const KEY = `bk-${'k'.repeat(40)}`
const GROUP = '-100'

let dataDir: string
let sqld: Sqld
let database: Database
let machine: Server
let waiting: PendingMessage[] = []
let acknowledged: unknown[] = []
let delivered: { chat: string; ids: number[] }[] = []
let broken = ''
/** What the machine answers instead. */
let flood: Iterable<string> | undefined

const bindings = (rates: object = {}) => ({
  PUBLIC_URL: 'http://127.0.0.1:1',
  TELEGRAM_BOT_TOKEN: `7:${'a'.repeat(35)}`,
  TELEGRAM_WEBHOOK_SECRET: 'a-secret-of-enough-length',
  LIBERTAI_API_KEY: 'key',
  ALEPH_SSH_PUBKEY: 'ssh-ed25519 AAAA',
  LIBSQL_URL: sqld.url,
  BOT_ENCRYPTION_KEY: ENCRYPTION_KEY,
  WORKER_SIGNING_KEY: '{}',
  CHAT: {
    getByName: (name: string) => ({
      // The chat of the blocked person, too: it has talked to the agent before.
      hosts: async () => [`7:${GROUP}`, '7:3'].includes(name),
      deliverPending: async (_: string, messages: readonly PendingMessage[]) => {
        if (name === broken) return 0
        delivered.push({ chat: name, ids: messages.map(({ id }) => id) })
        return Math.max(...messages.map(({ id }) => id))
      },
    }),
  },
  ...rates,
})

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'baal-pending-'))
  sqld = await startSqld({ dataDir })
  await migrateDatabase(sqld.url)
  database = openDatabase({ url: sqld.url })
  machine = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    if (request.method === 'POST') acknowledged.push(JSON.parse(body))
    response.setHeader('content-type', 'application/json')
    if (flood === undefined) response.end(JSON.stringify({ messages: waiting }))
    else await pipeline(Readable.from(flood), response).catch(() => undefined)
  }).listen(0, '127.0.0.1')
  await once(machine, 'listening')
  const address = machine.address()
  const secretSealed = await createSeal(ENCRYPTION_KEY).seal('s', { what: 'agent-secret', id: 'rosa' })
  await database.insert(agents).values({
    id: 'rosa',
    ownerId: 1,
    name: 'Rosa',
    prompt: '',
    model: 'glm-4.7',
    status: 'running',
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    secretSealed,
    inferenceKeySealed: '',
    inferenceKeyHash: hashInferenceKey(KEY),
    createdAt: 0,
    updatedAt: 0,
  })
  await database.insert(agentMembers).values([
    { agentId: 'rosa', userId: 2, role: 'visitor', joinedAt: 0 },
    { agentId: 'rosa', userId: 3, role: 'blocked', joinedAt: 0 },
  ])
})
afterAll(async () => {
  machine.close()
  await sqld.close()
  await rm(dataDir, { recursive: true, force: true })
})
beforeEach(() => {
  acknowledged = []
  delivered = []
  broken = ''
  flood = undefined
  vi.spyOn(console, 'warn').mockImplementation(() => undefined)
})

const ping = (id = 'rosa', key = KEY, rates: object = {}) =>
  agentPending.request(
    `/agents/${id}/pending`,
    { method: 'POST', headers: { authorization: `Bearer ${key}` } },
    bindings(rates),
  )

const result = (id: number, chat_id: string): PendingMessage => ({
  id,
  chat_id,
  content: 'done',
  source: 'schedule',
  created_at: '',
})

describe('results of background work', () => {
  test('go to the chats they are for and are acknowledged', async () => {
    waiting = [result(1, '1'), result(2, '2'), result(3, '1'), result(4, '1:9'), result(5, GROUP)]
    expect((await ping()).status).toBe(200)
    expect(delivered).toEqual([
      { chat: '7:1', ids: [1, 3] },
      { chat: '7:2', ids: [2] },
      { chat: '7:1:9', ids: [4] },
      { chat: `7:${GROUP}`, ids: [5] },
    ])
    expect(acknowledged).toEqual([{ up_to: 5 }])
  })

  test('are acknowledged only up to the first that is not durable', async () => {
    waiting = [result(1, '1'), result(2, '2'), result(3, '1')]
    broken = '7:2'
    await ping()
    expect(acknowledged).toEqual([{ up_to: 1 }])
  })

  test('reach nobody the agent has nothing to do with, and do not hold up the rest', async () => {
    waiting = [result(1, '4'), result(2, '3'), result(3, '-200'), result(4, 'x:../1'), result(5, ''), result(6, '1')]
    await ping()
    expect(delivered).toEqual([{ chat: '7:1', ids: [6] }])
    expect(acknowledged).toEqual([{ up_to: 6 }])
  })

  test.each([
    ['another agent’s id', 'other', KEY],
    ['a wrong key', 'rosa', `bk-${'x'.repeat(40)}`],
    ['no key', 'rosa', ''],
  ])('are not fetched for %s', async (_, id, key) => {
    waiting = [result(1, '1')]
    const response = await ping(id, key)
    expect([response.status, await response.json()]).toEqual([401, { error: 'unauthorized' }])
    expect(delivered).toEqual([])
  })

  test.each([
    ['an agent that calls without a pause', 'INFERENCE_RATE', KEY],
    ['an address that tries keys', 'STRANGER_RATE', `bk-${'y'.repeat(40)}`],
  ])('are not fetched for %s', async (_, rate, key) => {
    waiting = [result(1, '1')]
    const response = await ping('rosa', key, { [rate]: { limit: async () => ({ success: false }) } })
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '60'])
    expect(delivered).toEqual([])
  })

  test('are taken over a hundred at a time, however many chats a machine names', async () => {
    waiting = Array.from({ length: 1_000 }, (_, id) => result(1_000 - id, id % 2 ? '1' : `-${1_000 + id}`))
    expect(await (await ping()).json()).toEqual({ ok: true, delivered: 100 })
    expect(acknowledged).toEqual([{ up_to: 100 }])
  })

  test.each<[string, () => Iterable<string>]>([
    ['without end', () => endless('{"messages":[],"x":"', 'x'.repeat(1_000_000))],
    ['that is no JSON', () => ['<html>planted words</html>']],
    ['of another shape', () => ['{"messages":[{"id":"planted words"}]}']],
  ])('an answer %s is a failure that repeats nothing of it', async (_, body) => {
    flood = body()
    const response = await ping()
    expect([response.status, await response.text()]).toEqual([500, expect.not.stringContaining('planted')])
    await expect(collectPending('rosa', { config: parseConfig(bindings()), database, env: bindings() as never }))
      .rejects //
      .toMatchObject({ code: 'agent_unreachable', message: expect.not.stringContaining('planted') })
    expect(acknowledged).toEqual([])
  })
})

describe('the sweep', () => {
  test('asks every agent in turn, however many there are, and is not held up by those that are silent', async () => {
    const many = Array.from({ length: 210 }, (_, n) => `many${String(n).padStart(3, '0')}`)
    const asked = new Set<string>()
    const server = createServer((request, response) => {
      asked.add(request.url ?? '')
      // Every fifth machine takes its time.
      const answer = () => response.end(JSON.stringify({ messages: [] }))
      if (asked.size % 5 === 0) setTimeout(answer, 20)
      else answer()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    for (let from = 0; from < many.length; from += 50) {
      await database.insert(agents).values(
        await Promise.all(
          many.slice(from, from + 50).map(async (id) => ({
            id,
            ownerId: 1,
            name: id,
            prompt: '',
            model: 'glm-4.7',
            status: 'running' as const,
            url: `http://127.0.0.1:${port}/${id}`,
            secretSealed: await createSeal(ENCRYPTION_KEY).seal('s', { what: 'agent-secret', id }),
            inferenceKeySealed: '',
            inferenceKeyHash: hashInferenceKey(id),
            createdAt: 0,
            updatedAt: 0,
          })),
        ),
      )
    }
    const ports = { config: parseConfig(bindings()), database, env: bindings() as never }
    for (let run = 0; run < 2; run++) await sweepPending(ports, run * SWEEP_EVERY_MS)
    expect(asked).toEqual(new Set(many.map((id) => `/${id}/pending`)))
    server.close()
  })
})

function* endless(head: string, rest: string): Generator<string> {
  yield head
  for (;;) yield rest
}
