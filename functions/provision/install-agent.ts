/** Puts an agent onto a machine that SSH reaches, through the runner, and makes sure that it answers from outside. */
import type { DeployRequest } from '../../deploy-runner/protocol.ts'
import { type Agent, findAgent } from '../database/agents.ts'
import { findMachine, type Machine, noteMachine } from '../database/machines.ts'
import { ingressOf } from './aleph/gateway.ts'
import { type DurableWork, INSTALL } from './durable-work.ts'
import { refreshAddress } from './place-instance.ts'
import { ProvisionFailure } from './provision-failure.ts'
import type { ProvisionPorts } from './provision-ports.ts'
import { targetOf } from './ssh-target.ts'

/** A machine that was placed a moment ago still boots: minutes are normal. */
const BOOT_WAIT_MS = 8 * 60_000
/** One that has been spoken to may be starting anew; a dead one of the pool is not to cost the time of a whole boot. */
const RESTART_WAIT_MS = 2 * 60_000
const PUBLIC_HEALTH_LIMIT_MS = 6 * 60_000
/** Name and certificate are there already, and going back costs less than waiting. */
const TRIAL_HEALTH_LIMIT_MS = 3 * 60_000

export interface Installed {
  readonly url: string
  readonly version: string
}

export interface Installation {
  readonly agentId: string
  readonly machineId: string
  readonly label: string
  /** What ran before is kept on the machine until this is settled. */
  readonly trial?: string
}

/** @throws {ProvisionFailure} and leaves the machine so that the next try converges */
export async function installAgent(
  work: DurableWork,
  installation: Installation,
  note: (step: string) => (ports: ProvisionPorts) => Promise<void>,
): Promise<Installed> {
  const { label, trial } = installation
  const installed = await work.do(`deploy ${label}`, INSTALL, async (ports) => {
    await note('connect')(ports)
    return deploy(ports, installation, note)
  })
  const limitMs = trial === undefined ? PUBLIC_HEALTH_LIMIT_MS : TRIAL_HEALTH_LIMIT_MS
  await awaitPublicHealth(work, { ...installed, label, limitMs }, note)
  return installed
}

/**
 * Asked where everybody asks: that it answers on its own machine has been seen by then.
 * @param version what has to answer there; another one lives elsewhere
 * @throws {ProvisionFailure} unreachable_outside
 */
export async function awaitPublicHealth(
  work: DurableWork,
  {
    url,
    version,
    label,
    limitMs = PUBLIC_HEALTH_LIMIT_MS,
  }: { url: string; version?: string; label: string; limitMs?: number },
  note: (step: string) => (ports: ProvisionPorts) => Promise<void>,
): Promise<void> {
  await work.poll(`health ${label}`, { ms: limitMs, code: 'unreachable_outside' }, async (ports, waitedMs) => {
    if (waitedMs === 0) await note('health')(ports)
    const seen = await ports.agents.health(url)
    if (seen && version && seen.version !== version) {
      throw new Error(`version ${seen.version} answers there, not ${version}`)
    }
    return seen !== undefined
  })
}

async function deploy(
  ports: ProvisionPorts,
  { agentId, machineId, trial }: Installation,
  note: (step: string) => (ports: ProvisionPorts) => Promise<void>,
): Promise<Installed> {
  const { database, now } = ports
  const [agent, found] = await Promise.all([findAgent(database, agentId), findMachine(database, machineId)])
  if (!agent) throw new ProvisionFailure('superseded', 'the agent is gone')
  // Whoever takes a machine from a deployment ends that first: this one was lost.
  if (!found || found.agentId !== agentId || found.state === 'destroying' || found.state === 'gone') {
    throw new ProvisionFailure('machine_gone', `${machineId} was taken away`)
  }
  const machine = await refreshAddress(ports, found)
  if (!machine.url) throw new ProvisionFailure('unreachable', `machine ${machine.id} has no public address`)
  const told: Promise<void>[] = []
  const request = await buildRequest(ports, agent, machine, machine.url)
  const result = await ports.runner.deploy(trial === undefined ? request : { ...request, trial }, (step) => {
    told.push(note(step)(ports).catch(() => undefined))
  })
  await Promise.all(told)
  // Pinned on first contact: from now on nobody else may answer for this machine.
  await noteMachine(database, machineId, { hostKey: result.host_key }, now())
  return { url: machine.url, version: result.agent_version ?? '' }
}

async function buildRequest(
  { config, seal }: ProvisionPorts,
  agent: Agent,
  machine: Machine,
  url: string,
): Promise<DeployRequest> {
  return {
    target: targetOf(machine),
    wait_ms: machine.hostKey ? RESTART_WAIT_MS : BOOT_WAIT_MS,
    ingress: ingressOf(url),
    agent: {
      agent_id: agent.id,
      name: agent.name,
      system_prompt: agent.prompt,
      model: agent.model,
      owner_chat_id: String(agent.ownerId),
      libertai_base_url: `${config.PUBLIC_URL}/v1`,
      callback_url: `${config.PUBLIC_URL}/agents/${agent.id}/pending`,
    },
    secrets: {
      agent_secret: await seal.open(agent.secretSealed, { what: 'agent-secret', id: agent.id }),
      libertai_api_key: await seal.open(agent.inferenceKeySealed, { what: 'inference-key', id: agent.id }),
    },
  }
}

/** Where an agent's server answers, with its secret. For within a step alone: it is never returned from one. */
export async function addressOf({ seal }: Pick<ProvisionPorts, 'seal'>, agent: Agent, url: string) {
  return { url, secret: await seal.open(agent.secretSealed, { what: 'agent-secret', id: agent.id }) }
}
