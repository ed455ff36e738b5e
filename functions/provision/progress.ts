/** Tells the chat how far a deployment is. */
import type { DeploymentReport } from '../chat/deployment-report.ts'
import type { Deployment } from '../database/deployments.ts'
import type { ProvisionPorts } from './provision-ports.ts'

/** Share of the whole at which each step begins, as it feels to someone who waits. */
const PROGRESS: Readonly<Record<string, number>> = {
  claim: 0.01,
  record: 0.02,
  instance: 0.05,
  placement: 0.12,
  boot: 0.3,
  connect: 0.35,
  inspect: 0.4,
  packages: 0.45,
  users: 0.6,
  runtime: 0.65,
  bundle: 0.75,
  workspace: 0.8,
  secrets: 0.82,
  service: 0.85,
  ingress: 0.9,
  health: 0.93,
  rollback: 0.95,
  restore: 0.97,
  wipe: 0.3,
  forget: 0.7,
  done: 1,
}

/** Reports of one deployment in the order of its life: its share of the whole makes the number that grows. */
const SEQ_PER_WHOLE = 10_000
const LAST_SEQ = SEQ_PER_WHOLE + 1

/** Steps are counted by name, and a runner, or a machine under its hands, may name any: those that we do not know are one. */
export function knownStep(step: string): string {
  return Object.hasOwn(PROGRESS, step) ? step : 'other'
}

export async function report(
  ports: Pick<ProvisionPorts, 'tell'>,
  deployment: Deployment,
  step: string,
  end?: Pick<DeploymentReport, 'status' | 'error' | 'loss'>,
): Promise<void> {
  const { chatName } = deployment
  if (!chatName) return
  const progress = end?.status === 'done' ? 1 : (PROGRESS[step] ?? 0.5)
  await ports.tell(chatName, {
    deploymentId: deployment.id,
    agentId: deployment.agentId,
    kind: deployment.kind,
    seq: end ? LAST_SEQ : Math.round(progress * SEQ_PER_WHOLE),
    status: end?.status ?? 'running',
    step,
    progress,
    startedAt: deployment.createdAt,
    ...(end?.error ? { error: end.error } : {}),
    ...(end?.loss ? { loss: end.loss } : {}),
  })
}
