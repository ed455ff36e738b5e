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
const PUBLIC_HEALTH_LIMIT_MS = 6 * 60_000

export interface Installed {
  readonly url: string
  readonly version: string
}

/** @throws {ProvisionFailure} and leaves the machine so that the next try converges */
export async function installAgent(
  work: DurableWork,
  { agentId, machineId, label }: { agentId: string; machineId: string; label: string },
  note: (step: string) => (ports: ProvisionPorts) => Promise<void>,
): Promise<Installed> {
  const installed = await work.do(`deploy ${label}`, INSTALL, async (ports) => {
    await note('connect')(ports)
    return deploy(ports, { agentId, machineId, note })
  })
  await awaitPublicHealth(work, { url: installed.url, label }, note)
  return installed
}

/** @throws {ProvisionFailure} unhealthy */
export async function awaitPublicHealth(
  work: DurableWork,
  { url, label }: { url: string; label: string },
  note: (step: string) => (ports: ProvisionPorts) => Promise<void>,
): Promise<void> {
  await work.poll(`health ${label}`, { ms: PUBLIC_HEALTH_LIMIT_MS, code: 'unhealthy' }, async (ports, waitedMs) => {
    if (waitedMs === 0) await note('health')(ports)
    return ports.agents.isHealthy(url)
  })
}

async function deploy(
  ports: ProvisionPorts,
  {
    agentId,
    machineId,
    note,
  }: { agentId: string; machineId: string; note: (step: string) => (ports: ProvisionPorts) => Promise<void> },
): Promise<Installed> {
  const { database, now } = ports
  const [agent, found] = await Promise.all([findAgent(database, agentId), findMachine(database, machineId)])
  if (!agent || !found || found.agentId !== agentId || found.state === 'destroying' || found.state === 'gone') {
    throw new ProvisionFailure('superseded', 'the agent or its machine is gone')
  }
  const machine = await refreshAddress(ports, found)
  if (!machine.url) throw new ProvisionFailure('unreachable', `machine ${machine.id} has no public address`)
  const told: Promise<void>[] = []
  const result = await ports.runner.deploy(await buildRequest(ports, agent, machine, machine.url), (step) => {
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
    wait_ms: BOOT_WAIT_MS,
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
