/** The tool process as a program of its own, spoken to over its pipes as the server does. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { isAlive, makeFolder, until } from './tool-runner.fixture.ts'

/** A shell and what it starts: one that ignores SIGTERM, and one that left its group, its session and its environment. */
const TREE = `
  echo $$ >> pids
  sh -c 'trap "" TERM; echo $$ >> pids; while :; do sleep 1; done' &
  env -i /usr/bin/setsid /bin/sh -c 'trap "" TERM HUP; echo $$ >> pids; while :; do /bin/sleep 1; done' &
  sleep 600`

async function startTree(): Promise<{ tools: ChildProcessWithoutNullStreams; pids: () => number[] }> {
  const workspace = makeFolder()
  const tools = spawn(process.execPath, [join(import.meta.dirname, 'process', 'run-from-sources.ts')], {
    cwd: workspace,
    stdio: 'pipe',
  })
  onTestFinished(() => void tools.kill('SIGKILL'))
  const path = join(workspace, 'pids')
  const pids = () => (existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n').map(Number) : [])
  const input = { command: TREE, timeout_s: 600 }
  tools.stdin.write(`${JSON.stringify({ kind: 'call', id: `t-${tools.pid}`, operation: 'bash', input, folder: '' })}\n`)
  await until(() => pids().length === 3)
  return { tools, pids }
}

describe.runIf(process.platform === 'linux')('whatever ends it, no command outlives it', () => {
  test.each<[string, (tools: ChildProcessWithoutNullStreams) => void]>([
    ['the server is gone', (tools) => tools.stdin.destroy()],
    ['SIGTERM', (tools) => void tools.kill('SIGTERM')],
    [
      'a stop, and then the server is gone',
      (tools) => {
        tools.stdin.write(`${JSON.stringify({ kind: 'cancel', id: `t-${tools.pid}` })}\n`)
        tools.stdin.end()
      },
    ],
  ])('%s', async (_what, end) => {
    const { tools, pids } = await startTree()
    const ended = once(tools, 'exit')
    end(tools)
    expect(await ended).toEqual([0, null])
    // At this moment, not some time later.
    expect(await Promise.all(pids().map(isAlive))).toEqual([false, false, false])
  })
})
