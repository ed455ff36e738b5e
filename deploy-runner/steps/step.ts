import type { Artifacts } from '../artifacts.ts'
import type { MachineState, ManagedName } from '../inspect.ts'
import type { RunnerLimits } from '../limits.ts'
import type { AgentSecrets, AgentSettings, Ingress, StepName } from '../protocol.ts'

/** What should be on a machine. Without `agent` it is only prepared: no secrets, nothing started. */
export interface Wanted {
  readonly ingress?: Ingress | undefined
  readonly agent?: { readonly settings: AgentSettings; readonly secrets: AgentSecrets }
  /** What ran before is kept until this is settled. */
  readonly trial?: string | undefined
}

export interface Plan {
  readonly wanted: Wanted
  readonly artifacts: Artifacts
  readonly limits: Pick<RunnerLimits, 'healthMs' | 'formerHealthMs'>
}

/** One thing that a machine must have. Pure: it decides by the state alone and describes its work, which the parcel carries over. */
export interface InstallStep {
  readonly name: StepName
  holds(plan: Plan, state: MachineState): boolean
  apply(plan: Plan, state: MachineState): StepWork
}

export interface StepWork {
  /** Shell for the machine; `begin` and `done_` are written around it. Files lie in `files/`. Holds no secret. */
  readonly script: string
  readonly files?: ReadonlyMap<ManagedName, Buffer>
  readonly templates?: boolean
  readonly runtime?: boolean
}
