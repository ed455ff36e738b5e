/**
 * One part of the local set-up kept alive: started, known to be ready, started again when it dies, stopped for good.
 * A part that keeps dying is given up with its last words, not restarted for ever.
 */
import { type StartedProcess, type StartOptions, startProcess } from './child-process.ts'

const READY_LIMIT_MS = 60_000
const RESTART_PAUSE_MS = 500
/** More deaths than this within the window below end the whole set-up. */
const MAX_RESTARTS = 5
const RESTART_WINDOW_MS = 60_000

export class ServiceFailed extends Error {
  readonly code = 'service_failed'
}

export interface ServiceOptions extends StartOptions {
  /** Decides from the lines printed, or by asking; rejects or never resolves when it does not come up. */
  readonly ready: { line(line: string): boolean } | { ask(): Promise<boolean> }
  /** Told when it died and was started again. */
  readonly onRestart?: (reason: string) => void
  /** Told when it is given up. */
  readonly onFailure?: (error: ServiceFailed) => void
}

export interface Service {
  readonly name: string
  pid(): number
  stop(): Promise<void>
}

/** @throws {ServiceFailed} with the last lines of output when it ends or stays silent before it is ready */
export async function startService(options: ServiceOptions): Promise<Service> {
  let stopping = false
  let deaths: number[] = []
  let current = await startUntilReady(options)
  void keepAlive()
  return {
    name: options.name,
    pid: () => current.pid,
    async stop() {
      stopping = true
      await current.stop()
    },
  }

  async function keepAlive(): Promise<void> {
    while (true) {
      const { code, signal } = await current.ended
      if (stopping) return
      // What it started may have outlived it and still hold its port.
      await current.stop()
      const now = Date.now()
      deaths = [...deaths.filter((at) => now - at < RESTART_WINDOW_MS), now]
      if (deaths.length > MAX_RESTARTS) {
        options.onFailure?.(new ServiceFailed(`${options.name} keeps ending.\n${current.lastOutput()}`))
        return
      }
      await new Promise((resolve) => setTimeout(resolve, RESTART_PAUSE_MS))
      if (stopping) return
      try {
        current = await startUntilReady(options)
        options.onRestart?.(`ended with ${signal ?? `code ${code}`}`)
      } catch (error) {
        options.onFailure?.(error instanceof ServiceFailed ? error : new ServiceFailed(String(error), { cause: error }))
        return
      }
    }
  }
}

async function startUntilReady(options: ServiceOptions): Promise<StartedProcess> {
  const { ready } = options
  let sawReadyLine: () => void = () => undefined
  const readyLine = new Promise<void>((resolve) => {
    sawReadyLine = resolve
  })
  const started = startProcess({
    ...options,
    onLine: (line) => {
      if ('line' in ready && ready.line(line)) sawReadyLine()
      options.onLine?.(line)
    },
  })
  const limit = AbortSignal.timeout(READY_LIMIT_MS)
  const outcome = await Promise.race([
    'line' in ready ? readyLine.then(() => 'ready' as const) : askUntilReady(ready.ask, limit),
    started.ended.then(() => 'ended' as const),
    new Promise<'late'>((resolve) => limit.addEventListener('abort', () => resolve('late'), { once: true })),
  ])
  if (outcome === 'ready') return started
  await started.stop()
  const what = outcome === 'ended' ? 'ended before it was ready' : `was not ready within ${READY_LIMIT_MS / 1000} s`
  throw new ServiceFailed(`${options.name} ${what}.\n${started.lastOutput()}`)
}

async function askUntilReady(ask: () => Promise<boolean>, limit: AbortSignal): Promise<'ready' | 'late'> {
  while (!limit.aborted) {
    if (await ask()) return 'ready'
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return 'late'
}
