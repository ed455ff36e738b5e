/**
 * The tool process: does for the server what touches files, runs commands or reads the web. It holds no secret and, where the
 * server may switch users, none is within its reach. It ends with its standard input, and takes along what still runs.
 */
import { writeFileSync } from 'node:fs'
import { endProcesses } from './confined/end-processes.ts'
import { OPERATIONS } from './confined/operations.ts'
import { openPlace } from './confined/place.ts'
import { ToolFailure } from './confined/tool-failure.ts'
import { readLines } from './process/lines.ts'
import { MAX_LINE_CHARS, type ToolProcessRequest } from './process/wire.ts'
import type { ToolResult } from './tool-runner.ts'

/** Under memory pressure the kernel ends a command before it ends the server. */
const OOM_SCORE = '500'

type CallRequest = Extract<ToolProcessRequest, { kind: 'call' }>

/** Started by the server alone. Resolves when the server has let go. */
export async function runToolProcess(): Promise<void> {
  preferOurEnd()
  const workspace = process.cwd()
  const running = new Map<string, AbortController>()
  const over = Promise.withResolvers<void>()
  const handle = (request: ToolProcessRequest): void => {
    if (request.kind === 'cancel') running.get(request.id)?.abort()
    else if (request.kind === 'reap') void endProcesses(undefined, request.ids)
    else void call(request)
  }
  const call = async (request: CallRequest): Promise<void> => {
    const controller = new AbortController()
    running.set(request.id, controller)
    const result = await runOperation(request, workspace, controller.signal)
    running.delete(request.id)
    process.stdout.write(`${JSON.stringify({ id: request.id, ...result })}\n`)
  }
  readLines(process.stdin, MAX_LINE_CHARS, (line) => handle(JSON.parse(line)), over.reject)
  process.stdin.once('close', () => over.resolve())
  process.stdout.on('error', () => over.resolve())
  // The server decides when to end; a Ctrl-C in its terminal reaches us as well.
  process.on('SIGINT', () => undefined)
  process.on('SIGTERM', () => over.resolve())
  await over.promise
  for (const controller of running.values()) controller.abort()
  await endProcesses(undefined, [...running.keys()])
  process.exit(0)
}

async function runOperation(request: CallRequest, workspace: string, signal: AbortSignal): Promise<ToolResult> {
  try {
    const place = await openPlace(workspace, request.folder)
    // The server parsed the input with the tool's schema before it sent it.
    const operation = OPERATIONS[request.operation] as (input: unknown, context: object) => Promise<ToolResult>
    return await operation(request.input, { place, signal, mark: request.id })
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
