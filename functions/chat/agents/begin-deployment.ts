/** Starts work on an agent's machine and shows it in the chat. Safe to repeat for the same update: the id is the same. */
import type { Agent } from '../../database/agents.ts'
import { changeStatus, recordDeployment } from '../../database/agents.ts'
import { renderElapsed } from '../catalogue/duration.ts'
import type { DeploymentReport } from '../deployment-report.ts'
import type { MessageTarget } from '../outgoing.ts'
import type { BaalContext } from '../routing/baal-context.ts'
import { renderProgress, trackDeployment } from './deployment-progress.ts'

export interface Work {
  readonly agent: Pick<Agent, 'id' | 'name'>
  readonly kind: DeploymentReport['kind']
  /** The message that becomes the progress message; absent: a new one. */
  readonly target?: MessageTarget | undefined
}

/** @returns `busy` when other work on this agent is under way: nothing was started */
export async function beginDeployment(ctx: BaalContext, { agent, kind, target }: Work): Promise<'begun' | 'busy'> {
  const { ports, words, out } = ctx
  const deploymentId = ports.ids('deployment')
  const recorded = await recordDeployment(ports.database, {
    id: deploymentId,
    agentId: agent.id,
    kind,
    chatName: ports.chat.name,
    now: ports.now(),
  })
  if (!recorded) return 'busy'
  // A new attempt: whoever writes to the agent meanwhile hears that it is being set up, not that it is broken.
  if (kind !== 'destroy') {
    await changeStatus(ports.database, agent.id, { from: ['failed'], to: 'creating', now: ports.now() })
  }
  await ports.startDeployment({ deploymentId, agentId: agent.id, kind })
  const text = renderProgress(
    { name: agent.name, kind, progress: 0, elapsed: renderElapsed(0, words), step: words.deploy.steps.queued },
    words,
  )
  const ref = `deployment:${deploymentId}`
  if (target) out.edit(target, text, { keyboard: [] })
  else out.send(text, { ref })
  trackDeployment(ports.store, deploymentId, target ?? { ref })
  return 'begun'
}
