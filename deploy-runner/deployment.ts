/**
 * Brings a machine to the wanted state: one look, then at most one parcel. Safe to repeat, and a repeat of what already holds
 * is the one look alone.
 */

import { listenAddress } from './agent-files.ts'
import type { Artifacts } from './artifacts.ts'
import { inspect, type MachineState } from './inspect.ts'
import { type Parcel, packParcel, planParcel, type Wanted } from './parcel.ts'
import type { MachineReport, ProgressLine } from './protocol.ts'
import { RunnerFailure } from './runner-failure.ts'
import { lastLines, type SshConnection } from './ssh-connection.ts'
import { WIPE_SCRIPT } from './wipe-script.ts'

/** A bare machine on a slow network: the runtime goes over, packages come from their archive. */
const INSTALL_LIMIT_MS = 15 * 60_000
const WIPE_LIMIT_MS = 2 * 60_000
const UNHEALTHY_EXIT_CODE = 70

export type Progress = (line: ProgressLine) => void

export async function probe(ssh: SshConnection, progress: Progress): Promise<MachineReport> {
  const state = await timed('inspect', progress, () => inspect(ssh))
  return report(state, ssh, { changed: [], bytesSent: 0 })
}

export async function deploy(
  ssh: SshConnection,
  wanted: Wanted,
  artifacts: Artifacts,
  progress: Progress,
): Promise<MachineReport> {
  const port = wanted.ingress ? listenAddress(wanted.ingress).port : undefined
  const state = await timed('inspect', progress, () => inspect(ssh, port))
  refuseImpossible(wanted, state)
  const parcel = planParcel(wanted, state, artifacts)
  if (parcel.empty) return report(state, ssh, { changed: [], bytesSent: 0 })
  const { changed, bytesSent } = await install(ssh, parcel, artifacts, progress)
  const running = wanted.agent ? { agentVersion: artifacts.agentVersion } : {}
  return report({ ...state, ...running, nodeVersion: artifacts.runtime.version }, ssh, { changed, bytesSent })
}

export async function wipe(ssh: SshConnection, progress: Progress): Promise<MachineReport> {
  const state = await timed('inspect', progress, () => inspect(ssh))
  await timed('wipe', progress, async () => {
    const { code, stdout, stderr } = await ssh.run(WIPE_SCRIPT, { step: 'wipe', limitMs: WIPE_LIMIT_MS })
    if (code !== 0)
      throw new RunnerFailure('step_failed', 'wipe', `The machine could not be wiped.\n${lastLines(stderr || stdout)}`)
  })
  const { agentVersion: _gone, ...rest } = state
  return report(rest, ssh, { changed: ['wipe'], bytesSent: 0 })
}

function refuseImpossible({ ingress }: Wanted, { mode, arch }: MachineState): void {
  if (ingress?.kind === 'caddy' && mode === 'plain') {
    throw new RunnerFailure(
      'step_failed',
      'inspect',
      'A machine without systemd and root cannot serve a domain; give it a direct address.',
    )
  }
  if (mode === 'systemd' && arch !== 'x86_64') {
    throw new RunnerFailure('step_failed', 'inspect', `The runtime is for x86_64; this machine is ${arch}.`)
  }
}

async function install(ssh: SshConnection, parcel: Parcel, artifacts: Artifacts, progress: Progress) {
  let bytesSent = 0
  const steps = followSteps(progress)
  const stdin = packParcel(parcel, artifacts, (bytes) => {
    bytesSent += bytes
  })
  // The staging folder is root-only and goes in any case; a cut leaves it behind for the next try to remove.
  const command =
    'set -e; umask 077; s="$HOME/.baal-staging"; rm -rf "$s"; mkdir -p "$s"; trap \'rm -rf "$s"\' EXIT; tar -xzf - -C "$s"; sh "$s/install.sh" 2>&1'
  const { code, stdout, stderr } = await ssh.run(command, {
    step: 'bundle',
    limitMs: INSTALL_LIMIT_MS,
    stdin,
    onLine: steps.line,
  })
  if (code === 0) return { changed: steps.changed(), bytesSent }
  const step = steps.current()
  const output = lastLines(`${stdout}\n${stderr}`.replace(/^@.*\n?/gm, ''))
  progress({ step, status: 'error', ms: steps.elapsed() })
  throw code === UNHEALTHY_EXIT_CODE
    ? new RunnerFailure('unhealthy', 'health', `The agent was started but does not answer.\n${output}`)
    : new RunnerFailure('step_failed', step, `The step ended with code ${code}.\n${output}`)
}

/** Turns the installer's `@step status` lines into progress, with the time each step took. */
function followSteps(progress: Progress) {
  let current = 'bundle'
  let startedAt = Date.now()
  const changed: string[] = []
  return {
    line(line: string) {
      const match = /^@(\w+) (start|ok|skip)$/.exec(line.trim())
      if (!match) return
      const [, step = '', status = ''] = match
      if (status === 'start') {
        current = step
        startedAt = Date.now()
      }
      if (status === 'ok') changed.push(step)
      progress({ step, status: status as ProgressLine['status'], ms: status === 'ok' ? Date.now() - startedAt : 0 })
    },
    current: () => current,
    elapsed: () => Date.now() - startedAt,
    // Health is a look, not a change.
    changed: () => changed.filter((step) => step !== 'health'),
  }
}

async function timed<T>(step: string, progress: Progress, work: () => Promise<T>): Promise<T> {
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

function report(
  state: MachineState,
  ssh: SshConnection,
  { changed, bytesSent }: { changed: string[]; bytesSent: number },
): MachineReport {
  return {
    reachable: true,
    host_key: ssh.hostKey,
    os: state.os,
    mode: state.mode,
    changed,
    round_trips: ssh.roundTrips(),
    bytes_sent: bytesSent,
    ...(state.agentVersion ? { agent_version: state.agentVersion } : {}),
    ...(state.nodeVersion ? { node_version: state.nodeVersion } : {}),
  }
}
