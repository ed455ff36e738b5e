import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { ModelCall, Reply } from './model/model.fake.ts'
import { type AgentUnderTest, plain, reasonOf, startTestAgent, textsOf } from './testing/agent-under-test.ts'
import { createFakeTools, fakeTool } from './tools/tool-runner.fake.ts'

let agent: AgentUnderTest

afterEach(() => agent.close())

const SMALL = { MAX_CONTEXT_TOKENS: '6000', GENERATION_RESERVE: '1000', COMPACTION_KEEP_MESSAGES: '6' }
const isSummary = (call: ModelCall) => String(call.messages[0]!.content).startsWith('You keep the working memory')
const isFlush = (call: ModelCall) => String(call.messages.at(-1)!.content).includes('about to be replaced by a summary')

/** Usage as a server would count it. */
function honest(call: ModelCall, reply: Reply): Reply {
  return { ...reply, usage: { prompt: Math.ceil(JSON.stringify(call.messages).length / 3), completion: 20 } }
}

async function talk(turns: number, words: (turn: number) => string) {
  const events = []
  for (let turn = 0; turn < turns; turn++) events.push(...(await agent.chat(words(turn))))
  return events
}

describe('compaction', () => {
  test('keeps a long chat within the context, updates its summary, and tells the person', async () => {
    let summaries = 0
    agent = await startTestAgent({
      env: SMALL,
      script: (call) => {
        if (isSummary(call)) return { content: `## Goal\nsummary ${++summaries}` }
        return honest(call, { content: `answer ${'a'.repeat(800)}` })
      },
    })
    const events = await talk(30, (turn) => `message ${turn} ${'m'.repeat(800)}`)
    expect(summaries).toBeGreaterThan(1)
    expect(plain(events)).toContainEqual({
      type: 'notice',
      code: 'condensed',
      content: expect.stringContaining('condensed'),
    })
    const second = agent.model.calls.filter(isSummary)[1]!
    expect(String(second.messages[1]!.content)).toContain('summary 1')
    const last = agent.model.calls.at(-1)!
    expect(String(last.messages[1]!.content)).toContain(`summary ${summaries}`)
    expect(Math.max(...agent.model.calls.map(({ messages }) => JSON.stringify(messages).length / 3))).toBeLessThan(5000)
    expect(agent.model.illegal).toEqual([])
  })

  test('goes by what the server counted, not by the length of the text', async () => {
    let prompt = 100
    agent = await startTestAgent({
      env: SMALL,
      script: (call) =>
        isSummary(call) ? { content: 'in short' } : { content: 'ok', usage: { prompt, completion: 1 } },
    })
    // By its length this would not fit; the server says that it does.
    await talk(3, () => '\u{1f9ff}'.repeat(2000))
    expect(agent.model.calls.some(isSummary)).toBe(false)
    prompt = 4900
    await talk(2, () => 'short')
    expect(agent.model.calls.some(isSummary)).toBe(true)
  })

  test('lets the model save lasting facts first, and only under memory/', async () => {
    const written: unknown[] = []
    agent = await startTestAgent({
      env: SMALL,
      createTools: (workspace) =>
        createFakeTools(workspace, [
          fakeTool('write_file', false, { path: { type: 'string' }, content: { type: 'string' } }, (input) => {
            written.push(input.path)
            return { ok: true, content: 'ok', summary: 'ok' }
          }),
        ]),
      script: (call) => {
        if (isSummary(call)) return { content: 'summary' }
        if (isFlush(call)) {
          return {
            calls: [
              { name: 'write_file', arguments: { path: 'memory/MEMORY.md', content: 'likes tea' } },
              { name: 'write_file', arguments: { path: 'memory/../x', content: 'no' } },
            ],
          }
        }
        return honest(call, { content: 'a'.repeat(800) })
      },
    })
    await talk(8, () => 'm'.repeat(1500))
    expect(agent.model.calls.some(isFlush)).toBe(true)
    expect(new Set(written)).toEqual(new Set(['memory/MEMORY.md']))
    expect(agent.model.illegal).toEqual([])
  })

  test('lets the model save lasting facts when a person asks for it, too', async () => {
    const written: unknown[] = []
    agent = await startTestAgent({
      script: (call) => {
        if (isSummary(call)) return { content: 'in short' }
        return isFlush(call)
          ? { calls: [{ name: 'write_file', arguments: { path: 'memory/MEMORY.md', content: 'likes tea' } }] }
          : { content: 'ok' }
      },
      createTools: (workspace) =>
        createFakeTools(workspace, [
          fakeTool('write_file', false, { path: { type: 'string' }, content: { type: 'string' } }, (input) => {
            written.push(input.path)
            return { ok: true, content: 'ok', summary: 'ok' }
          }),
        ]),
    })
    await talk(4, (turn) => `m${turn}`)
    expect(await (await agent.post('/chat/c1/compact', {})).json()).toMatchObject({ compacted: true })
    expect(written).toEqual(['memory/MEMORY.md'])
    expect(agent.model.illegal).toEqual([])
  })

  test('trims by itself when the summary fails, and never gets stuck', async () => {
    agent = await startTestAgent({
      env: SMALL,
      script: (call) => (isSummary(call) ? { status: 500 } : honest(call, { content: 'a'.repeat(800) })),
    })
    const events = await talk(20, (turn) => `question ${turn} ${'m'.repeat(1200)}`)
    expect(plain(events)).toContainEqual({
      type: 'notice',
      code: 'trimmed',
      content: expect.stringContaining('set aside'),
    })
    expect(events.filter(({ event }) => event.type === 'error')).toEqual([])
    // After a failure the model is left alone for a while.
    expect(agent.model.calls.filter(isSummary)).toHaveLength(1)
    expect(String(agent.model.calls.at(-1)!.messages[1]!.content)).toContain('question')
    expect(agent.model.illegal).toEqual([])
  })

  test('never separates a call from its result, also in the middle of a turn', async () => {
    let n = 0
    agent = await startTestAgent({
      env: SMALL,
      script: (call) => {
        if (isSummary(call)) return { content: 'summary' }
        n++
        return honest(
          call,
          n % 12
            ? { calls: [{ name: 'append', arguments: { path: 'x', line: `${n}${'l'.repeat(600)}` } }] }
            : { content: 'done' },
        )
      },
    })
    expect(reasonOf(await talk(3, () => 'work'))).toBe('stop')
    expect(agent.model.calls.some(isSummary)).toBe(true)
    expect(agent.model.illegal).toEqual([])
    expect(JSON.stringify(agent.model.calls.at(-1)!.messages)).not.toContain('[no result')
  })

  test('after an overflow the request is compacted and tried once more', async () => {
    let overflowed = false
    agent = await startTestAgent({
      script: (call) => {
        if (isSummary(call)) return { content: 'summary' }
        if (call.messages.length > 12 && !overflowed) {
          overflowed = true
          return { status: 400, body: { error: { message: "This model's maximum context length is 9000 tokens." } } }
        }
        return { content: 'a'.repeat(400) }
      },
    })
    const events = await talk(8, (turn) => `m${turn} ${'m'.repeat(400)}`)
    expect(overflowed).toBe(true)
    expect(events.filter(({ event }) => event.type === 'error')).toEqual([])
    expect(agent.model.illegal).toEqual([])
  })

  test('what overflows even then ends in one honest line', async () => {
    agent = await startTestAgent({ script: [{ status: 400, body: { error: { message: 'context_length_exceeded' } } }] })
    const events = await agent.chat('hi')
    expect(plain(events).at(-2)).toMatchObject({ type: 'error', code: 'context_overflow' })
    expect(agent.model.calls.length).toBeLessThanOrEqual(2)
  })

  test('can be asked for, and says when there is nothing to do', async () => {
    agent = await startTestAgent({ script: (call) => ({ content: isSummary(call) ? 'in short' : 'ok' }) })
    const compact = async () => (await agent.post('/chat/c1/compact', {})).json()
    expect(await compact()).toMatchObject({ compacted: false })
    await talk(4, (turn) => `m${turn}`)
    expect(await compact()).toMatchObject({ compacted: true, notice: expect.stringContaining('condensed') })
    await agent.chat('and now')
    const { messages } = agent.model.calls.at(-1)!
    expect(String(messages[1]!.content)).toContain('in short')
    expect(messages.length).toBeLessThan(6)
    expect(agent.model.illegal).toEqual([])
  })
})

describe('a message that is too long for the model', () => {
  test('goes into a file, and the model sees its ends', async () => {
    agent = await startTestAgent({ env: SMALL })
    await agent.chat({ message: `START${'x'.repeat(100_000)}END`, chat_id: 'c1', turn_id: 'long1' })
    const content = String(agent.model.calls[0]!.messages[1]!.content)
    expect(content.length).toBeLessThan(6000)
    expect(content).toContain('START')
    expect(content).toContain('uploads/message-long1.txt')
    const saved = await (await agent.request('/files/uploads/message-long1.txt')).text()
    expect(saved).toHaveLength(100_008)
  })
})

describe('the prefix', () => {
  test('is reused to 99 % over 120 turns with a memory write every ten', async () => {
    let previous = ''
    let reused = 0
    let total = 0
    agent = await startTestAgent({
      script: (call, index) => {
        const text = JSON.stringify([call.tools, call.messages])
        let common = 0
        while (common < previous.length && previous[common] === text[common]) common++
        // The closing brackets of the array are not part of what a server sees.
        reused += previous === '' ? 0 : Math.min(previous.length, common + 2)
        total += previous.length
        previous = text
        const wasAsked = call.messages.at(-1)!.role === 'user'
        return wasAsked && index % 12 === 5
          ? { calls: [{ name: 'append', arguments: { path: 'memory-note.md', line: `fact ${index}` } }] }
          : { content: `answer ${index}` }
      },
    })
    await talk(120, (turn) => `question ${turn}`)
    expect(agent.model.calls.length).toBeGreaterThan(125)
    expect(reused / total).toBeGreaterThanOrEqual(0.99)
  })

  test('does not change with the memory; a new configuration takes it anew', async () => {
    agent = await startTestAgent()
    await agent.chat('one')
    await agent.request('/files/memory/MEMORY.md', { method: 'PUT', body: 'The person likes tea.' })
    await agent.chat('two')
    const [first, second] = agent.model.calls.map(({ messages }) => messages[0]!.content)
    expect(second).toBe(first)
    await agent.request('/config', { method: 'PUT', body: JSON.stringify({ system_prompt: 'Be a pirate.' }) })
    await agent.chat('three')
    expect(agent.model.calls[2]!.messages[0]!.content).toContain('Be a pirate.')
    expect(agent.model.calls[2]!.messages[0]!.content).toContain('likes tea')
  })
})

test('the order of a history is that of its rows, whatever the clock does', async () => {
  agent = await startTestAgent()
  vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-11-24T12:00:00Z') })
  onTestFinished(() => void vi.useRealTimers())
  for (const [index, time] of ['12:00', '09:30', '15:00', '09:00'].entries()) {
    vi.setSystemTime(new Date(`2026-11-24T${time}:00Z`))
    await agent.chat(`message ${index}`)
    if (index === 1) await agent.restart()
  }
  const said = agent.model.calls.at(-1)!.messages.filter(({ role }) => role === 'user')
  expect(said.map(({ content }) => /message \d/.exec(String(content))?.[0])).toEqual([
    'message 0',
    'message 1',
    'message 2',
    'message 3',
  ])
})

test('what background work said to itself is forgotten with its turn; what was said in the chat stays', async () => {
  agent = await startTestAgent()
  await agent.chat('hi')
  const user = { id: '1', name: '', role: 'owner' as const }
  await agent.runBackground({ origin: 'heartbeat', prompt: 'look', chatId: 'c1', user })
  const database = new DatabaseSync(agent.databasePath)
  onTestFinished(() => database.close())
  const rows = () =>
    database
      .prepare('SELECT DISTINCT history_id FROM messages ORDER BY 1')
      .all()
      .map((row) => row.history_id)
  expect(rows()).toEqual(['chat:c1', expect.stringMatching(/^heartbeat:/)])
  database.exec('UPDATE turns SET ended_at = 1')
  await agent.restart()
  expect(rows()).toEqual(['chat:c1'])
  expect(database.prepare('SELECT count(*) AS n FROM histories').get()).toEqual({ n: 1 })
})

describe('clearing and searching', () => {
  test('clearing forgets this chat and no other', async () => {
    agent = await startTestAgent()
    await agent.chat({ message: 'a', chat_id: 'c1' })
    await agent.chat({ message: 'b', chat_id: 'c2' })
    const cleared = await agent.request('/chat/c1', { method: 'DELETE' })
    expect(await cleared.json()).toEqual({ status: 'ok', deleted: 2 })
    await agent.chat({ message: 'c', chat_id: 'c1' })
    await agent.chat({ message: 'd', chat_id: 'c2' })
    expect(agent.model.calls.slice(2).map(({ messages }) => messages.length)).toEqual([2, 4])
  })

  test('clearing while a turn runs stops it first', async () => {
    agent = await startTestAgent({ script: (_call, index) => (index === 0 ? { hang: true } : { content: 'fresh' }) })
    const running = agent.chat('one')
    await agent.model.called(1)
    expect((await agent.request('/chat/c1', { method: 'DELETE' })).status).toBe(200)
    expect(reasonOf(await running)).toBe('cancelled')
    expect(textsOf(await agent.chat('two'))).toEqual(['fresh'])
    expect(agent.model.calls[1]!.messages).toHaveLength(2)
  })

  test('finds what was said, newest first, compacted rows and CJK included, syntax taken as words', async () => {
    agent = await startTestAgent({ script: (call) => ({ content: isSummary(call) ? 'in short' : 'noted' }) })
    for (const message of ['My cat is called Mimi', 'Mimi is "three" years', '我的猫叫咪咪', 'x', 'y', 'z'])
      await agent.chat(message)
    await agent.post('/chat/c1/compact', {})
    const context = {
      chatId: 'c1',
      turnId: 't',
      user: { id: '1', name: '', role: 'owner' as const },
      origin: 'chat' as const,
      signal: new AbortController().signal,
    }
    const find = async (query: string) =>
      (await agent.ports.searchHistory(query, context, 5)).map(({ content }) => content)
    expect(await find('mimi')).toEqual([expect.stringContaining('three'), expect.stringContaining('called Mimi')])
    expect(await find('"three" AND (')).toEqual([])
    expect(await find('猫叫')).toEqual([expect.stringContaining('我的猫')])
    expect(await find('***')).toEqual([])
    const visitor = { ...context, user: { id: '2', name: '', role: 'visitor' as const } }
    expect(await agent.ports.searchHistory('mimi', visitor, 5)).toEqual([])
  })
})

describe('a visitor', () => {
  test('has a history of their own and sees nothing of the owner', async () => {
    agent = await startTestAgent()
    await agent.request('/files/memory/MEMORY.md', { method: 'PUT', body: 'secret of the owner' })
    await agent.chat({ message: 'owner here', chat_id: 'c1' })
    await agent.chat({
      message: 'who am I?',
      chat_id: 'c1',
      user: { id: '9', name: 'Vi', role: 'visitor', tools: 'web' },
    })
    const { messages, tools } = agent.model.calls[1]!
    expect(messages).toHaveLength(2)
    expect(JSON.stringify(messages)).not.toMatch(/owner here|secret of the owner/)
    expect(messages[0]!.content).toContain('visitor')
    expect(tools).toHaveLength(1)
  })
})

describe('the database', () => {
  test('of a newer version is refused and not changed', async () => {
    agent = await startTestAgent()
    await agent.chat('hi')
    const other = new DatabaseSync(agent.databasePath)
    other.exec('PRAGMA user_version = 99')
    await expect(agent.restart()).rejects.toThrow(/version 99.*newer/)
    expect(other.prepare('SELECT count(*) AS n FROM messages').get()).toEqual({ n: 2 })
    other.exec('PRAGMA user_version = 1')
    other.close()
    await agent.restart()
  })
})
