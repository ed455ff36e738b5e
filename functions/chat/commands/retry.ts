/** /retry, and the "Try again" button of an agent that could not be created: the same agent, a new attempt. */
import { beginDeployment } from '../agents/begin-deployment.ts'
import type { Router } from '../routing/baal-context.ts'
import { onAgentCommand } from '../routing/on-agent-command.ts'

export function registerRetry(router: Router): void {
  onAgentCommand(router, 'retry', async (ctx, agent) => {
    const { words, out } = ctx
    if (agent.status === 'running')
      return ctx.callbackQuery ? out.toast(words.toasts.outdated) : out.send(words.repair.runs({ agent: agent.name }))
    // What ran before keeps its machine and files; what never ran is created.
    const kind = agent.url === null ? 'create' : 'repair'
    const begun = await beginDeployment(ctx, { agent, kind, target: out.pressed })
    if (begun === 'busy') out.refuse(words.repair.notNow({ agent: agent.name }))
  })
}
