/** Provisioning as a Cloudflare Workflow: durable steps around `run-workflow.ts`. */
import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from 'cloudflare:workers'
import type { Bindings } from '../bindings.ts'
import type { Steps } from './durable-work.ts'
import { openProvisionPorts } from './open-ports.ts'
import { runWorkflow } from './run-workflow.ts'
import type { WorkflowParams } from './workflow-params.ts'

export class Provision extends WorkflowEntrypoint<Bindings, WorkflowParams> {
  override async run({ payload }: WorkflowEvent<WorkflowParams>, step: WorkflowStep): Promise<void> {
    const steps: Steps = {
      do: (name, options, work) => step.do(name, options, work),
      sleep: (name, seconds) => step.sleep(name, `${seconds} seconds`),
    }
    await runWorkflow(payload, steps, () => openProvisionPorts(this.env))
  }
}
