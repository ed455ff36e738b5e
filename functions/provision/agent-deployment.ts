/** Puts an agent onto a machine that SSH reaches, through the runner, and makes sure that it answers from outside. */
import { AgentHealth } from '../../agent-vm/protocol.ts'
import type { DeployRequest } from '../../deploy-runner/protocol.ts'
import type { Bindings } from '../bindings.ts'
import type { Config } from '../config.ts'
import { findAgent } from '../database/agents.ts'
import type { Database } from '../database/database.ts'
import { findMachine, type Machine, updateMachine } from '../database/machines.ts'
import { sealFor } from '../seal.ts'
import { ingressOf } from './aleph/gateway.ts'
import type { Report } from './progress-reporter.ts'
import { ProvisionFailure } from './provision-failure.ts'
import { callRunner } from './runner-client.ts'

/** A machine that was placed a moment ago still boots: minutes are normal. */
const BOOT_WAIT_MS = 8 * 60_000
const HEALTH_LIMIT_MS = 10_000

export interface DeploymentPorts {
  readonly config: Config
  readonly database: Database
  readonly env: Bindings
  now(): number
}

/** @returns the version that runs now. @throws {ProvisionFailure} */
export async function deployAgent(
  { config, database, env, now }: DeploymentPorts,
  { agentId, machineId, report }: { agentId: string; machineId: string; report: Report },
): Promise<{ version: string }> {
  const [agent, machine] = await Promise.all([findAgent(database, agentId), findMachine(database, machineId)])
  if (!agent || !machine?.url) throw new ProvisionFailure('internal', 'the agent or its machine is gone')
  const seal = sealFor(config)
  const request: DeployRequest = {
    target: targetOf(machine),
    wait_ms: BOOT_WAIT_MS,
    ingress: ingressOf(machine.url),
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
  const told: Promise<void>[] = []
  const result = await callRunner({ config, env }, 'deploy', request, ({ step, status }) => {
    if (status === 'start') told.push(report(step))
  })
  await Promise.all(told)
  // Pinned on first contact: from now on nobody else may answer for this machine.
  await updateMachine(database, machineId, { hostKey: result.host_key }, now())
  return { version: result.agent_version ?? '' }
}

export function targetOf(machine: Machine) {
  if (!machine.sshHost || !machine.sshPort)
    throw new ProvisionFailure('unreachable', `machine ${machine.id} has no SSH address`)
  return {
    host: machine.sshHost,
    port: machine.sshPort,
    user: machine.sshUser,
    ...(machine.hostKey ? { host_key: machine.hostKey } : {}),
  }
}

/** @returns whether the agent answers under its public address: certificates and name may take minutes */
export async function answersPublicly(url: string): Promise<boolean> {
  try {
    const response = await fetch(new URL('/health', url), { signal: AbortSignal.timeout(HEALTH_LIMIT_MS) })
    return AgentHealth.safeParse(await response.json()).success
  } catch {
    return false
  }
}
