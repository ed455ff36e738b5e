/** Sends a parcel and follows its installer line by line, each step within its own limit. */
import type { Progress } from './deployment.ts'
import { RECEIVE_SCRIPT } from './install-script.ts'
import { END_HOLDER_SCRIPT, LOCKED_EXIT_CODE } from './layout.ts'
import { type RunnerLimits, stepLimitMs } from './limits.ts'
import { packParcel, type Work } from './parcel.ts'
import type { ProgressLine } from './protocol.ts'
import { RunnerFailure } from './runner-failure.ts'
import { type CommandResult, lastLines, type SshConnection, tookTooLong } from './ssh-connection.ts'
import { UNHEALTHY_EXIT_CODE } from './steps/health.ts'

export interface Installed {
  readonly changed: readonly string[]
  readonly bytesSent: number
}

export async function install(
  ssh: SshConnection,
  work: Work,
  progress: Progress,
  limits: RunnerLimits,
): Promise<Installed> {
  const parcel = await packParcel(work)
  const first = work.steps.find(({ work }) => work)?.name ?? 'bundle'
  const followed = followSteps(first, progress, limits)
  progress({ step: first, status: 'start', ms: 0, detail: `sending ${describeSize(parcel.bytes)}` })
  try {
    const result = await ssh.run(RECEIVE_SCRIPT, {
      step: followed.current,
      signal: followed.overdue,
      stdin: parcel.stream(),
      onLine: followed.line,
      endWith: END_HOLDER_SCRIPT,
    })
    throwUnlessDone(result, followed.failing())
    return { changed: followed.changed(), bytesSent: parcel.bytes }
  } catch (error) {
    progress({ step: followed.failing(), status: 'error', ms: followed.elapsed() })
    throw error
  } finally {
    followed.end()
  }
}

function throwUnlessDone({ code, stdout, stderr }: CommandResult, step: string): void {
  if (code === 0) return
  const rolledBackTo = /^rolled-back-to=(\w+)$/m.exec(stdout)?.[1]
  const output = lastLines(`${stdout}\n${stderr}`.replace(/^(@\w+ \w+|rolled-back-to=\w+)$\n?/gm, ''))
  if (code === LOCKED_EXIT_CODE) throw new RunnerFailure('busy', step, output)
  if (code === UNHEALTHY_EXIT_CODE && step === 'health') {
    throw new RunnerFailure('unhealthy', 'health', `The agent was started but does not answer.\n${output}`, {
      rolledBackTo,
    })
  }
  throw new RunnerFailure('step_failed', step, `The step ended with code ${code}.\n${output}`, { rolledBackTo })
}

/** Turns the installer's `@step status` lines into progress, with the time each step took, and limits each. */
function followSteps(first: string, progress: Progress, limits: RunnerLimits) {
  const overdue = new AbortController()
  const changed: string[] = []
  let current = first
  let failing = first
  let startedAt = Date.now()
  let timer = limit(first, limits.sendingMs)
  return {
    overdue: overdue.signal,
    line(line: string) {
      const match = /^@(\w+) (start|ok|skip)$/.exec(line.trim())
      if (!match) return
      const [, step = '', status = ''] = match
      if (status === 'start') {
        clearTimeout(timer)
        current = step
        // Going back is what a failure leads to, not the failure.
        if (step !== 'rollback') failing = step
        startedAt = Date.now()
        timer = limit(step, stepLimitMs(step, limits))
      }
      // Health is a look, not a change.
      if (status === 'ok' && step !== 'health') changed.push(step)
      const ms = status === 'ok' ? Date.now() - startedAt : 0
      progress({ step, status: status as ProgressLine['status'], ms })
    },
    current: () => current,
    failing: () => failing,
    elapsed: () => Date.now() - startedAt,
    changed: () => changed,
    end: () => clearTimeout(timer),
  }

  function limit(step: string, limitMs: number): NodeJS.Timeout {
    return setTimeout(() => overdue.abort(tookTooLong(step, limitMs)), limitMs)
  }
}

function describeSize(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.ceil(bytes / 1000)} KB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}
