/** Hostile calls by someone who has the secret: paths that lead out, bodies of every shape. Never a 5xx, never a way out. */
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { deepJson, Fuzzer } from '../test/fuzz/fuzzer.ts'
import { type AgentUnderTest, reasonOf, SECRET, startTestAgent } from './testing/agent-under-test.ts'

let agent: AgentUnderTest
let outside: string

beforeAll(async () => {
  agent = await startTestAgent()
  outside = dirname(agent.workspace)
  writeFileSync(join(outside, 'secret.txt'), 'planted outside')
  mkdirSync(join(agent.workspace, 'inner'))
  writeFileSync(join(agent.workspace, 'inner', '.env'), 'planted inside')
  symlinkSync(outside, join(agent.workspace, 'up'))
  symlinkSync(join(outside, 'secret.txt'), join(agent.workspace, 'link.txt'))
  symlinkSync('loop', join(agent.workspace, 'loop'))
})
afterAll(() => agent.close())

/** As it is written: `fetch` would tidy the path first. */
function call(method: string, path: string, body: Uint8Array | string = ''): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(agent.url)
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { hostname, port, method, path, headers: { authorization: `Bearer ${SECRET}` } },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

test('no path leads out of the workspace, for reading or writing, and none is a crash', async () => {
  const fuzzer = new Fuzzer(51)
  const parts = [
    '..', '.', '', 'up', 'link.txt', 'loop', 'inner', '.env', '.ENV', 'secret.txt', 'a', '%2e%2e', '%2E.', '%2f', '%5c', '%00', '%',
    '%ff', '%zz', '\\', '~', 'etc', 'passwd', '.ssh', 'id_rsa', 'x.pem', 'n'.repeat(300), '%F0%9F%A7%A9', 'con', ';', '?', '&',
  ] // biome-ignore format: one glance
  const before = readdirSync(outside).sort()
  for (let round = 0; round < 600; round++) {
    const path = Array.from({ length: 1 + fuzzer.int(6) }, () => fuzzer.pick(parts)).join(
      fuzzer.pick(['/', '/', '//', '%2f']),
    )
    const method = fuzzer.pick(['GET', 'PUT'])
    const target = fuzzer.random() < 0.8 ? `/files/${path}` : `/files?dir=${path}`
    const { status, text } = await call(method, target, method === 'PUT' ? 'written' : '')
    expect([200, 201, 400, 403, 404, 409, 413], `${method} ${target}: ${status} ${text}`).toContain(status)
    expect(text, `${method} ${target}`).not.toContain('planted')
  }
  expect(readdirSync(outside).sort()).toEqual(before)
  expect(readFileSync(join(outside, 'secret.txt'), 'utf8')).toBe('planted outside')
  expect(readFileSync(join(agent.workspace, 'inner', '.env'), 'utf8')).toBe('planted inside')
})

test('a body of any shape is taken or refused with a word, and the agent still answers', async () => {
  const fuzzer = new Fuzzer(52)
  const bodies: Readonly<Record<string, object>> = {
    'POST /chat': {
      message: 'hi',
      chat_id: 'c1',
      turn_id: 't',
      user: { id: '1', name: 'A', role: 'owner' },
      attachments: [],
    },
    'POST /chat/c1/steer': { message: 'x', id: 'y' },
    'POST /chat/c1/stop': { turn_id: 't' },
    'POST /pending/ack': { up_to: 3 },
    'PUT /config': { name: 'A', system_prompt: 'x', model: 'm', heartbeat_interval: 60 },
  }
  for (let round = 0; round < 300; round++) {
    const route = fuzzer.pick(Object.keys(bodies))
    const [method = '', path = ''] = route.split(' ')
    const json = new TextEncoder().encode(JSON.stringify(fuzzer.mangleJson(bodies[route])) ?? '')
    const { status, text } = await call(method, path, fuzzer.random() < 0.5 ? json : fuzzer.mangleBytes(json))
    expect([200, 400, 409, 413], `${route}: ${status} ${text}`).toContain(status)
    if (status !== 200) expect(JSON.parse(text)).toMatchObject({ error: expect.stringMatching(/^[a-z_]+$/) })
  }
  expect((await call('POST', '/chat', deepJson(1_000_000))).status).toBe(400)
  expect((await call('PUT', '/config', `{"name":${deepJson(500_000)}}`)).status).toBe(400)
  expect(reasonOf(await agent.chat({ message: 'still there?', chat_id: 'c9' }))).toBe('stop')
  expect(JSON.stringify(agent.logged)).not.toContain('still there')
})

test('ids and cursors that are none are refused or mean the beginning', async () => {
  for (const id of ['%2e%2e', 'a%2fb', 'x'.repeat(97), '%00', '%ff', "'; DROP TABLE messages; --", '%'])
    for (const [method, path] of [
      ['DELETE', ''],
      ['POST', '/stop'],
      ['POST', '/compact'],
      ['POST', '/steer'],
    ] as const) {
      const { status } = await call(method, encodeURI(`/chat/${id}`).replaceAll('%25', '%') + path, '{"message":"x"}')
      expect([400, 404], `${method} ${id}${path}`).toContain(status)
    }
  for (const after of ['-1', '1e9', 'NaN', '99999999999999999999', '0x10', '', "1'"])
    expect((await call('GET', `/pending?after=${encodeURIComponent(after)}`)).status).toBe(200)
})
