/**
 * Brings a machine to the wanted state: one look, then at most one parcel. Safe to repeat, and a repeat of what already holds
 * is the one look alone.
 */
import type { Artifacts } from './artifacts.ts'
import { inspect, type MachineState, VERSION_DIGITS } from './inspect.ts'
import { install } from './install.ts'
import { END_HOLDER_SCRIPT, LOCKED_EXIT_CODE } from './layout.ts'
import type { RunnerLimits } from './limits.ts'
import { planRollBack, planSteps } from './parcel.ts'
import type { MachineReport, ProgressLine } from './protocol.ts'
import { RunnerFailure } from './runner-failure.ts'
import { lastLines, type SshConnection } from './ssh-connection.ts'
import type { Wanted } from './steps/step.ts'
import { WIPE_SCRIPT } from './wipe-script.ts'

export type Progress = (line: ProgressLine) => void

export async function probe(ssh: SshConnection, progress: Progress, limits: RunnerLimits): Promise<MachineReport> {
  const state = await look(ssh, progress, limits)
  return report(state, ssh, { changed: [], bytesSent: 0 })
}

export async function deploy(
  ssh: SshConnection,
  wanted: Wanted,
  artifacts: Artifacts,
  progress: Progress,
  limits: RunnerLimits,
): Promise<MachineReport> {
  const state = await look(ssh, progress, limits)
  refuseImpossible(wanted, state, artifacts)
  const plan = { wanted, artifacts, limits }
  const steps = planSteps(plan, state)
  if (steps.every(({ work }) => !work)) {
    for (const { name } of steps) progress({ step: name, status: 'skip', ms: 0 })
    return report(state, ssh, { changed: [], bytesSent: 0 })
  }
  const { changed, bytesSent } = await install(
    ssh,
    { steps, rollBack: planRollBack(plan, state), state, artifacts },
    progress,
    limits,
  )
  const installed = { ...state, nodeVersion: artifacts.runtime.version }
  return report(installed, ssh, { changed, bytesSent }, artifacts.agentVersion)
}

export async function wipe(ssh: SshConnection, progress: Progress, limits: RunnerLimits): Promise<MachineReport> {
  const state = await look(ssh, progress, limits)
  await timed('wipe', progress, async () => {
    const { code, stdout, stderr } = await ssh.run(WIPE_SCRIPT, {
      step: 'wipe',
      limitMs: limits.wipeMs,
      endWith: END_HOLDER_SCRIPT,
    })
    if (code === LOCKED_EXIT_CODE) throw new RunnerFailure('busy', 'wipe', lastLines(stderr))
    if (code !== 0) {
      const output = lastLines(stderr || stdout)
      throw new RunnerFailure('step_failed', 'wipe', `The machine could not be wiped.\n${output}`)
    }
  })
  return report({ ...state, hashes: {} }, ssh, { changed: ['wipe'], bytesSent: 0 })
}

export function look(ssh: SshConnection, progress: Progress, { inspectMs }: RunnerLimits): Promise<MachineState> {
  return timed('inspect', progress, () => inspect(ssh, inspectMs))
}

function refuseImpossible({ ingress, agent }: Wanted, state: MachineState, { runtime }: Artifacts): void {
  // What is prepared is for somebody else: it must not begin with another's files and conversation.
  if (!agent && state.hashes['secrets.json']) {
    throw new RunnerFailure('step_failed', 'inspect', 'An agent lives on this machine. Only a wiped one is prepared.')
  }
  if (ingress?.kind === 'caddy' && state.mode === 'plain') {
    const why = 'A machine without systemd and root cannot serve a domain; give it a direct address.'
    throw new RunnerFailure('step_failed', 'inspect', why)
  }
  if (state.nodeVersion !== runtime.version && state.arch !== runtime.arch) {
    const why = `The runtime is for ${runtime.arch}; this machine is ${state.arch}.`
    throw new RunnerFailure('step_failed', 'inspect', why)
  }
}

export async function timed<T>(step: string, progress: Progress, work: () => Promise<T>): Promise<T> {
  const startedAt = Date.now()
  progress({ step, status: 'start', ms: 0 })
  try {
    const result = await work()
    progress({ step, status: 'ok', ms: Date.now() - startedAt })
    return result
  } catch (error) {
    progress({ step, status: 'error', ms: Date.now() - startedAt })
    throw error
  }
}

export function report(
  state: MachineState,
  ssh: SshConnection,
  { changed, bytesSent }: { changed: readonly string[]; bytesSent: number },
  agentVersion = state.hashes['agent.mjs']?.slice(0, VERSION_DIGITS),
): MachineReport {
  return {
    reachable: true,
    host_key: ssh.hostKey,
    os: state.os,
    mode: state.mode,
    changed: [...changed],
    round_trips: ssh.roundTrips(),
    bytes_sent: bytesSent,
    ...(agentVersion ? { agent_version: agentVersion } : {}),
    ...(state.nodeVersion ? { node_version: state.nodeVersion } : {}),
  }
}
