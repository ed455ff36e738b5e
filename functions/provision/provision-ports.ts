/** What provisioning needs of the world. Opened anew for every step: connections do not outlive the event that made them. */
import type {
  DeployRequest,
  MachineReport,
  PrepareRequest,
  ProbeRequest,
  SettleRequest,
  WipeRequest,
} from '../../deploy-runner/protocol.ts'
import type { DeploymentReport } from '../chat/deployment-report.ts'
import type { Config } from '../config.ts'
import type { Database } from '../database/database.ts'
import type { Seal } from '../seal.ts'
import type { WorkflowParams } from './workflow-params.ts'

export interface ProvisionPorts {
  readonly config: Config
  readonly database: Database
  readonly seal: Seal
  readonly runner: Runner
  readonly agents: AgentServers
  readonly snapshots: Snapshots
  readonly engine: Engine
  /** Best effort: the chat is for looking at. */
  tell(chatName: string, report: DeploymentReport): Promise<void>
  now(): number
  /** 0 to 1. */
  random(): number
}

/** The deploy-runner. Every call is safe to repeat. @throws {ProvisionFailure} with the runner's own code */
export interface Runner {
  probe(request: ProbeRequest): Promise<MachineReport>
  prepare(request: PrepareRequest): Promise<MachineReport>
  deploy(request: DeployRequest, onStep: (step: string) => void): Promise<MachineReport>
  wipe(request: WipeRequest): Promise<MachineReport>
  /** Ends a deployment on trial. An older runner does not know it: `runner_outdated`. */
  settle(request: SettleRequest): Promise<MachineReport>
}

/** Agent servers under their public address. */
export interface AgentServers {
  /** @returns `undefined` when it does not answer: certificates and names may take minutes */
  health(url: string): Promise<{ readonly version: string } | undefined>
  /** @returns `undefined` when it does not answer */
  export(agent: AgentAddress): Promise<ReadableStream<Uint8Array> | undefined>
  /** @throws when the agent does not take it */
  import(agent: AgentAddress, archive: ReadableStream<Uint8Array>): Promise<void>
  configure(agent: AgentAddress, settings: { name: string; system_prompt: string; model: string }): Promise<void>
}

export interface AgentAddress {
  readonly url: string
  readonly secret: string
}

/** The last known state of each agent, whole or not at all. */
export interface Snapshots {
  save(agentId: string, archive: ReadableStream<Uint8Array>): Promise<{ bytes: number }>
  open(agentId: string): Promise<ReadableStream<Uint8Array> | undefined>
  erase(agentId: string): Promise<void>
}

/** Workflows by what they are about. */
export interface Engine {
  /** Starts it; one that runs already goes on. */
  start(params: WorkflowParams): Promise<void>
  /** Wakes what sleeps, starts what was never started, begins again what broke. @returns what was done */
  revive(params: WorkflowParams): Promise<'woken' | 'started' | 'restarted'>
}
