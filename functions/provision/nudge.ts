/**
 * Pushes deployments that stand still: wakes, starts or restarts their Workflow, ends what can never end by itself, and begins
 * deletions again that ended too early.
 */
import { recordDeployment } from '../database/agents.ts'
import { findStalled, findUndeleted } from '../database/deployments.ts'
import { giveUpUnfinished } from '../database/machines.ts'
import { findRunningRollout } from '../database/rollouts.ts'
import { describeError, log } from '../log.ts'
import { endFailed } from './deployment-run.ts'
import type { ProvisionPorts } from './provision-ports.ts'

/** A deployment notes each step; none takes longer than this without a sign. */
const STALLED_AFTER_MS = 3 * 60_000
/** Longer than the sum of every step's limit for a sane deployment. */
const HOPELESS_AFTER_MS = 3 * 3_600_000
const DELETE_AGAIN_AFTER_MS = 10 * 60_000

export async function nudgeStalled(ports: ProvisionPorts): Promise<void> {
  const { database, engine, now } = ports
  for (const deployment of await findStalled(database, now() - STALLED_AFTER_MS)) {
    try {
      if (now() - deployment.createdAt > HOPELESS_AFTER_MS) {
        log('error', 'deployment_hopeless', { deployment: deployment.id, step: deployment.step })
        await endFailed(ports, deployment, { code: 'timeout', message: 'its Workflow never came to an end' })
        await giveUpUnfinished(database, deployment.agentId, { now: now() })
      } else await engine.revive({ deploymentId: deployment.id })
    } catch (error) {
      log('warn', 'nudge_failed', { deployment: deployment.id, error: describeError(error) })
    }
  }
  await deleteAgain(ports)
  const rollout = await findRunningRollout(database)
  const isNew = rollout?.updatedAt === rollout?.createdAt
  if (rollout && (isNew || now() - rollout.updatedAt > STALLED_AFTER_MS)) await engine.revive({ rolloutId: rollout.id })
}

/** Nobody sees an agent that is being deleted, so nobody would ask again: its machine would be paid for ever. */
async function deleteAgain({ database, engine, now }: ProvisionPorts): Promise<void> {
  for (const agentId of await findUndeleted(database, now() - DELETE_AGAIN_AFTER_MS)) {
    const id = `again${crypto.randomUUID().replaceAll('-', '').slice(0, 16)}`
    log('warn', 'deletion_begins_again', { deployment: id, agent: agentId })
    await recordDeployment(database, { id, agentId, kind: 'destroy', chatName: null, now: now() })
    await engine.start({ deploymentId: id })
  }
}
