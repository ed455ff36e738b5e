/**
 * What provisioning tells the chat about a deployment, through `Chat.reportDeployment`. Reports may come twice and out of
 * order: `seq` grows, older ones are dropped.
 */
export interface DeploymentReport {
  readonly deploymentId: string
  readonly agentId: string
  readonly kind: 'create' | 'repair' | 'update' | 'destroy'
  readonly seq: number
  readonly status: 'running' | 'done' | 'failed'
  /** What goes on now, as a key of the catalogue (`deploy.step.<step>`). */
  readonly step: string
  /** 0 to 1: how far. */
  readonly progress: number
  /** Start of the deployment in ms since 1970, for the elapsed time. */
  readonly startedAt: number
  /** When failed: a code the catalogue knows (`deploy.error.<code>`), and a sentence for when it does not. */
  readonly error?: { readonly code: string; readonly message: string }
  /** When done without what the agent's former machine held at the end: how old its state is. */
  readonly loss?: StateLoss
}

export interface StateLoss {
  /** When the copy that the agent got was made, in ms since 1970; absent: there was none. */
  readonly copiedAt?: number
}
