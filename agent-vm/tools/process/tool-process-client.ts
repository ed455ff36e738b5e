/**
 * The server's end of the tool process: starts it with the first call, ends it after a while without any, and starts another
 * when one dies. What comes from it is not trusted: lines are bounded and parsed.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { Log } from '../../log.ts'
import type { ToolResult } from '../tool-runner.ts'
import type { Launch } from './launch.ts'
import { readLines } from './lines.ts'
import { MAX_LINE_CHARS, type OperationInput, type OperationName, type ToolProcessRequest } from './wire.ts'

/** A cancellation has to be heard within this, or the whole process hangs and is ended. More than a stop waits. */
const CANCEL_MS = 1500
/**
 * And this is for ending what the call started. It knows better what that was than its successor would; a busy machine needs
 * seconds for what takes a blink elsewhere.
 */
const ENDING_MS = 15_000
/** The same for the whole process, when the server ends: less than a service manager waits for both. */
const KILL_AFTER_MS = 10_000
/** Nothing but a hung process takes longer; commands bring their own limit. */
const DEADLINE_MS = 90_000
const MAX_CONTENT_CHARS = 200_000
const STDERR_CHARS = 1000

const Ending = z.object({ kind: z.literal('ending'), id: z.string() })
const Result = z.object({
  kind: z.literal('result'),
  id: z.string(),
  ok: z.boolean(),
  content: z.string().max(MAX_CONTENT_CHARS),
  summary: z.string().max(1000),
  files: z
    .array(z.object({ path: z.string().max(4096), caption: z.string().max(4096).exactOptional() }))
    .exactOptional(),
})
const Answer = z.discriminatedUnion('kind', [Ending, Result])

const DIED: ToolResult = {
  ok: false,
  content:
    '[the process that runs the tools ended while this call ran. It may have run, completely or in part. Look at the state of things before you repeat it.]',
  summary: 'the tool process ended',
}
const STOPPED: ToolResult = { ok: false, content: '[stopped by the person]', summary: 'stopped' }

export interface ToolProcessCall<Name extends OperationName> {
  readonly operation: Name
  readonly input: OperationInput<Name>
  /** Folder inside the workspace that the call may not leave; empty is the whole workspace. */
  readonly folder: string
  readonly signal: AbortSignal
  /** For operations that bring their own limit: that, and some. */
  readonly deadlineMs?: number
}

export interface ToolProcess {
  /** Never rejects: what goes wrong is a result. */
  call<Name extends OperationName>(call: ToolProcessCall<Name>): Promise<ToolResult>
  /** Its process id while it runs. */
  readonly pid: number | undefined
  close(): Promise<void>
}

interface Pending {
  readonly child: ChildProcessWithoutNullStreams
  readonly finish: (result: ToolResult) => void
  /** It is at work on the end of the call. */
  readonly ending: () => void
}

export interface ToolProcessOptions {
  readonly launch: Launch
  readonly workspacePath: string
  readonly log: Log
  /** Without a call for so long the process ends. */
  readonly idleMs: number
}

export function createToolProcess(options: ToolProcessOptions): ToolProcess {
  return new ToolProcessClient(options)
}

class ToolProcessClient implements ToolProcess {
  readonly #options: ToolProcessOptions
  readonly #runId = randomBytes(8).toString('hex')
  readonly #pending = new Map<string, Pending>()
  /** Calls whose process died: their commands may still run. */
  #orphans: string[] = []
  #child: ChildProcessWithoutNullStreams | undefined
  #idle: NodeJS.Timeout | undefined
  #calls = 0
  #isClosed = false

  constructor(options: ToolProcessOptions) {
    this.#options = options
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  async call<Name extends OperationName>(call: ToolProcessCall<Name>): Promise<ToolResult> {
    const { operation, input, folder, signal, deadlineMs = DEADLINE_MS } = call
    if (signal.aborted || this.#isClosed) return STOPPED
    const id = `${this.#runId}-${++this.#calls}`
    const line = JSON.stringify({ kind: 'call', id, operation, input, folder } satisfies ToolProcessRequest)
    if (line.length > MAX_LINE_CHARS) {
      return { ok: false, content: 'The input is too large. Send less in one call.', summary: 'input too large' }
    }
    clearTimeout(this.#idle)
    const child = this.#start()
    const { promise, resolve } = Promise.withResolvers<ToolResult>()
    let patience: NodeJS.Timeout | undefined
    const waitFor = (ms: number) => {
      clearTimeout(patience)
      patience = setTimeout(() => this.#endHung(child, id), ms)
    }
    this.#pending.set(id, { child, finish: resolve, ending: () => waitFor(ENDING_MS) })
    child.stdin.write(`${line}\n`)
    let isLate = false
    const onAbort = () => {
      if (patience) return
      this.#send(child, { kind: 'cancel', id })
      waitFor(CANCEL_MS)
    }
    const deadline = setTimeout(() => {
      isLate = true
      onAbort()
    }, deadlineMs)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      const result = await promise
      return isLate && !result.ok ? describeLate(operation, deadlineMs) : result
    } finally {
      clearTimeout(deadline)
      clearTimeout(patience)
      signal.removeEventListener('abort', onAbort)
      this.#pending.delete(id)
      this.#restWhenIdle()
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#idle)
    const child = this.#child
    if (child) await letGo(child)
  }

  #start(): ChildProcessWithoutNullStreams {
    if (this.#child) return this.#child
    const { launch, workspacePath } = this.#options
    const child = spawn(launch.command, launch.args, {
      cwd: workspacePath,
      env: launch.env,
      stdio: 'pipe',
      ...(launch.uid !== undefined && { uid: launch.uid }),
      ...(launch.gid !== undefined && { gid: launch.gid }),
    })
    this.#child = child
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr = (stderr + chunk).slice(-STDERR_CHARS)
    })
    child.stdin.on('error', () => undefined)
    readLines(
      child.stdout,
      MAX_LINE_CHARS,
      (line) => this.#receive(child, line),
      () => child.kill('SIGKILL'),
    )
    child.once('error', (error) => this.#onEnd(child, error.message))
    child.once('exit', (code, signal) => this.#onEnd(child, `${signal ?? code} ${stderr.trim()}`))
    if (this.#orphans.length > 0) this.#send(child, { kind: 'reap', ids: this.#orphans.splice(0) })
    return child
  }

  #send(child: ChildProcessWithoutNullStreams, request: ToolProcessRequest): void {
    child.stdin.write(`${JSON.stringify(request)}\n`)
  }

  #receive(child: ChildProcessWithoutNullStreams, line: string): void {
    const answer = parseAnswer(line)
    if (!answer) {
      this.#options.log('error', 'tool_process_answer_malformed')
      child.kill('SIGKILL')
      return
    }
    const pending = this.#pending.get(answer.id)
    if (answer.kind === 'ending') pending?.ending()
    else {
      const { kind: _, id: __, ...result } = answer
      pending?.finish(result)
    }
  }

  /** It did not even answer a cancellation: nothing less helps. The next call has to find a fresh one. */
  #endHung(child: ChildProcessWithoutNullStreams, id: string): void {
    this.#options.log('warn', 'tool_process_hung')
    if (this.#child === child) this.#child = undefined
    this.#orphans.push(id)
    this.#pending.get(id)?.finish(STOPPED)
    child.kill('SIGKILL')
  }

  #onEnd(child: ChildProcessWithoutNullStreams, reason: string): void {
    if (this.#child === child) this.#child = undefined
    const lost = [...this.#pending].filter(([, pending]) => pending.child === child)
    if (lost.length > 0 && !this.#isClosed) this.#options.log('error', 'tool_process_died', { reason })
    for (const [id, { finish }] of lost) {
      this.#orphans.push(id)
      finish(DIED)
    }
    // At once, not with the next call: what they started must not go on.
    if (!this.#isClosed && this.#orphans.length > 0) {
      this.#start()
      this.#restWhenIdle()
    }
  }

  #restWhenIdle(): void {
    clearTimeout(this.#idle)
    if (this.#pending.size > 0 || this.#isClosed) return
    this.#idle = setTimeout(() => {
      const child = this.#child
      if (!child || this.#pending.size > 0) return
      this.#child = undefined
      void letGo(child)
    }, this.#options.idleMs)
    this.#idle.unref()
  }
}

function describeLate(operation: string, deadlineMs: number): ToolResult {
  const content = `[${operation} took longer than ${deadlineMs / 1000} s and was ended. Ask for less at once.]`
  return { ok: false, content, summary: `${operation} took too long` }
}

function parseAnswer(line: string): z.infer<typeof Answer> | undefined {
  try {
    return Answer.parse(JSON.parse(line))
  } catch {
    return undefined
  }
}

/** Closing its input asks it to end. */
async function letGo(child: ChildProcessWithoutNullStreams): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const timer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS)
  child.stdin.end()
  await ended
  clearTimeout(timer)
}
