import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { openSchedules } from './background/schedules.ts'
import type { PendingResponse } from './protocol.ts'
import { AgentHealth } from './protocol.ts'
import { type AgentUnderTest, reasonOf, SECRET, startTestAgent, textsOf } from './testing/agent-under-test.ts'
import { MAX_VISITOR_BYTES } from './tools/confined/visitor-quota.ts'

let agent: AgentUnderTest

beforeEach(async () => {
  agent = await startTestAgent()
})
afterEach(() => agent.close())

const get = (path: string) => agent.request(path)
const put = (path: string, body: BodyInit) => agent.request(path, { method: 'PUT', body })

describe('who may call', () => {
  test.each([
    ['GET', '/pending'],
    ['POST', '/chat'],
    ['GET', '/files'],
    ['PUT', '/config'],
    ['GET', '/export'],
    ['POST', '/chat/c1/steer'],
    ['POST', '/chat/c1/stop'],
    ['POST', '/chat/c1/compact'],
    ['DELETE', '/chat/c1'],
    ['POST', '/pending/ack'],
    ['GET', '/files/memory/MEMORY.md'],
    ['PUT', '/files/memory/MEMORY.md'],
    ['POST', '/import'],
    ['GET', '/schedules?chat_id=c1'],
    ['DELETE', '/schedules/1?chat_id=c1'],
    ['GET', '/nothing'],
  ])('%s %s without the secret is 401', async (method, path) => {
    for (const authorization of [undefined, 'Bearer wrong', SECRET, `Bearer ${SECRET}x`]) {
      const response = await fetch(`${agent.url}${path}`, { method, headers: authorization ? { authorization } : {} })
      expect(response.status).toBe(401)
      expect(await response.json()).toEqual({ error: 'unauthorized' })
    }
  })

  test('anyone may ask for health, which holds no secret', async () => {
    const text = await (await fetch(`${agent.url}/health`)).text()
    expect(AgentHealth.parse(JSON.parse(text))).toMatchObject({
      status: 'ok',
      agent_name: 'Testa',
      version: 'test',
      turns_running: 0,
    })
    expect(text).not.toContain(SECRET)
  })
})

describe('bad input', () => {
  test('invalid JSON is 400', async () => {
    const response = await agent.request('/chat', { method: 'POST', body: '{"message":' })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: 'invalid_json' })
  })

  test.each<[string, unknown]>([
    ['a wrong type', { message: 5, chat_id: 'c' }],
    ['no chat', { message: 'x' }],
    ['a chat id with a path', { message: 'x', chat_id: '../x' }],
    ['an unknown role', { message: 'x', chat_id: 'c', user: { id: '1', name: 'x', role: 'root' } }],
    ['no object', []],
  ])('%s is 400 and names the field', async (_name, body) => {
    const response = await agent.post('/chat', body)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: 'invalid_request', message: expect.any(String) })
  })

  test('a message of 10 MB is 413 and the server stays up', async () => {
    for (const chars of [10_000_000, 1_000_001]) {
      const response = await agent.post('/chat', { message: 'x'.repeat(chars), chat_id: 'c' })
      expect(response.status).toBe(413)
      expect(await response.json()).toMatchObject({ error: 'too_large' })
    }
    expect(textsOf(await agent.chat('hi'))).toEqual(['hello'])
  })

  test('an empty message, half a character and NUL reach the model as legal text', async () => {
    for (const message of ['', '\ud800 x', 'a\u0000b']) {
      expect(reasonOf(await agent.chat({ message, chat_id: 'c1' }))).toBe('stop')
    }
    expect(agent.model.illegal).toEqual([])
  })

  test('an unknown route is 404', async () => {
    expect((await get('/nothing')).status).toBe(404)
  })
})

describe('files', () => {
  test('are stored whole, listed and read back', async () => {
    const body = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251))
    expect((await put('/files/uploads/a%20b/c.bin', body)).status).toBe(201)
    const response = await get('/files/uploads/a%20b/c.bin')
    expect(response.headers.get('content-length')).toBe('300000')
    expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true)
    expect(await (await get('/files?dir=uploads/a b')).json()).toMatchObject({
      entries: [{ name: 'c.bin', kind: 'file', bytes: 300_000 }],
    })
    expect(await (await get('/files')).json()).toMatchObject({ entries: [{ name: 'uploads', kind: 'dir' }] })
  })

  test('may be empty, and are replaced in one move', async () => {
    await put('/files/x.txt', 'old')
    await put('/files/x.txt', '')
    expect(await (await get('/files/x.txt')).text()).toBe('')
    expect(await (await get('/files')).json()).toMatchObject({ entries: [{ name: 'x.txt', bytes: 0 }] })
  })

  test.each(['/files/..%2f..%2fetc%2fpasswd', '/files/%2fetc%2fpasswd', '/files/a%2f..%2f..%2fb', '/files/x%00y'])(
    '%s is 403',
    async (path) => {
      expect((await get(path)).status).toBe(403)
      expect((await put(path, 'x')).status).toBe(403)
    },
  )

  test.each(['.env', '.env.local', '.ssh/id_ed25519', 'keys/server.pem', '.git-credentials', 'x/.ENV'])(
    '%s is sensitive: 403, and not listed',
    async (path) => {
      mkdirSync(join(agent.workspace, path, '..'), { recursive: true })
      writeFileSync(join(agent.workspace, path), 'secret')
      expect((await get(`/files/${path}`)).status).toBe(403)
      expect((await put(`/files/${path}`, 'x')).status).toBe(403)
    },
  )

  test('a missing file is 404, a folder 400', async () => {
    expect((await get('/files/none.txt')).status).toBe(404)
    mkdirSync(join(agent.workspace, 'dir'))
    expect((await get('/files/dir')).status).toBe(400)
    expect((await put('/files/dir', 'x')).status).toBe(400)
  })

  test('links do not lead out, neither to read nor to write; a pipe does not hang', async () => {
    symlinkSync('/etc/hostname', join(agent.workspace, 'link'))
    symlinkSync('/tmp', join(agent.workspace, 'out'))
    symlinkSync(agent.databasePath, join(agent.workspace, 'db'))
    writeFileSync(join(agent.workspace, '.env'), 'secret')
    symlinkSync('.env', join(agent.workspace, 'innocent'))
    execFileSync('mkfifo', [join(agent.workspace, 'pipe')])
    for (const path of ['link', 'db', 'innocent']) expect((await get(`/files/${path}`)).status).toBe(403)
    // Whether there is such a file outside is nobody's business here: refused or missing, never read.
    expect([403, 404]).toContain((await get('/files/out/x')).status)
    expect((await get('/files/pipe')).status).toBe(400)
    expect((await put('/files/out/x', 'x')).status).toBe(403)
    // Writing over a link replaces the link and leaves what it pointed to.
    const outside = join(mkdtempSync(join(tmpdir(), 'outside-')), 'kept')
    writeFileSync(outside, 'kept')
    symlinkSync(outside, join(agent.workspace, 'over'))
    expect((await put('/files/over', 'new')).status).toBe(201)
    expect(readFileSync(outside, 'utf8')).toBe('kept')
    expect(readFileSync(join(agent.workspace, 'over'), 'utf8')).toBe('new')
  })

  test('a huge sparse file is streamed, not loaded', async () => {
    writeFileSync(join(agent.workspace, 'huge'), '')
    truncateSync(join(agent.workspace, 'huge'), 3 * 1024 ** 3)
    const response = await get('/files/huge')
    expect(response.headers.get('content-length')).toBe(String(3 * 1024 ** 3))
    await response.body?.cancel()
    expect((await get('/health')).status).toBe(200)
  })

  test('a visitor’s uploads stop at the size of their folder', async () => {
    mkdirSync(join(agent.workspace, 'visitors/9/uploads'), { recursive: true })
    writeFileSync(join(agent.workspace, 'visitors/9/old'), '')
    truncateSync(join(agent.workspace, 'visitors/9/old'), MAX_VISITOR_BYTES - 2)
    expect((await put('/files/visitors/9/uploads/a', 'ab')).ok).toBe(true)
    const refused = await put('/files/visitors/9/uploads/b', 'c')
    expect([refused.status, await refused.json()]).toEqual([413, expect.objectContaining({ error: 'folder_full' })])
    expect(readdirSync(join(agent.workspace, 'visitors/9/uploads'))).toEqual(['a'])
    expect((await put('/files/uploads/b', 'c')).ok).toBe(true)
  })

  test('an upload that breaks off leaves nothing behind', async () => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('half'))
        setTimeout(() => controller.error(new Error('gone')), 50)
      },
    })
    await expect(
      agent.request('/files/broken.txt', { method: 'PUT', body, duplex: 'half' } as RequestInit),
    ).rejects.toThrow()
    await expect.poll(async () => (await (await get('/files')).json<{ entries: unknown[] }>()).entries).toEqual([])
  })
})

describe('configuration', () => {
  test('takes effect with the next turn and survives a restart', async () => {
    const response = await put('/config', JSON.stringify({ name: 'Nova', model: 'glm-4.7', heartbeat_interval: 60 }))
    expect(await response.json()).toEqual({ status: 'ok', name: 'Nova', model: 'glm-4.7', heartbeat_interval: 60 })
    await agent.chat('hi')
    expect(agent.model.calls[0]).toMatchObject({ model: 'glm-4.7' })
    await agent.restart()
    expect(await (await get('/health')).json()).toMatchObject({ agent_name: 'Nova', model: 'glm-4.7' })
  })

  test('a newer environment wins over it', async () => {
    await put('/config', JSON.stringify({ name: 'Nova', model: 'glm-4.7' }))
    await agent.restart({ AGENT_NAME: 'Deployed anew' })
    expect(await (await get('/health')).json()).toMatchObject({ agent_name: 'Deployed anew', model: 'glm-4.7' })
  })

  test('what is not valid changes nothing', async () => {
    expect((await put('/config', JSON.stringify({ name: '', model: 'x' }))).status).toBe(400)
    expect(await (await get('/health')).json()).toMatchObject({ agent_name: 'Testa', model: 'qwen3-coder-next' })
  })
})

describe('export and import', () => {
  test('carry configuration, history and files to another agent, and no secret', async () => {
    await put('/files/memory/MEMORY.md', 'likes tea')
    await put('/files/.hidden/note', 'x')
    await put('/config', JSON.stringify({ system_prompt: 'Be a "pirate".\nAlways.' }))
    writeFileSync(join(agent.workspace, '.env'), 'TOKEN=1')
    await agent.chat('remember me')
    const archive = Buffer.from(await (await get('/export')).arrayBuffer())
    expect(archive.subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]))
    const other = await startTestAgent()
    try {
      const response = await other.request('/import', { method: 'POST', body: archive })
      expect(await response.json()).toEqual({
        status: 'ok',
        files: 2,
        messages: 2,
        config: { name: 'Testa', system_prompt: 'Be a "pirate".\nAlways.', model: expect.any(String) },
      })
      expect(readFileSync(join(other.workspace, 'memory/MEMORY.md'), 'utf8')).toBe('likes tea')
      await other.chat('hi')
      const sent = JSON.stringify(other.model.calls[0]!.messages)
      expect(sent).toContain('remember me')
      expect(sent).toContain('Always.')
      expect(await (await other.request('/files')).json()).toEqual({
        entries: [expect.objectContaining({ name: '.hidden' }), expect.objectContaining({ name: 'memory' })],
      })
    } finally {
      await other.close()
    }
    expect(archive.includes(SECRET)).toBe(false)
  })

  test.each<[string, () => Promise<Buffer>]>([
    ['a path that leads out', () => archiveOf({ 'workspace/../../evil': 'x' })],
    ['an absolute path', () => archiveOf({ 'workspace//etc/evil': 'x', 'workspace/.ssh/authorized_keys': 'x' })],
    ['a link', () => archiveOf({}, { name: 'workspace/l', type: 'symlink', linkname: '/etc/passwd' })],
    ['no description', async () => archiveOf({ 'workspace/a': 'x' }, undefined, false)],
    ['a broken history', () => archiveOf({ 'history.jsonl': '{"kind":"message"}\n' })],
    ['no archive at all', async () => Buffer.from('hello')],
    ['half an archive', async () => (await archiveOf({ 'workspace/a': 'x'.repeat(50_000) })).subarray(0, 80)],
  ])('%s is refused and changes nothing', async (_name, build) => {
    await agent.chat('keep this')
    const response = await agent.request('/import', { method: 'POST', body: new Uint8Array(await build()) })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: 'invalid_archive' })
    expect(await (await get('/files')).json()).toEqual({ entries: [] })
    await agent.chat('more')
    expect(agent.model.calls[1]!.messages).toHaveLength(4)
  })
})

describe('background work', () => {
  const owner = { id: '1', name: 'Ann', role: 'owner' as const }

  test('waits as pending until it is acknowledged, across a restart', async () => {
    agent.model.script = () => ({ content: 'The news.' })
    await agent.runBackground({ origin: 'schedule', prompt: 'news', chatId: 'c1', user: owner })
    const pending = async (after = 0) => (await (await get(`/pending?after=${after}`)).json<PendingResponse>()).messages
    const [message] = await pending()
    expect(message).toEqual({
      id: 1,
      chat_id: 'c1',
      content: 'The news.',
      source: 'schedule',
      created_at: expect.any(String),
    })
    expect(await pending(1)).toEqual([])
    await agent.restart()
    expect(await pending()).toHaveLength(1)
    await agent.post('/pending/ack', { up_to: 1 })
    expect(await pending()).toEqual([])
  })

  test('HEARTBEAT_OK stays silent; anything more does not', async () => {
    agent.model.script = (_call, index) => ({ content: index === 0 ? ' HEARTBEAT_OK\n' : 'HEARTBEAT_OK but look' })
    await agent.runBackground({ origin: 'heartbeat', prompt: 'x', chatId: 'c1', user: owner })
    await agent.runBackground({ origin: 'heartbeat', prompt: 'x', chatId: 'c1', user: owner })
    const { messages } = await (await get('/pending')).json<PendingResponse>()
    expect(messages.map(({ content }) => content)).toEqual(['HEARTBEAT_OK but look'])
  })

  test('the same turn id runs once', async () => {
    const request = { origin: 'schedule' as const, prompt: 'x', chatId: 'c1', user: owner, turnId: 'schedule-1-900' }
    await agent.runBackground(request)
    await agent.runBackground(request)
    expect(agent.model.calls).toHaveLength(1)
  })

  test('has a history of its own; what it sent is told with the person’s next message', async () => {
    agent.model.script = () => ({ content: 'It rains.' })
    await agent.chat('hi')
    await agent.runBackground({ origin: 'schedule', prompt: 'weather', chatId: 'c1', user: owner })
    expect(agent.model.calls[1]!.messages).toHaveLength(2)
    await agent.chat('thanks')
    await agent.chat('bye')
    expect(String(agent.model.calls[2]!.messages.at(-1)!.content)).toContain(
      'meanwhile you sent, from a schedule: It rains.',
    )
    expect(String(agent.model.calls[3]!.messages.at(-1)!.content)).not.toContain('meanwhile')
  })

  test('a subagent answers into pending of the chat that started it, with its files', async () => {
    agent.model.script = (_call, index) =>
      index === 0 ? { calls: [{ name: 'send_file', arguments: { path: 'r.pdf' } }] } : { content: 'Found it.' }
    const context = {
      chatId: 'c7',
      turnId: 't',
      user: owner,
      origin: 'chat' as const,
      signal: new AbortController().signal,
    }
    const id = await agent.ports.spawnSubagent('look it up', context)
    expect(id).toMatch(/^subagent-/)
    await expect
      .poll(async () => (await (await get('/pending')).json<PendingResponse>()).messages)
      .toMatchObject([
        { chat_id: 'c7', content: 'Found it.', source: 'subagent' },
        { chat_id: 'c7', content: '', source: 'subagent', file: { path: 'r.pdf', caption: 'here it is' } },
      ])
    expect(agent.tools.calls[0]!.context.origin).toBe('subagent')
  })

  test('a subagent has fifteen steps, then says what it has', async () => {
    let step = 0
    agent.model.script = ({ tool_choice }) =>
      tool_choice === 'none'
        ? { content: 'So far I got.' }
        : { calls: [{ name: 'append', arguments: { path: 'x', line: String(step++) } }] }
    const signal = new AbortController().signal
    await agent.ports.spawnSubagent('for ever', { chatId: 'c7', turnId: 't', user: owner, origin: 'chat', signal })
    await expect
      .poll(async () => (await (await get('/pending')).json<PendingResponse>()).messages, { timeout: 20_000 })
      .toMatchObject([{ content: 'So far I got.', source: 'subagent' }])
    expect(agent.tools.calls).toHaveLength(15)
    expect(agent.model.calls).toHaveLength(16)
  })

  test('a failure is told, not swallowed', async () => {
    agent.model.script = () => ({ status: 402 })
    await agent.runBackground({ origin: 'schedule', prompt: 'x', chatId: 'c1', user: owner })
    const { messages } = await (await get('/pending')).json<PendingResponse>()
    expect(messages[0]?.content).toContain('budget')
  })

  test('a task that fails is named, by whoever asked for it', async () => {
    agent.model.script = () => ({ status: 401 })
    const task = 'Water the plants'
    const prompt = `[Schedule 1, due now.]\n${task}`
    await agent.runBackground({ origin: 'schedule', prompt, task, chatId: 'c1', user: owner })
    await agent.runBackground({ origin: 'heartbeat', prompt: 'x', chatId: 'c1', user: owner })
    const { messages } = await (await get('/pending')).json<PendingResponse>()
    expect(messages).toMatchObject([
      { code: 'unauthorized', task, content: expect.stringContaining(task) },
      { code: 'unauthorized' },
    ])
    expect(messages[1]).not.toHaveProperty('task')
  })
})

describe('a workspace that cannot be written', () => {
  test('is reported as such and turns still run', async () => {
    rmSync(agent.workspace, { recursive: true })
    writeFileSync(agent.workspace, 'a file where the folder should be')
    expect([403, 404]).toContain((await put('/files/x.txt', 'x')).status)
    expect((await get('/files')).status).toBeLessThan(500)
    expect(reasonOf(await agent.chat('hi'))).toBe('stop')
    rmSync(agent.workspace)
  })
})

async function archiveOf(
  files: Record<string, string>,
  odd?: { name: string; type: 'symlink'; linkname: string },
  described = true,
): Promise<Buffer> {
  const archive = pack()
  const config = { name: 'Evil', system_prompt: 'x', model: 'x', heartbeat_interval: 0 }
  if (described)
    archive.entry({ name: 'agent.json' }, JSON.stringify({ format: 1, version: 'x', exported_at: 'x', config }))
  archive.entry({ name: 'workspace/harmless.txt' }, 'x')
  for (const [name, content] of Object.entries(files)) archive.entry({ name }, content)
  if (odd) archive.entry(odd)
  archive.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of archive) chunks.push(Buffer.from(chunk))
  return gzipSync(Buffer.concat(chunks))
}

describe('what is planned', () => {
  test('is listed per chat in the person’s time, and cancelled once', async () => {
    const schedules = openSchedules(join(agent.databasePath, '..'))
    onTestFinished(() => schedules.close())
    const user = { id: '1', name: 'Ana', role: 'owner' as const }
    const timing = { kind: 'once' as const }
    const dueAtMs = Date.UTC(2030, 0, 1, 8)
    const plan = { chatId: 'c1', user, timing, timezone: 'Europe/Paris', dueAtMs }
    const added = schedules.add({ ...plan, prompt: 'water the plants' })
    schedules.add({ ...plan, chatId: 'c2', prompt: 'not theirs' })
    const url = `/schedules/${added?.id}`
    expect(await (await get('/schedules?chat_id=c1')).json()).toEqual({
      schedules: [{ id: added?.id, prompt: 'water the plants', when: 'Tue 1 Jan 2030, 09:00 (Europe/Paris)' }],
    })
    const cancel = (chat: string) => agent.request(`${url}?chat_id=${chat}`, { method: 'DELETE' })
    expect((await cancel('c2')).status).toBe(404)
    expect((await cancel('c1')).status).toBe(200)
    expect((await cancel('c1')).status).toBe(404)
    expect((await get('/schedules')).status).toBe(400)
  })
})

describe('a person’s time zone', () => {
  test('is the time that stands on their messages; one that does not exist is none', async () => {
    const ask = (timezone: string) =>
      agent.chat({ message: 'hi', chat_id: timezone.slice(-3), user: { id: '1', name: '', role: 'owner', timezone } })
    await ask('Asia/Tokyo')
    await ask('Mars/Base')
    const said = agent.model.calls.map(({ messages }) => String(messages.at(-1)?.content).split('\n')[0])
    expect(said).toEqual([
      expect.stringMatching(/^\[\w{3} \d{4}-\d\d-\d\d \d\d:\d\d Asia\/Tokyo\]$/),
      expect.stringMatching(/^\[\w{3} \d{4}-\d\d-\d\d \d\d:\d\d UTC\]$/),
    ])
  })
})
