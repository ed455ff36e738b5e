import { describe, expect, onTestFinished, test } from 'vitest'
import { makeFolder } from '../tool-runner.fixture.ts'
import { createToolProcess } from './tool-process-client.ts'

/** What comes from the tool process is not trusted: commands run as its user, and may have got at it. */
describe('a tool process that misbehaves', () => {
  const signal = new AbortController().signal
  const call = { operation: 'list_dir', input: { path: '.' }, folder: '', signal } as const
  const answer = (id: string) =>
    `JSON.stringify({ kind: 'result', id: ${id}, ok: true, content: 'fine', summary: 's', extra: 1 }) + '\\n'`
  const READ = `let text = ''; process.stdin.on('data', (d) => { text += d; const { id } = JSON.parse(text); `

  test.each([
    ['garbage', `process.stdout.write('not json\\n')`],
    ['an endless line', `setInterval(() => process.stdout.write('x'.repeat(1 << 20)), 1)`],
    [
      'an answer of another shape',
      `${READ} process.stdout.write(JSON.stringify({ kind: 'result', id, ok: 'yes' }) + '\\n') })`,
    ],
    [
      'an answer that is too long',
      `${READ} process.stdout.write(JSON.stringify({ kind: 'result', id, ok: true, summary: '', content: 'x'.repeat(300000) }) + '\\n') })`,
    ],
    ['a crash', `throw new Error('crash')`],
    ['an early end', `process.exit(0)`],
  ])('%s: the call ends with an honest error', async (_what, program) => {
    const { tools, logged } = start(program)
    expect(await tools.call(call)).toMatchObject({ ok: false, summary: 'the tool process ended' })
    expect(logged).toContain('tool_process_died')
  })

  test('answers to calls that nobody made are ignored', async () => {
    const { tools } = start(
      `${READ} process.stdout.write(${answer("'other-1'")}); process.stdout.write(${answer('id')}) })`,
    )
    expect(await tools.call(call)).toEqual({ ok: true, content: 'fine', summary: 's' })
  })

  test('one that does not answer is ended after the deadline, and after a stop at once', async () => {
    const { tools, logged } = start(`setInterval(() => {}, 1000)`)
    expect(await tools.call({ ...call, deadlineMs: 50 })).toMatchObject({ summary: 'list_dir took too long' })
    expect(logged).toContain('tool_process_hung')
    const started = performance.now()
    expect(await tools.call({ ...call, signal: AbortSignal.timeout(20) })).toMatchObject({ summary: 'stopped' })
    expect(performance.now() - started).toBeLessThan(2000)
  })

  test('one that says it is ending a call is given the time for that', async () => {
    const { tools, logged } = start(`
      const say = (answer) => process.stdout.write(JSON.stringify(answer) + '\\n')
      require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
        const { kind, id } = JSON.parse(line)
        if (kind !== 'cancel') return
        say({ kind: 'ending', id })
        setTimeout(() => say({ kind: 'result', id, ok: false, content: 'all ended', summary: 's' }), 2000)
      })`)
    expect(await tools.call({ ...call, signal: AbortSignal.timeout(20) })).toMatchObject({ content: 'all ended' })
    expect(logged).toEqual([])
  })

  test('one that cannot even be started is an error, not a wait', async () => {
    const { tools } = start('', '/no/such/program')
    expect(await tools.call(call)).toMatchObject({ ok: false })
    expect(await tools.call(call)).toMatchObject({ ok: false })
  })

  test('after closing nothing is started', async () => {
    const { tools } = start(`process.exit(0)`)
    await tools.close()
    expect(await tools.call(call)).toMatchObject({ ok: false })
    expect(tools.pid).toBeUndefined()
  })

  function start(program: string, command = process.execPath) {
    const logged: string[] = []
    const launch = { command, args: ['-e', program], env: {}, confinement: '', separateUser: false }
    const log = (_level: string, event: string) => void logged.push(event)
    const tools = createToolProcess({ launch, workspacePath: makeFolder(), log, idleMs: 60_000 })
    onTestFinished(() => tools.close())
    return { tools, logged }
  }
})
