/**
 * Brings a broken agent back: on its machine if that answers, else on another one with the state of the live agent or of the
 * last snapshot. A machine that answers is never left behind while its data are nowhere else.
 */
import { findAgent } from '../database/agents.ts'
import { findMachine, type Machine, noteMachine } from '../database/machines.ts'
import { create } from './create.ts'
import { type DeploymentRun, settle } from './deployment-run.ts'
import { INSTALL, SLOW } from './durable-work.ts'
import { installOnTrial } from './install-on-trial.ts'
import { takeSnapshot } from './move-state.ts'
import { refreshAddress } from './place-instance.ts'
import { blamesMachine, ProvisionFailure } from './provision-failure.ts'
import type { ProvisionPorts } from './provision-ports.ts'
import { endRolledBack, isRolledBack } from './rolled-back.ts'
import { targetOf } from './ssh-target.ts'

/** A machine that restarts gets a moment. */
const PROBE_WAIT_MS = 30_000

export async function repair(run: DeploymentRun): Promise<void> {
  const { work, deployment, note } = run
  const { agentId } = deployment
  const found = await work.do('look at machine', INSTALL, async (ports) => {
    await note('inspect')(ports)
    return lookAtMachine(ports, agentId)
  })
  if (found.answers) {
    try {
      const installed = await installOnTrial(run, found.machineId)
      await settle(run, found.machineId, installed)
      return
    } catch (error) {
      if (isRolledBack(error)) return endRolledBack(run, found.machineId, error)
      if (!blamesMachine(error)) throw error
      if (error.code !== 'machine_gone' && (await saveState(run)) !== 'saved') throw error
    }
  } else await saveState(run)
  await create(run)
}

/** From the live agent, which may answer although SSH does not. */
function saveState({ work, deployment }: DeploymentRun): Promise<'saved' | 'silent'> {
  return work.do('save state', SLOW, (ports) => takeSnapshot(ports, deployment.agentId))
}

async function lookAtMachine(
  ports: ProvisionPorts,
  agentId: string,
): Promise<{ answers: false } | { answers: true; machineId: string }> {
  const agent = await findAgent(ports.database, agentId)
  const machine = agent?.machineId ? await findMachine(ports.database, agent.machineId) : undefined
  if (machine?.state !== 'in_use' || machine.agentId !== agentId) return { answers: false }
  return (await answers(ports, machine)) ? { answers: true, machineId: machine.id } : { answers: false }
}

async function answers(ports: ProvisionPorts, machine: Machine): Promise<boolean> {
  try {
    await ports.runner.probe({ target: targetOf(await refreshAddress(ports, machine)), wait_ms: PROBE_WAIT_MS })
    return true
  } catch (error) {
    // A machine at work, or a runner in trouble, says nothing about whether it lives: asked again.
    if (!(error instanceof ProvisionFailure)) throw error
    if (!['unreachable', 'host_key_mismatch', 'auth_failed'].includes(error.code)) throw error
    await noteMachine(ports.database, machine.id, { failure: error.code, failedAt: ports.now() }, ports.now())
    return false
  }
}
