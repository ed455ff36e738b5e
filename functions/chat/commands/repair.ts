/** /repair and /update: both bring the machine to what it should be; memory, files and conversation stay. */
import type { Agent } from '../../database/agents.ts'
import { beginDeployment } from '../agents/begin-deployment.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { onAgentCommand } from '../routing/on-agent-command.ts'

export function registerRepair(router: Router): void {
  onAgentCommand(router, 'repair', (ctx, agent) => work(ctx, agent, 'repair'))
}

export async function work(ctx: BaalContext, agent: Agent, wanted: 'repair' | 'update'): Promise<void> {
  const { words, out } = ctx
  // An agent that never had a machine has nothing to repair: it is created.
  const kind = agent.url === null ? 'create' : wanted
  const begun = await beginDeployment(ctx, { agent, kind, target: out.pressed })
  if (begun === 'busy') out.refuse(words.repair.notNow({ agent: agent.name }))
}
