/** What the Workflow is told. Everything else is read from the `deployments` row, so that a restart sees the newest state. */
export interface DeploymentParams {
  readonly deploymentId: string
}
