/**
 * The newest agent server and settings on the agent's machine. When it does not come up with them, the runner has brought back
 * what ran before; where it could not, the settings are those it ran with.
 */
import { z } from 'zod'
import { findAgent, saveAgentSettings } from '../database/agents.ts'
import { finishDeployment } from '../database/deployments.ts'
import { findMachine } from '../database/machines.ts'
import { type DeploymentRun, settingsOf, settle } from './deployment-run.ts'
import { QUICK } from './durable-work.ts'
import { type Installed, installAgent } from './install-agent.ts'
import { installOnTrial } from './install-on-trial.ts'
import { report } from './progress.ts'
import { blamesMachine, type ProvisionFailure } from './provision-failure.ts'
import { repair } from './repair.ts'
import { endRolledBack, isRolledBack } from './rolled-back.ts'

const Settings = z.object({ name: z.string(), prompt: z.string(), model: z.string() })

export async function update(run: DeploymentRun): Promise<void> {
  const { work, deployment } = run
  const { agentId } = deployment
  const machineId = await work.do('find machine', QUICK, async (ports) => {
    const agent = await findAgent(ports.database, agentId)
    const machine = agent?.machineId ? await findMachine(ports.database, agent.machineId) : undefined
    return machine?.state === 'in_use' ? machine.id : null
  })
  // Nothing to update: it needs a machine first.
  if (!machineId) return repair(run)
  try {
    const installed = await installOnTrial(run, machineId)
    await settle(run, machineId, installed)
  } catch (error) {
    if (isRolledBack(error)) return endRolledBack(run, machineId, error)
    // It came up with its settings: they are not why nobody reaches it.
    if (!blamesMachine(error) || error.code === 'unreachable_outside') throw error
    await tryFormerSettings(run, machineId, error)
  }
}

/** @throws the failure when there are none, or the agent does not come up with them either */
async function tryFormerSettings(run: DeploymentRun, machineId: string, failure: ProvisionFailure): Promise<void> {
  const { work, deployment, note } = run
  const hasFormer = await work.do('restore settings', QUICK, async ({ database, now }) => {
    const agent = await findAgent(database, deployment.agentId)
    if (!agent?.deployedSettings || agent.deployedSettings === settingsOf(agent)) return false
    await saveAgentSettings(database, agent.id, Settings.parse(JSON.parse(agent.deployedSettings)), now())
    return true
  })
  if (!hasFormer) throw failure
  try {
    const installed = await installAgent(work, { agentId: deployment.agentId, machineId, label: 'former' }, note)
    await endWithFormerSettings(run, installed, failure)
  } catch (error) {
    if (!isRolledBack(error)) throw error
    await endRolledBack(run, machineId, error)
  }
}

/** The agent runs; that the update failed is told all the same. */
async function endWithFormerSettings(
  { work, deployment }: DeploymentRun,
  installed: Installed,
  failure: ProvisionFailure,
): Promise<void> {
  await work.do('finish former settings', QUICK, async (ports) => {
    const error = { code: 'rolled_back', message: `${failure.code}: ${failure.message}` }
    const outcome = { status: 'failed' as const, errorCode: error.code, error: error.message }
    await finishDeployment(ports.database, deployment, { status: 'running', ...installed }, outcome, ports.now())
    await report(ports, deployment, 'failed', { status: 'failed', error })
  })
}
