/** Pushes deployments that stand still: wakes, starts or restarts their Workflow, and ends what can never end by itself. */
import { abandonDeployment, findStalled } from '../database/deployments.ts'
import { giveUpUnfinished } from '../database/machines.ts'
import { findRunningRollout } from '../database/rollouts.ts'
import { describeError, log } from '../log.ts'
import { report } from './progress.ts'
import type { ProvisionPorts } from './provision-ports.ts'

/** A deployment notes each step; none takes longer than this without a sign. */
const STALLED_AFTER_MS = 3 * 60_000
/** Longer than the sum of every step's limit for a sane deployment. */
const HOPELESS_AFTER_MS = 3 * 3_600_000

export async function nudgeStalled(ports: ProvisionPorts): Promise<void> {
  const { database, engine, now } = ports
  for (const deployment of await findStalled(database, now() - STALLED_AFTER_MS)) {
    try {
      if (now() - deployment.createdAt > HOPELESS_AFTER_MS) {
        log('error', 'deployment_hopeless', { deployment: deployment.id, step: deployment.step })
        await abandonDeployment(database, deployment, now())
        await giveUpUnfinished(database, deployment.agentId, { now: now() })
        const error = { code: 'timeout', message: 'it never came to an end' }
        await report(ports, deployment, 'failed', { status: 'failed', error })
      } else await engine.revive({ deploymentId: deployment.id })
    } catch (error) {
      log('warn', 'nudge_failed', { deployment: deployment.id, error: describeError(error) })
    }
  }
  const rollout = await findRunningRollout(database)
  const isNew = rollout?.updatedAt === rollout?.createdAt
  if (rollout && (isNew || now() - rollout.updatedAt > STALLED_AFTER_MS)) await engine.revive({ rolloutId: rollout.id })
}
