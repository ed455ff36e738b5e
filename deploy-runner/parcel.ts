/**
 * What a machine lacks, packed into one gzipped tar stream: the files that differ and the installer that puts them in place.
 * Comparing is pure; only the packing reads the runtime.
 */
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import { renderSecrets } from './agent-files.ts'
import { type Artifacts, sha256 } from './artifacts.ts'
import { concludeScript, forgetOtherTrials, isKnownGood, keepFormer } from './generation.ts'
import type { MachineState } from './inspect.ts'
import { installScript } from './install-script.ts'
import type { StepName } from './protocol.ts'
import { ROLL_BACK_FILE, rollBackScript } from './roll-back-script.ts'
import { bundle } from './steps/bundle.ts'
import { health } from './steps/health.ts'
import { ingress } from './steps/ingress.ts'
import { packages } from './steps/packages.ts'
import { runtime } from './steps/runtime.ts'
import { secrets } from './steps/secrets.ts'
import { service, serviceFingerprint } from './steps/service.ts'
import type { Plan, StepWork } from './steps/step.ts'
import { users } from './steps/users.ts'
import { workspace } from './steps/workspace.ts'

const PREPARE_STEPS = [packages, users, runtime, bundle, workspace, ingress] as const
const DEPLOY_STEPS = [packages, users, runtime, bundle, workspace, secrets, service, health, ingress] as const

export interface PlannedStep {
  readonly name: StepName
  /** Absent: it already holds. */
  readonly work?: StepWork
}

/** A tar archive ends with two empty blocks; a member that others follow must not. */
const TAR_END_BYTES = 1024
const SEND_CHUNK_BYTES = 256 * 1024

export function planSteps(plan: Plan, state: MachineState): readonly PlannedStep[] {
  const steps = plan.wanted.agent ? DEPLOY_STEPS : PREPARE_STEPS
  return steps.map((step) =>
    step.holds(plan, state) ? { name: step.name } : { name: step.name, work: step.apply(plan, state) },
  )
}

/** How a deployment that fails leaves the agent running with what it had, and how one that succeeds ends. */
export interface PlannedRollBack {
  /** Shell that keeps the former generation; where what is there is none, as a cut leaves it, an older one stays kept. */
  readonly keep: string
  readonly script: string
  /** Shell for when all is well. */
  readonly conclude: string
}

/** @returns `undefined` where the agent's server and the way to it stay as they are */
export function planRollBack(plan: Plan, state: MachineState): PlannedRollBack | undefined {
  const { agent, trial } = plan.wanted
  const isSameIngress = ingress.holds(plan, state)
  if (!agent || (service.holds(plan, state) && isSameIngress)) return undefined
  const applied = serviceFingerprint(plan, state)
  const isReplaced = isKnownGood(state) && (state.appliedService !== applied || !isSameIngress)
  const secretsHash = sha256(renderSecrets(agent.secrets))
  const keep = [forgetOtherTrials(trial), ...(isReplaced ? [keepFormer(state, secretsHash, trial)] : [])]
  return {
    keep: keep.join('\n'),
    script: rollBackScript(state.mode, plan.limits.formerHealthMs),
    conclude: concludeScript(applied, trial),
  }
}

export interface Parcel {
  readonly bytes: number
  stream(): Readable
}

export interface Work {
  readonly steps: readonly PlannedStep[]
  readonly rollBack: PlannedRollBack | undefined
  readonly state: MachineState
  readonly artifacts: Artifacts
}

export async function packParcel({ steps, rollBack, state, artifacts }: Work): Promise<Parcel> {
  const works = steps.flatMap(({ work }) => work ?? [])
  const tar = pack()
  const packed = buffer(tar)
  tar.entry({ name: 'install.sh', mode: 0o700 }, installScript(steps, state.mode, rollBack))
  if (rollBack) tar.entry({ name: ROLL_BACK_FILE, mode: 0o700 }, rollBack.script)
  for (const { files } of works) {
    for (const [name, content] of files ?? []) tar.entry({ name: `files/${name}`, mode: 0o600 }, content)
  }
  if (works.some(({ templates }) => templates)) {
    tar.entry({ name: 'files/workspace/', type: 'directory', mode: 0o700 })
    for (const { path, content } of artifacts.templates) {
      tar.entry({ name: `files/workspace/${path}`, mode: 0o660 }, content)
    }
  }
  tar.finalize()
  const small = await packed
  const members = works.some((work) => work.runtime)
    ? [gzipSync(small.subarray(0, -TAR_END_BYTES)), await artifacts.runtime.member()]
    : [gzipSync(small)]
  return {
    bytes: members.reduce((sum, member) => sum + member.length, 0),
    stream: () => Readable.from(chunks(members), { objectMode: false }),
  }
}

function* chunks(members: readonly Buffer[]): Generator<Buffer> {
  for (const member of members) {
    for (let at = 0; at < member.length; at += SEND_CHUNK_BYTES) yield member.subarray(at, at + SEND_CHUNK_BYTES)
  }
}
