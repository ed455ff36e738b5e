/**
 * Runs one shell command in a session of its own, so that everything it starts can be ended with it.
 *
 * The command is over when its shell is: what it left in the background goes on, and its later output is read and dropped, so
 * that it neither holds up the call nor dies of a closed pipe. After a stop or a timeout nothing of it goes on.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { CALL_MARK } from '../process/wire.ts'
import type { ToolResult } from '../tool-runner.ts'
import { CommandOutput } from './command-output.ts'
import { endProcesses } from './end-processes.ts'
import type { Operation } from './operation.ts'
import { ToolFailure } from './tool-failure.ts'

export interface BashInput {
  readonly command: string
  readonly timeout_s: number
}

/** A command that floods is stopped: nobody reads that, and it keeps both processes busy. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024
/** After the shell has ended: for what is still in the pipe when a background job keeps it open. */
const DRAIN_MS = 50
/** The shell joins both outputs itself, in the order they were written; `eval` keeps the command's own line numbers. */
const WRAPPER = 'exec 2>&1; ulimit -S -c 0; eval "$1"'

type Ending = { readonly code: number | null; readonly signal: NodeJS.Signals | null }
type Reason = 'stopped' | 'timeout' | 'flood'

export const runBash: Operation<BashInput> = async (input, { place, signal, mark, sayEnding }) => {
  if (signal.aborted) throw new ToolFailure('[not run: stopped by the person]')
  const output = new CommandOutput(place.root)
  const child = spawn('bash', ['-c', WRAPPER, 'bash', input.command], {
    cwd: place.root,
    // biome-ignore lint/style/noProcessEnv: of this process it holds what was made for the tools, and nothing else
    env: { ...process.env, [CALL_MARK]: mark },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const { ending, reason } = await untilOver(child, output, {
    timeoutMs: input.timeout_s * 1000,
    signal,
    mark,
    sayEnding,
  })
  return render(input, ending, reason, await output.finish())
}

async function untilOver(
  child: ChildProcess,
  output: CommandOutput,
  limits: { timeoutMs: number; signal: AbortSignal; mark: string; sayEnding: () => void },
): Promise<{ ending: Ending; reason: Reason | undefined }> {
  const over = Promise.withResolvers<Ending>()
  const closed = Promise.withResolvers<void>()
  let reason: Reason | undefined
  let ended: Promise<void> | undefined
  const end = (why: Reason) => {
    if (ended) return
    reason = why
    limits.sayEnding()
    ended = endProcesses(child.pid, [limits.mark])
  }
  const onAbort = () => end('stopped')
  const timer = setTimeout(() => end('timeout'), limits.timeoutMs)
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output.add(chunk)
      if (output.bytes > MAX_OUTPUT_BYTES) end('flood')
    })
  }
  child.once('error', (error) =>
    over.reject(new ToolFailure(`bash could not be started: ${error.message}`, { cause: error })),
  )
  child.once('exit', (code, signal) => over.resolve({ code, signal }))
  child.once('close', () => closed.resolve())
  limits.signal.addEventListener('abort', onAbort, { once: true })
  try {
    const ending = await over.promise
    await Promise.race([closed.promise, sleep(DRAIN_MS)])
    return { ending, reason }
  } finally {
    clearTimeout(timer)
    limits.signal.removeEventListener('abort', onAbort)
    await ended
    output.close()
  }
}

function render(input: BashInput, ending: Ending, reason: Reason | undefined, output: string): ToolResult {
  const first = input.command.trim().split('\n')[0] ?? ''
  const shown = `$ ${first.length > 80 ? `${first.slice(0, 79)}…` : first}`.toWellFormed()
  if (reason === undefined && ending.code === 0) return { ok: true, content: output || '[no output]', summary: shown }
  const note = describeEnding(input, ending, reason)
  return {
    ok: false,
    content: [output, `[${note}]`].filter(Boolean).join('\n'),
    summary: `${shown} (${shorten(note)})`,
  }
}

function describeEnding({ timeout_s }: BashInput, { code, signal }: Ending, reason: Reason | undefined): string {
  if (reason === 'stopped') return 'stopped by the person; everything it started was ended'
  if (reason === 'timeout') {
    return `timed out after ${timeout_s} s and was ended with everything it started. Give a longer timeout_s, or run it in the background with its output in a file`
  }
  if (reason === 'flood') return `ended: more than ${MAX_OUTPUT_BYTES} bytes of output. Filter it or write it to a file`
  if (signal === 'SIGKILL') return 'killed by SIGKILL: perhaps it used too much memory'
  return code === null ? `ended by ${signal}` : `exit code ${code}`
}

function shorten(note: string): string {
  return note.split(/[;:.]| and /)[0] ?? note
}
