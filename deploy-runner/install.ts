/** Sends a parcel and follows its installer line by line, each step within its own limit. */
import type { Artifacts } from './artifacts.ts'
import type { Progress } from './deployment.ts'
import type { MachineState } from './inspect.ts'
import { RECEIVE_SCRIPT } from './install-script.ts'
import { LOCKED_EXIT_CODE } from './layout.ts'
import { type PlannedStep, packParcel } from './parcel.ts'
import type { ProgressLine } from './protocol.ts'
import { RunnerFailure } from './runner-failure.ts'
import { type CommandResult, lastLines, type SshConnection } from './ssh-connection.ts'
import { UNHEALTHY_EXIT_CODE } from './steps/health.ts'

export interface InstallLimits {
  /** How long a fresh agent may take until it answers. */
  readonly healthMs: number
  /** For steps that are not listed below. */
  readonly stepMs: number
}

export const DEFAULT_LIMITS: InstallLimits = { healthMs: 45_000, stepMs: 90_000 }

/** Packages come from an archive that may be slow, after a lock that may be held for minutes. */
const PACKAGES_LIMIT_MS = 12 * 60_000
/** The runtime is about 45 MB; a line of 2 Mbit/s carries it in three minutes. */
const SENDING_LIMIT_MS = 6 * 60_000

interface Work {
  readonly steps: readonly PlannedStep[]
  readonly state: MachineState
  readonly artifacts: Artifacts
}

export interface Installed {
  readonly changed: readonly string[]
  readonly bytesSent: number
}

export async function install(
  ssh: SshConnection,
  { steps, state, artifacts }: Work,
  progress: Progress,
  limits: InstallLimits,
): Promise<Installed> {
  const parcel = await packParcel(steps, state, artifacts)
  const first = steps.find(({ work }) => work)?.name ?? 'bundle'
  const followed = followSteps(first, progress, limits)
  progress({ step: first, status: 'start', ms: 0, detail: `sending ${describeSize(parcel.bytes)}` })
  try {
    const result = await ssh.run(RECEIVE_SCRIPT, {
      step: followed.current,
      signal: followed.overdue,
      stdin: parcel.stream(),
      onLine: followed.line,
    })
    throwUnlessDone(result, followed.current())
    return { changed: followed.changed(), bytesSent: parcel.bytes }
  } catch (error) {
    progress({ step: followed.current(), status: 'error', ms: followed.elapsed() })
    throw error
  } finally {
    followed.end()
  }
}

function throwUnlessDone({ code, stdout, stderr }: CommandResult, step: string): void {
  if (code === 0) return
  const output = lastLines(`${stdout}\n${stderr}`.replace(/^@\w+ \w+$\n?/gm, ''))
  if (code === LOCKED_EXIT_CODE) throw new RunnerFailure('busy', step, output)
  if (code === UNHEALTHY_EXIT_CODE && step === 'health') {
    throw new RunnerFailure('unhealthy', 'health', `The agent was started but does not answer.\n${output}`)
  }
  throw new RunnerFailure('step_failed', step, `The step ended with code ${code}.\n${output}`)
}

/** Turns the installer's `@step status` lines into progress, with the time each step took, and limits each. */
function followSteps(first: string, progress: Progress, limits: InstallLimits) {
  const overdue = new AbortController()
  const changed: string[] = []
  let current = first
  let startedAt = Date.now()
  let timer = limit(first, SENDING_LIMIT_MS)
  return {
    overdue: overdue.signal,
    line(line: string) {
      const match = /^@(\w+) (start|ok|skip)$/.exec(line.trim())
      if (!match) return
      const [, step = '', status = ''] = match
      if (status === 'start') {
        clearTimeout(timer)
        current = step
        startedAt = Date.now()
        timer = limit(step, stepLimit(step, limits))
      }
      // Health is a look, not a change.
      if (status === 'ok' && step !== 'health') changed.push(step)
      const ms = status === 'ok' ? Date.now() - startedAt : 0
      progress({ step, status: status as ProgressLine['status'], ms })
    },
    current: () => current,
    elapsed: () => Date.now() - startedAt,
    changed: () => changed,
    end: () => clearTimeout(timer),
  }

  function limit(step: string, limitMs: number): NodeJS.Timeout {
    const late = () => new RunnerFailure('timeout', step, `The step took more than ${Math.round(limitMs / 1000)} s.`)
    return setTimeout(() => overdue.abort(late()), limitMs)
  }
}

function stepLimit(step: string, { healthMs, stepMs }: InstallLimits): number {
  if (step === 'packages') return PACKAGES_LIMIT_MS
  return step === 'health' ? healthMs + stepMs : stepMs
}

function describeSize(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.ceil(bytes / 1000)} KB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}
