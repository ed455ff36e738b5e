/** The Workflows behind deployments, found by what they are about. */
import type { Engine } from './provision-ports.ts'
import { type WorkflowParams, workflowId } from './workflow-params.ts'

/** An end of the Workflow that was not the end of its work. */
const OVER: ReadonlySet<string> = new Set(['complete', 'errored', 'terminated'])

export function workflowEngine(workflow: Workflow<WorkflowParams>): Engine {
  async function start(params: WorkflowParams): Promise<void> {
    try {
      await workflow.create({ id: workflowId(params), params })
    } catch (error) {
      if (!(error instanceof Error) || !/already_exists|already exists/i.test(error.message)) throw error
    }
  }

  return {
    start,
    async revive(params) {
      const instance = await workflow.get(workflowId(params)).catch(() => undefined)
      if (!instance) {
        await start(params)
        return 'started'
      }
      if (OVER.has((await instance.status()).status)) {
        await instance.restart()
        return 'restarted'
      }
      // A Workflow that slept through a restart of its host wakes at any event.
      await instance.sendEvent({ type: 'nudge', payload: {} })
      return 'woken'
    },
  }
}
