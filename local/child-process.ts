/** Child processes of the local set-up: started in a group of their own, ready when they say so, stopped by process id. */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'

/** How long a child may take to end after SIGTERM before its whole group is killed. */
const STOP_GRACE_MS = 5_000
const KEPT_OUTPUT_LINES = 40

export interface StartedProcess {
  readonly pid: number
  /** Resolves when the process has ended, with how. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** The last lines it printed, for an error message. */
  lastOutput(): string
  /** SIGTERM, then SIGKILL for the whole group. Safe to repeat. */
  stop(): Promise<void>
}

export interface StartOptions {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly onLine?: (line: string) => void
  /** Stops the process when aborted, also while it is still starting. */
  readonly signal?: AbortSignal
}

export function startProcess({ name, command, args, cwd, env, onLine, signal }: StartOptions): StartedProcess {
  // A group of its own: Ctrl-C in the terminal reaches only the parent, which then stops its children in order.
  const child = spawn(command, args, { cwd, env: { ...env }, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const lines: string[] = []
  const keep = (line: string) => {
    lines.push(line)
    if (lines.length > KEPT_OUTPUT_LINES) lines.shift()
    onLine?.(line)
  }
  eachLine(child.stdout, keep)
  eachLine(child.stderr, keep)
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('error', (error) => {
      keep(`${name} could not be started: ${error.message}`)
      resolve({ code: 127, signal: null })
    })
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
  const stopOnAbort = () => void stop(child, ended)
  if (signal?.aborted) stopOnAbort()
  signal?.addEventListener('abort', stopOnAbort, { once: true })
  void ended.then(() => signal?.removeEventListener('abort', stopOnAbort))
  return { pid: child.pid ?? -1, ended, lastOutput: () => lines.join('\n'), stop: () => stop(child, ended) }
}

async function stop(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.pid === undefined) return
  const group = -child.pid
  signalGroup(group, 'SIGTERM')
  const timer = setTimeout(() => signalGroup(group, 'SIGKILL'), STOP_GRACE_MS)
  await ended
  clearTimeout(timer)
  // Whatever the process left behind in its group goes with it.
  signalGroup(group, 'SIGKILL')
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(group, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function eachLine(stream: Readable, use: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop() ?? ''
    for (const line of parts) if (line.trim() !== '') use(line)
  })
  stream.on('end', () => {
    if (rest.trim() !== '') use(rest)
  })
}
