/** A real runner on a workspace of its own, for tests; everything is taken down at the end of the test. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { createToolRunner, type LocalToolRunner, type ToolRunnerOptions } from './create-tool-runner.ts'
import type { ToolContext, ToolPorts, ToolResult } from './tool-runner.ts'

export interface TestRunner {
  readonly runner: LocalToolRunner
  readonly workspace: string
  readonly dataDir: string
  readonly logged: { level: string; event: string }[]
  run(name: string, input: unknown, context?: Partial<ToolContext>): Promise<ToolResult>
}

export const OWNER = { id: '1', name: 'Ana', role: 'owner' } as const
export const VISITOR = { id: '77', name: 'Vera', role: 'visitor', tools: 'workspace' } as const

export function makeFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'baal-tools-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
  return folder
}

export async function makeRunner(options: Partial<ToolRunnerOptions> = {}): Promise<TestRunner> {
  const folder = makeFolder()
  const workspace = options.workspacePath ?? join(folder, 'workspace')
  const dataDir = join(folder, 'data')
  mkdirSync(workspace, { recursive: true })
  const logged: TestRunner['logged'] = []
  const runner = await createToolRunner({
    workspacePath: workspace,
    dataDir,
    ports: unusedPorts(),
    log: (level, event) => logged.push({ level, event }),
    ...options,
  })
  onTestFinished(() => runner.close())
  let calls = 0
  return {
    runner,
    workspace,
    dataDir,
    logged,
    run: (name, input, context) => runner.run({ id: `call-${++calls}`, name, input }, makeContext(context)),
  }
}

function makeContext(context: Partial<ToolContext> = {}): ToolContext {
  const signal = new AbortController().signal
  return { chatId: 'chat', turnId: 'turn', user: OWNER, origin: 'chat', signal, ...context }
}

export function unusedPorts(): ToolPorts {
  const unexpected = () => Promise.reject(new Error('not expected in this test'))
  return { spawnSubagent: unexpected, searchHistory: unexpected, runScheduled: unexpected }
}

/** Whether a process exists and is not just waiting to be collected. */
export async function isAlive(pid: number): Promise<boolean> {
  const { readFile } = await import('node:fs/promises')
  try {
    process.kill(pid, 0)
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') R')
    return !/\) [ZX]/.test(stat)
  } catch {
    return false
  }
}

/** Waits for something that happens by itself; the test's own time limit ends it. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10))
}
