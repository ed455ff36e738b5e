/** What a Workflow is told. Everything else is read from the row of that id, so that a restart sees the newest state. */
export type WorkflowParams =
  | { readonly deploymentId: string }
  /** A machine for the pool. `since` tells one attempt from the next. */
  | { readonly poolMachineId: string; readonly since: number }
  | { readonly rolloutId: string }

/** One Workflow per piece of work, however often it is asked for. */
export function workflowId(params: WorkflowParams): string {
  if ('deploymentId' in params) return `deploy-${params.deploymentId}`
  if ('rolloutId' in params) return `rollout-${params.rolloutId}`
  return `pool-${params.poolMachineId}-${params.since}`
}
