/** The Worker in workerd as a process group of its own, to be killed without warning and started again on the same state. */
import { type StartedProcess, startProcess } from '../../local/child-process.ts'
import { freePort } from '../../local/sqld.ts'
import { wranglerDev } from '../../local/worker.ts'

const READY_LIMIT_MS = 60_000
const READY_POLL_MS = 50

export interface KillableWorker {
  readonly url: string
  /** Everything the Worker printed, over all starts. */
  readonly lines: readonly string[]
  /** Of wrangler, which has workerd as its child. */
  pid(): number
  start(): Promise<void>
  /** SIGKILL for wrangler and workerd at once. */
  kill(): Promise<void>
  stop(): Promise<void>
}

export async function killableWorker(options: {
  readonly config: string
  readonly dataDir: string
  readonly variables: Readonly<Record<string, string>>
  /** Where a debugger finds it; nowhere when absent. */
  readonly inspectorPort?: number
}): Promise<KillableWorker> {
  const { config, dataDir, variables, inspectorPort = 0 } = options
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const program = await wranglerDev({ port, dataDir, variables, config, inspectorPort, logLevel: 'log' })
  const lines: string[] = []
  let running: StartedProcess | undefined
  return {
    url,
    lines,
    pid: () => running?.pid ?? -1,
    async start() {
      running = startProcess({
        name: 'the Worker',
        ...program,
        onLine: (line) => void lines.push(line),
      })
      await untilReady(`${url}/health`, running)
    },
    async kill() {
      if (!running) return
      process.kill(-running.pid, 'SIGKILL')
      await running.ended
    },
    async stop() {
      await running?.stop()
    },
  }
}

async function untilReady(url: string, started: StartedProcess): Promise<void> {
  const deadline = Date.now() + READY_LIMIT_MS
  while (Date.now() < deadline) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(5_000) })
      await response.body?.cancel()
      if (response.ok) return
    } catch {
      // Not listening yet.
    }
    await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS))
  }
  throw new Error(`the Worker did not become ready\n${started.lastOutput()}`)
}
