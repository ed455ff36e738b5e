/** /update: the newest version of the agent server on the agent's machine. */
import type { Router } from '../routing/baal-context.ts'
import { onAgentCommand } from '../routing/on-agent-command.ts'
import { work } from './repair.ts'

export function registerUpdate(router: Router): void {
  onAgentCommand(router, 'update', (ctx, agent) => work(ctx, agent, 'update'))
}
