/** A new version that did not come up, while the agent runs with what it had: the end of an update that is no success and no loss. */
import { findAgent } from '../database/agents.ts'
import { finishDeployment } from '../database/deployments.ts'
import { findMachine } from '../database/machines.ts'
import type { DeploymentRun } from './deployment-run.ts'
import { QUICK } from './durable-work.ts'
import { addressOf, awaitPublicHealth } from './install-agent.ts'
import { report } from './progress.ts'
import { ProvisionFailure } from './provision-failure.ts'
import type { ProvisionPorts } from './provision-ports.ts'

/** As the runner did when the new version did not answer on its machine, or as it was asked to when nobody else could reach it. */
const CODES: ReadonlySet<string> = new Set(['rolled_back', 'rolled_back_outside'])

export function isRolledBack(error: unknown): error is ProvisionFailure {
  return error instanceof ProvisionFailure && CODES.has(error.code)
}

/** @throws {ProvisionFailure} when the former version cannot be reached from outside */
export async function endRolledBack(run: DeploymentRun, machineId: string, failure: ProvisionFailure): Promise<void> {
  const { work, deployment, note } = run
  const url = await work.do('find rolled back', QUICK, async ({ database }) => {
    const machine = await findMachine(database, machineId)
    if (!machine?.url) throw new ProvisionFailure('superseded', 'its machine is gone')
    return machine.url
  })
  await awaitPublicHealth(work, { url, label: 'rolled back' }, note)
  await work.do('tell rolled back', QUICK, (ports) => tellSettings(ports, deployment.agentId, machineId))
  await work.do('finish rolled back', QUICK, async (ports) => {
    const { code, message } = failure
    const outcome = { status: 'failed' as const, errorCode: code, error: message }
    await finishDeployment(ports.database, deployment, { status: 'running' }, outcome, ports.now())
    await report(ports, deployment, 'failed', { status: 'failed', error: { code, message } })
  })
}

/**
 * The former server has the settings of its own deployment, and those its owner changed since while it ran. What was changed
 * while it did not is told now.
 */
async function tellSettings(ports: ProvisionPorts, agentId: string, machineId: string): Promise<void> {
  const [agent, machine] = await Promise.all([
    findAgent(ports.database, agentId),
    findMachine(ports.database, machineId),
  ])
  if (!agent || !machine?.url || machine.agentId !== agentId) {
    throw new ProvisionFailure('superseded', 'the agent or its machine is gone')
  }
  const { name, prompt, model } = agent
  const address = await addressOf(ports, agent, machine.url)
  await ports.agents.configure(address, { name, system_prompt: prompt, model })
}
