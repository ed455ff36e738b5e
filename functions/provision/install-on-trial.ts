/**
 * Something newer onto the machine of an agent that can be reached: it is on trial until the agent can be reached again, by
 * everybody and not only on its machine. If it cannot, what ran before comes back, because whether the new version broke the way
 * in or the way broke by itself is not to be seen from here; what could be reached is worth more than what is newer. An agent
 * that could not be reached before has nothing to lose, and keeps the new version.
 */
import { findAgent } from '../database/agents.ts'
import { findMachine } from '../database/machines.ts'
import { describeError, log } from '../log.ts'
import type { DeploymentRun } from './deployment-run.ts'
import { INSTALL, QUICK, SLOW } from './durable-work.ts'
import { awaitPublicHealth, type Installed, installAgent } from './install-agent.ts'
import { takeSnapshot } from './move-state.ts'
import { refreshAddress } from './place-instance.ts'
import { ProvisionFailure } from './provision-failure.ts'
import type { ProvisionPorts } from './provision-ports.ts'
import { targetOf } from './ssh-target.ts'

/** @throws {ProvisionFailure} rolled_back, rolled_back_outside: the agent runs as before, and can be reached if it could be */
export async function installOnTrial(run: DeploymentRun, machineId: string): Promise<Installed> {
  const { work, deployment, note } = run
  const { agentId, id: trial } = deployment
  await work.do('save state before', SLOW, (ports) => takeSnapshot(ports, agentId))
  const wasReachable = await work.do('look from outside', QUICK, (ports) => isReachable(ports, run, machineId))
  if (!wasReachable) return installAgent(work, { agentId, machineId, label: 'new' }, note)
  try {
    const installed = await installAgent(work, { agentId, machineId, label: 'new', trial }, note)
    await keepNew(run, machineId)
    return installed
  } catch (error) {
    if (!(error instanceof ProvisionFailure) || error.code !== 'unreachable_outside') throw error
    throw await goBack(run, machineId, error)
  }
}

/** A Workflow that begins again finds an agent that is on trial already: its state was put aside from outside before. */
async function isReachable(
  { agents, database }: ProvisionPorts,
  { deployment }: DeploymentRun,
  machineId: string,
): Promise<boolean> {
  const [agent, machine] = await Promise.all([
    findAgent(database, deployment.agentId),
    findMachine(database, machineId),
  ])
  if ((agent?.snapshotAt ?? 0) >= deployment.createdAt) return true
  return machine?.url ? (await agents.health(machine.url)) !== undefined : false
}

/** Best effort, however long it takes: the runner forgets by itself what a later deployment finds of it. */
async function keepNew({ work, deployment }: DeploymentRun, machineId: string): Promise<void> {
  await work
    .do('keep new', INSTALL, async (ports) => {
      await settleTrial(ports, { machineId, trial: deployment.id, verdict: 'good' })
    })
    .catch((error: unknown) => log('warn', 'trial_not_settled', { machine: machineId, error: describeError(error) }))
}

/** @returns what to tell of it: the former version can be reached, or it is not the new one that is to blame */
async function goBack(run: DeploymentRun, machineId: string, failure: ProvisionFailure): Promise<ProvisionFailure> {
  const { work, deployment, note } = run
  const former = await work
    .do('go back', INSTALL, async (ports) => {
      await note('rollback')(ports)
      const settled = await settleTrial(ports, { machineId, trial: deployment.id, verdict: 'bad' })
      const url = (await findMachine(ports.database, machineId))?.url
      return settled.rolled_back_to && url ? { version: settled.rolled_back_to, url } : null
    })
    .catch((error: unknown) => {
      if (error instanceof ProvisionFailure && error.code === 'superseded') throw error
      log('error', 'trial_not_taken_back', { machine: machineId, error: describeError(error) })
      return null
    })
  if (!former) return failure
  try {
    await awaitPublicHealth(work, { ...former, label: 'former' }, note)
    const reason = `${failure.message}, version ${former.version} runs again`
    return new ProvisionFailure('rolled_back_outside', reason, { cause: failure })
  } catch (error) {
    if (!(error instanceof ProvisionFailure) || error.code !== failure.code) throw error
    const reason = `neither with its new version nor with ${former.version}, which runs again, can it be reached`
    return new ProvisionFailure(failure.code, `${failure.message}; ${reason}`, { cause: failure })
  }
}

async function settleTrial(
  ports: ProvisionPorts,
  { machineId, trial, verdict }: { machineId: string; trial: string; verdict: 'good' | 'bad' },
) {
  const machine = await findMachine(ports.database, machineId)
  if (machine?.state !== 'in_use') throw new ProvisionFailure('superseded', 'the machine was given up')
  return ports.runner.settle({ target: targetOf(await refreshAddress(ports, machine)), trial, verdict })
}
