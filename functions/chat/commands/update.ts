/** /update: the newest version of the agent server on the agent's machine; `/update all` on everybody's, for the operator. */
import { beginRollout } from '../../database/rollouts.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { onAgentCommand } from '../routing/on-agent-command.ts'
import { isAdmin } from './dashboard.ts'
import { work } from './repair.ts'

const EVERYBODY = 'all'

export function registerUpdate(router: Router): void {
  // Before the command about one agent, which takes the word for a name.
  router.command('update').filter(
    (ctx) => ctx.match.trim() === EVERYBODY && isAdmin(ctx),
    (ctx) => updateAll(ctx),
  )
  onAgentCommand(router, 'update', (ctx, agent) => work(ctx, agent, 'update'))
}

/** Written down here; the next look after machines starts its Workflow, within a minute. */
async function updateAll({ ports, words, user, out }: BaalContext): Promise<void> {
  await beginRollout(ports.database, { id: ports.ids('rollout'), startedBy: user.id, now: ports.now() })
  out.send(words.admin.rolloutBegun)
}
