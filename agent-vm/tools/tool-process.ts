/**
 * The tool process: does for the server what touches files, runs commands or reads the web. It holds no secret and, where the
 * server may switch users, none is within its reach. It ends with its standard input, and takes along what still runs.
 */
import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { endProcesses } from './confined/end-processes.ts'
import { OPERATIONS } from './confined/operations.ts'
import { openPlace } from './confined/place.ts'
import { ToolFailure } from './confined/tool-failure.ts'
import { readLines } from './process/lines.ts'
import { MAX_LINE_CHARS, type ToolProcessAnswer, type ToolProcessRequest } from './process/wire.ts'
import type { ToolResult } from './tool-runner.ts'

/** Under memory pressure the kernel ends a command before it ends the server. */
const OOM_SCORE = '500'
/** For everything that runs to end with us; more than ending a command takes on the slowest machine. */
const PATIENCE_MS = 12_000

type CallRequest = Extract<ToolProcessRequest, { kind: 'call' }>

/** Started by the server alone. Resolves when the server has let go. */
export async function runToolProcess(): Promise<void> {
  preferOurEnd()
  const workspace = process.cwd()
  const running = new Map<string, AbortController>()
  const works = new Set<Promise<void>>()
  const over = Promise.withResolvers<void>()
  const handle = (request: ToolProcessRequest): void => {
    if (request.kind === 'cancel') {
      running.get(request.id)?.abort()
      return
    }
    const work = request.kind === 'reap' ? endProcesses(undefined, request.ids) : call(request)
    works.add(work)
    void work.finally(() => works.delete(work))
  }
  const call = async (request: CallRequest): Promise<void> => {
    const { id } = request
    const controller = new AbortController()
    running.set(id, controller)
    const result = await runOperation(request, workspace, controller.signal)
    running.delete(id)
    say({ kind: 'result', id, ...result })
  }
  readLines(process.stdin, MAX_LINE_CHARS, (line) => handle(JSON.parse(line)), over.reject)
  process.stdin.once('close', () => over.resolve())
  process.stdout.on('error', () => over.resolve())
  // The server decides when to end; a Ctrl-C in its terminal reaches us as well.
  process.on('SIGINT', () => undefined)
  process.on('SIGTERM', () => over.resolve())
  await over.promise
  const interrupted = [...running.keys()]
  for (const controller of running.values()) controller.abort()
  await Promise.race([Promise.allSettled(works), sleep(PATIENCE_MS)])
  await endProcesses(undefined, interrupted)
  process.exit(0)
}

function say(answer: ToolProcessAnswer): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}

async function runOperation(request: CallRequest, workspace: string, signal: AbortSignal): Promise<ToolResult> {
  try {
    const place = await openPlace(workspace, request.folder)
    // The server parsed the input with the tool's schema before it sent it.
    const operation = OPERATIONS[request.operation] as (input: unknown, context: object) => Promise<ToolResult>
    const sayEnding = () => say({ kind: 'ending', id: request.id })
    return await operation(request.input, { place, signal, mark: request.id, sayEnding })
  } catch (error) {
    return renderFailure(error, signal)
  }
}

function renderFailure(error: unknown, signal: AbortSignal): ToolResult {
  if (signal.aborted) return { ok: false, content: '[stopped by the person]', summary: 'stopped' }
  const message = error instanceof Error ? error.message : String(error)
  const content = error instanceof ToolFailure ? message : `The tool failed unexpectedly: ${message}`
  return { ok: false, content, summary: content.split('\n')[0]?.slice(0, 120).toWellFormed() ?? 'failed' }
}

function preferOurEnd(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', OOM_SCORE)
  } catch {
    // Elsewhere than on Linux there is no such thing.
  }
}
