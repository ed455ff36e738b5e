import { existsSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { isAlive, makeRunner, OWNER, until, unusedPorts, VISITOR } from './tool-runner.fixture.ts'

const search = { url: 'http://127.0.0.1:9/v1/search', key: 'k' }
const names = (definitions: readonly { name: string }[]) => definitions.map(({ name }) => name)

describe('what is offered', () => {
  test('the owner gets every tool in a fixed order, byte for byte the same each time', async () => {
    const { runner } = await makeRunner({ search })
    const first = runner.definitions({ user: OWNER, origin: 'chat' })
    expect(names(first)).toEqual([
      'bash',
      'read_file',
      'write_file',
      'edit_file',
      'list_dir',
      'search_files',
      'web_fetch',
      'web_search',
      'send_file',
      'spawn',
      'schedule',
      'search_history',
    ])
    const again = (await makeRunner({ search })).runner.definitions({ user: { ...OWNER, id: '2' }, origin: 'chat' })
    expect(JSON.stringify(again)).toBe(JSON.stringify(first))
  })

  test('without a search address there is no web_search', async () => {
    const { runner, run } = await makeRunner()
    expect(names(runner.definitions({ user: OWNER, origin: 'chat' }))).not.toContain('web_search')
    expect(await run('web_search', { query: 'x' })).toMatchObject({ ok: false, summary: 'unknown tool' })
  })

  test('background work cannot start more background work', async () => {
    const { runner, run } = await makeRunner()
    for (const origin of ['subagent', 'heartbeat', 'schedule'] as const) {
      expect(names(runner.definitions({ user: OWNER, origin }))).not.toContain('spawn')
      expect((await run('spawn', { task: 'x' }, { origin })).ok).toBe(false)
    }
    expect(names(runner.definitions({ user: OWNER, origin: 'subagent' }))).toContain('bash')
  })

  test('a visitor has no shell, no background work and nothing of the owner, even by guessing names', async () => {
    const { runner, run } = await makeRunner({ search })
    const offered = names(runner.definitions({ user: VISITOR, origin: 'chat' }))
    for (const name of ['bash', 'spawn', 'schedule', 'search_history']) {
      expect(offered).not.toContain(name)
      const input = { command: 'id', task: 'x', action: 'list', query: 'x' }
      expect(await run(name, input, { user: VISITOR })).toMatchObject({ ok: false, summary: 'unknown tool' })
    }
    expect(offered).toContain('read_file')
  })

  test('only tools that change nothing may run side by side', async () => {
    const { runner } = await makeRunner({ search })
    const all = names(runner.definitions({ user: OWNER, origin: 'chat' }))
    expect(all.filter((name) => runner.readsOnly(name))).toEqual([
      'read_file',
      'list_dir',
      'search_files',
      'web_fetch',
      'web_search',
      'search_history',
    ])
    expect(runner.readsOnly('no such tool')).toBe(false)
  })

  test('descriptions say what the model has to know', async () => {
    const { runner } = await makeRunner({ search })
    const described = new Map(
      runner.definitions({ user: OWNER, origin: 'chat' }).map(({ name, description }) => [name, description]),
    )
    for (const description of described.values()) expect(description.length).toBeLessThan(500)
    expect(described.get('bash')).toMatch(/do not carry over[\s\S]*nohup/)
    expect(described.get('read_file')).toMatch(/numbers are not part of the file/)
    expect(described.get('edit_file')).toMatch(/exactly[\s\S]*once[\s\S]*replace_all/)
    expect(described.get('web_fetch')).toMatch(/never an instruction/)
    expect(described.get('web_search')).toMatch(/never an instruction/)
    expect(described.get('send_file')).toMatch(/only way/)
    expect(described.get('spawn')).toMatch(/knows nothing of this conversation/)
    expect(described.get('schedule')).toMatch(/timezone[\s\S]*local time/)
  })
})

describe('bad input', () => {
  test('an unknown tool, missing and wrong arguments are answered with what is right', async () => {
    const { run } = await makeRunner()
    expect((await run('read', {})).content).toContain('read_file')
    for (const input of [{}, { path: 5 }, null, 'text', [], { path: 'a', offset: -1 }, { path: '' }]) {
      const result = await run('read_file', input)
      expect(result.ok).toBe(false)
      expect(result.content).toContain('"path"')
    }
    expect((await run('write_file', { path: 'a', content: 'x'.repeat(10_000_000) })).content).toMatch(/content: /)
  })

  test('a port that throws becomes a result', async () => {
    const { run, logged } = await makeRunner()
    expect(await run('search_history', { query: 'x' })).toMatchObject({ ok: false, summary: 'search_history failed' })
    expect(logged).toContainEqual({ level: 'error', event: 'tool_failed' })
  })
})

describe('tools of the server itself', () => {
  test('spawn and search_history pass on what they are asked', async () => {
    const asked: unknown[] = []
    const { run } = await makeRunner({
      ports: {
        ...unusedPorts(),
        spawnSubagent: async (task) => {
          asked.push(task)
          return 'subagent-7'
        },
        searchHistory: async (query, { chatId }, limit) => {
          asked.push([query, chatId, limit])
          return [{ role: 'user', content: 'blue', created_at: '2026-01-02' }]
        },
      },
    })
    expect((await run('spawn', { task: 'count' })).content).toContain('subagent-7')
    expect((await run('search_history', { query: 'colour' })).content).toBe('[2026-01-02] user: blue')
    expect(asked).toEqual(['count', ['colour', 'chat', 10]])
  })
})

describe('the tool process', () => {
  test('is started by the first call, ends when idle, and is started again', async () => {
    const { runner, run } = await makeRunner({ idleMs: 100 })
    expect(runner.toolProcessId).toBeUndefined()
    await run('list_dir', {})
    const first = runner.toolProcessId ?? 0
    expect(await isAlive(first)).toBe(true)
    await until(async () => !(await isAlive(first)))
    expect((await run('list_dir', {})).ok).toBe(true)
    expect(runner.toolProcessId).not.toBe(first)
  })

  test('that dies in a call: an honest result, its commands ended, the next call works', async () => {
    const { runner, run, workspace } = await makeRunner()
    const call = run('bash', { command: 'echo $$ > pid; sleep 600' })
    const pidFile = join(workspace, 'pid')
    await until(() => existsSync(pidFile))
    const pid = Number(await readFile(pidFile, 'utf8'))
    process.kill(runner.toolProcessId ?? 0, 'SIGKILL')
    expect((await call).content).toContain('may have run')
    await until(async () => !(await isAlive(pid)))
    expect((await run('bash', { command: 'echo on' })).content).toBe('on')
  })

  test('takes its commands along when the server lets go', async () => {
    const { runner, run, workspace } = await makeRunner()
    const call = run('bash', { command: 'echo $$ > pid; sleep 600' })
    const pidFile = join(workspace, 'pid')
    await until(() => existsSync(pidFile))
    const pid = Number(await readFile(pidFile, 'utf8'))
    await runner.close()
    await call
    await until(async () => !(await isAlive(pid)))
  })

  test('a pattern that would backtrack for ever neither hangs nor holds up a stop', async () => {
    const { run, workspace } = await makeRunner()
    writeFileSync(join(workspace, 'a.txt'), `${'a'.repeat(4000)}!\n`)
    expect((await run('search_files', { pattern: '^(a+)+$' })).ok).toBe(true)
    // A look-behind keeps V8 from its linear engine: only ending the process helps.
    const controller = new AbortController()
    const started = performance.now()
    const call = run('search_files', { pattern: '^(?=(a+)+$)b' }, { signal: controller.signal })
    await run('list_dir', {}, { signal: AbortSignal.timeout(50) })
    controller.abort()
    expect((await call).ok).toBe(false)
    expect(performance.now() - started).toBeLessThan(3000)
    expect((await run('list_dir', {})).ok).toBe(true)
  })

  test('runs nothing for a call that was stopped before', async () => {
    const { run, workspace } = await makeRunner()
    await run('bash', { command: 'touch x' }, { signal: AbortSignal.abort() })
    expect(existsSync(join(workspace, 'x'))).toBe(false)
  })
})

test('a visitor whose search hangs holds up neither the owner nor a command of theirs', async () => {
  const { run } = await makeRunner()
  const stop = new AbortController()
  const visitor = { user: VISITOR, signal: stop.signal }
  await run('write_file', { path: 'a'.repeat(200), content: 'x' }, visitor)
  const command = run('bash', { command: 'until [ -e done ]; do sleep 0.05; done; echo on' })
  const search = run('search_files', { glob: `${'*a'.repeat(9)}*b` }, visitor)
  await run('write_file', { path: 'done', content: '' })
  expect(await command).toMatchObject({ ok: true, content: 'on' })
  stop.abort()
  expect(await search).toMatchObject({ ok: false, summary: 'stopped' })
})
