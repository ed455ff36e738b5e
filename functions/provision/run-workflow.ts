/** What a Workflow does, whatever runs its steps: the platform, or a test that kills it between any two of them. */
import { type Deployment, findDeployment } from '../database/deployments.ts'
import { describeError, log } from '../log.ts'
import { create } from './create.ts'
import { type DeploymentRun, fail, startRun } from './deployment-run.ts'
import { destroy } from './destroy.ts'
import { DurableWork, QUICK, type Steps } from './durable-work.ts'
import { ProvisionFailure } from './provision-failure.ts'
import type { ProvisionPorts } from './provision-ports.ts'
import { repair } from './repair.ts'
import { rollOut, stopRollout } from './rollout.ts'
import { update } from './update.ts'
import { warmMachine } from './warm-machine.ts'
import type { WorkflowParams } from './workflow-params.ts'

const KINDS: Readonly<Record<Deployment['kind'], (run: DeploymentRun) => Promise<void>>> = {
  create,
  repair,
  update,
  destroy,
}

export async function runWorkflow(
  params: WorkflowParams,
  steps: Steps,
  openPorts: () => ProvisionPorts,
): Promise<void> {
  const work = new DurableWork(steps, openPorts)
  if ('poolMachineId' in params) return warmMachine(work, params.poolMachineId)
  if ('rolloutId' in params) {
    return rollOut(work, params.rolloutId).catch((error: unknown) =>
      stopRollout(work, params.rolloutId, describeError(error)),
    )
  }
  return deploy(work, params.deploymentId)
}

async function deploy(work: DurableWork, deploymentId: string): Promise<void> {
  const deployment = await work.do('load', QUICK, async ({ database }) => {
    const row = await findDeployment(database, deploymentId)
    return row?.status === 'running' ? row : null
  })
  if (!deployment) return
  const run = startRun(work, deployment)
  try {
    await KINDS[deployment.kind](run)
  } catch (error) {
    if (!(error instanceof ProvisionFailure)) {
      log('error', 'deployment_broke', { deployment: deployment.id, error: describeError(error) })
    }
    await fail(run, error)
  }
}
