/**
 * The end of a trial: whoever deployed has looked at the agent from outside, and what ran before goes, or runs again. Safe to
 * repeat; for another trial than the one whose former generation is kept, nothing is done.
 */
import { look, type Progress, report, timed } from './deployment.ts'
import { FORGET_FORMER, isTrial, ON_TRIAL, ROLLED_BACK } from './generation.ts'
import { type MachineState, VERSION_DIGITS } from './inspect.ts'
import { END_HOLDER_SCRIPT, LAYOUT_SCRIPT, LOCKED_EXIT_CODE, TAKE_LOCK_SCRIPT } from './layout.ts'
import { type RunnerLimits, stepLimitMs } from './limits.ts'
import type { MachineReport } from './protocol.ts'
import { rollBackScript } from './roll-back-script.ts'
import { RunnerFailure } from './runner-failure.ts'
import { lastLines, type SshConnection } from './ssh-connection.ts'

/** @throws {RunnerFailure} unhealthy when the former server does not answer either */
export async function settle(
  ssh: SshConnection,
  { trial, verdict }: { trial: string; verdict: 'good' | 'bad' },
  progress: Progress,
  limits: RunnerLimits,
): Promise<MachineReport> {
  const state = await look(ssh, progress, limits)
  const step = verdict === 'good' ? 'settle' : 'rollback'
  const script = verdict === 'good' ? keepNewScript(trial) : keepFormerScript(trial, state, limits)
  const rolledBackTo = await timed(step, progress, async () => {
    const limitMs = stepLimitMs(step, limits)
    const { code, stdout, stderr } = await ssh.run(script, { step, limitMs, endWith: END_HOLDER_SCRIPT })
    if (code === LOCKED_EXIT_CODE) throw new RunnerFailure('busy', step, lastLines(stderr))
    if (code !== 0) {
      throw new RunnerFailure('unhealthy', step, `What ran before does not come back.\n${lastLines(stderr || stdout)}`)
    }
    return /^rolled-back-to=(\w+)$/m.exec(stdout)?.[1]
  })
  if (rolledBackTo === undefined) return report(state, ssh, { changed: [], bytesSent: 0 })
  return { ...report(state, ssh, { changed: [step], bytesSent: 0 }, rolledBackTo), rolled_back_to: rolledBackTo }
}

const keepNewScript = (trial: string) => `umask 077
${TAKE_LOCK_SCRIPT}
${LAYOUT_SCRIPT}
! ${isTrial(ON_TRIAL, trial)} || ${FORGET_FORMER}
`

/** Whoever did not hear that it is done asks again: it is written down which trial ended so. */
const keepFormerScript = (trial: string, { mode }: MachineState, { formerHealthMs }: RunnerLimits) => `umask 077
${TAKE_LOCK_SCRIPT}
${LAYOUT_SCRIPT}
if ${isTrial(ROLLED_BACK, trial)}; then
  ${FORGET_FORMER}
  echo "rolled-back-to=$(hash_of "$base/agent.mjs" | cut -c 1-${VERSION_DIGITS})"
  exit 0
fi
${isTrial(ON_TRIAL, trial)} || exit 0
${rollBackScript(mode, formerHealthMs)}
`
