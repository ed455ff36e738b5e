import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { isAlive, makeRunner, until } from './tool-runner.fixture.ts'

describe('bash', () => {
  test('gives output of both kinds in order, and the exit code', async () => {
    const { run, workspace } = await makeRunner()
    expect(await run('bash', { command: 'echo one; echo two >&2; echo three' })).toEqual({
      ok: true,
      content: 'one\ntwo\nthree',
      summary: '$ echo one; echo two >&2; echo three',
    })
    const failed = await run('bash', { command: 'pwd\nexit 3' })
    expect(failed).toEqual({ ok: false, content: `${workspace}\n[exit code 3]`, summary: '$ pwd (exit code 3)' })
    expect((await run('bash', { command: 'true' })).content).toBe('[no output]')
  })

  test('takes quotes, several lines and here-documents as they are', async () => {
    const { run } = await makeRunner()
    const command = `cat <<'END'\n$HOME "quoted" 'x' \\n\nEND\necho "$(printf 'é%s' ✓)"`
    expect((await run('bash', { command })).content).toBe(`$HOME "quoted" 'x' \\n\né✓`)
  })

  test('shows a progress line in its last state and no colours', async () => {
    const { run } = await makeRunner()
    const result = await run('bash', { command: `printf '10%%\\r50%%\\r100%%\\n\\033[31mred\\033[0m\\n'` })
    expect(result.content).toBe('100%\nred')
    const other = await run('bash', { command: `printf 'a\\r\\n\\r\\nb\\r\\r\\n10%%\\r50%%\\r'` })
    expect(other.content).toBe('a\n\nb\n50%')
  })

  test('input is closed, so that nothing waits for an answer', async () => {
    const { run } = await makeRunner()
    expect((await run('bash', { command: 'cat; read x; echo "[$x]"' })).content).toBe('[]')
  })

  test('does not wait for background jobs, and leaves them alone', async () => {
    const { run, workspace } = await makeRunner()
    const started = performance.now()
    const result = await run('bash', { command: 'sleep 300 & echo $! > pid; echo started' })
    expect(result).toMatchObject({ ok: true, content: 'started' })
    expect(performance.now() - started).toBeLessThan(10_000)
    const pid = Number(readFileSync(join(workspace, 'pid'), 'utf8'))
    expect(await isAlive(pid)).toBe(true)
    process.kill(pid, 'SIGKILL')
  })

  test('a background job that goes on writing is not killed by it', async () => {
    const { run, workspace } = await makeRunner()
    await run('bash', { command: '(for i in 1 2 3 4 5; do echo $i; sleep 0.1; done; touch finished) & echo on' })
    await until(() => existsSync(join(workspace, 'finished')))
  })
})

describe('ending a command', () => {
  /** The shell, two children (one ignores SIGTERM), and three in sessions of their own: one an orphan, one without environment. */
  const TREE = `
    echo $$ >> pids
    sh -c 'echo $$ >> pids; sleep 600' &
    sh -c 'trap "" TERM; echo $$ >> pids; while :; do sleep 1; done' &
    setsid sh -c 'trap "" TERM HUP; echo $$ >> pids; while :; do sleep 1; done' &
    (setsid setsid sh -c 'echo $$ >> pids; exec sleep 600' &)
    env -i /usr/bin/setsid /bin/sh -c 'trap "" TERM; echo $$ >> pids; while :; do /bin/sleep 1; done' &
    sleep 600`
  const readPids = (path: string) =>
    existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n').filter(Boolean).map(Number) : []

  test.runIf(process.platform === 'linux')('a stop ends the whole tree within a second', async () => {
    const { run, workspace } = await makeRunner()
    const controller = new AbortController()
    const call = run('bash', { command: TREE }, { signal: controller.signal })
    await until(() => readPids(join(workspace, 'pids')).length === 6)
    const started = performance.now()
    controller.abort()
    const result = await call
    const tookMs = performance.now() - started
    expect(result).toMatchObject({ ok: false })
    expect(result.content).toContain('stopped by the person')
    for (const pid of readPids(join(workspace, 'pids'))) expect(await isAlive(pid)).toBe(false)
    // Promised is one second; the rest is for a machine that is busy with other tests.
    expect(tookMs).toBeLessThan(5000)
  })

  test.runIf(process.platform === 'linux')('so does a timeout, and what it had written is kept', async () => {
    const { run, workspace } = await makeRunner()
    const result = await run('bash', { command: `echo before\n${TREE}`, timeout_s: 2 })
    expect(result.ok).toBe(false)
    expect(result.content).toMatch(/^before\n\[timed out after 2 s/)
    const pids = readPids(join(workspace, 'pids'))
    expect(pids.length).toBeGreaterThan(0)
    for (const pid of pids) expect(await isAlive(pid)).toBe(false)
  })

  test.runIf(process.platform === 'linux')('a stop ends what starts sessions of its own all the while', async () => {
    const { run, workspace } = await makeRunner()
    const controller = new AbortController()
    // Each sheds group, session and environment, ignores SIGTERM, and leaves another behind before it is looked at.
    const name = `racer-${process.pid}`
    const racer = `trap "" TERM HUP; while :; do /usr/bin/setsid /bin/sleep 600.${process.pid} & /bin/sleep 0.05; done`
    const command = `touch ${name}; for i in 1 2 3; do env -i /usr/bin/setsid /bin/sh -c '${racer}' & done; wait`
    const call = run('bash', { command }, { signal: controller.signal })
    const racing = async () =>
      (await run('bash', { command: `pgrep -fc '^/bin/sleep 600.${process.pid}$' || true` })).content
    await until(async () => existsSync(join(workspace, name)) && Number(await racing()) > 10)
    controller.abort()
    expect(await call).toMatchObject({ ok: false })
    expect(await racing()).toBe('0')
  })

  test('a fork bomb that is written another way is ended too', async () => {
    const { run } = await makeRunner()
    const command = 'n=0; while [ $n -lt 150 ]; do (sleep 500) & n=$((n+1)); done; wait'
    const result = await run('bash', { command, timeout_s: 2 })
    // The tool's own time limit, or on a busy machine that of its process: ended in any case.
    expect(result.content).toMatch(/timed out|was ended/)
    expect((await run('bash', { command: 'pgrep -fc "^sleep 500$" || true' })).content).toBe('0')
  })

  test('a timeout beyond the limit is refused', async () => {
    const { run } = await makeRunner()
    expect((await run('bash', { command: 'true', timeout_s: 601 })).content).toContain('timeout_s')
  })
})

describe('long output', () => {
  test('keeps its beginning and end, and the whole in a file', async () => {
    const { run, workspace } = await makeRunner()
    const { content } = await run('bash', { command: 'seq 1 20000' })
    expect(content.length).toBeLessThan(32_000)
    expect(content.startsWith('1\n2\n3\n')).toBe(true)
    expect(content.endsWith('19999\n20000')).toBe(true)
    const path = /all of it is in (\.tool-output\/\S+)/.exec(content)?.[1] ?? ''
    expect(readFileSync(join(workspace, path), 'utf8').trim().split('\n')).toHaveLength(20_000)
  })

  test('a flood is ended, and the file stays within its bound', async () => {
    const { run, workspace } = await makeRunner()
    const result = await run('bash', { command: 'yes flood' })
    expect(result.ok).toBe(false)
    expect(result.content).toContain('bytes of output')
    const [name = ''] = readdirSync(join(workspace, '.tool-output'))
    expect(readFileSync(join(workspace, '.tool-output', name)).length).toBeLessThanOrEqual(10 * 1024 * 1024)
  })

  test('old outputs are thrown away', async () => {
    const { run, workspace } = await makeRunner()
    for (let count = 0; count < 23; count++) await run('bash', { command: 'seq 1 8000' })
    expect(readdirSync(join(workspace, '.tool-output'))).toHaveLength(20)
  })

  test('keeps it whatever else lies in that folder', async () => {
    const { run, workspace } = await makeRunner()
    await run('bash', { command: 'mkdir -p .tool-output/zz; ln -s /nowhere .tool-output/zzz' })
    const { content } = await run('bash', { command: 'seq 100000' })
    expect(content).toContain('all of it is in .tool-output/')
    expect(readdirSync(join(workspace, '.tool-output'))).toHaveLength(3)
  })

  test('bytes that are no text do not break anything', async () => {
    const { run } = await makeRunner()
    const result = await run('bash', { command: 'head -c 100000 /dev/urandom' })
    expect(result.content.isWellFormed()).toBe(true)
    expect(JSON.stringify(result).length).toBeLessThan(400_000)
  })
})
