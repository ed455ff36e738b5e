/** /delete: asks once (`/delete yes` is the answer), then closes the agent at once for everybody and starts the removal of its machine. */
import { type Agent, changeStatus, findAgent, findRunningDeployment } from '../../database/agents.ts'
import { revokeLinksOf } from '../../database/links.ts'
import { beginDeployment } from '../agents/begin-deployment.ts'
import { leaveAgent } from '../agents/current-agent.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { agentButton } from '../routing/buttons.ts'
import { onAgentCommand } from '../routing/on-agent-command.ts'

export function registerDelete(router: Router): void {
  onAgentCommand(
    router,
    'delete',
    async (ctx, agent, typed) => {
      if (!typed) return confirm(ctx, agent)
      if (typed.toLowerCase() !== 'yes') return ctx.out.send(ctx.words.chat.notFound)
      return (await mayDelete(ctx, agent)) ? remove(ctx, agent) : ctx.out.send(ctx.words.chat.notFound)
    },
    { takesArgument: true },
  )
  router.callbackQuery(/^a:delete!:([a-z0-9]{1,32})$/, async (ctx) => {
    const agent = await findAgent(ctx.ports.database, ctx.match[1] ?? '')
    if (agent && agent.ownerId === ctx.user.id && (await mayDelete(ctx, agent))) return remove(ctx, agent)
    ctx.out.toast(ctx.words.chat.notFound, true)
  })
}

async function confirm({ words, out }: BaalContext, agent: Agent): Promise<void> {
  out.show(words.delete.confirm({ agent: agent.name }), [
    [agentButton(words.buttons.deleteConfirm, 'delete!', agent.id, 'danger')],
    [agentButton(words.buttons.keep, 'card', agent.id)],
  ])
}

/** Also true when a first run of this very press was cut off after it had marked the agent. */
async function mayDelete({ ports }: BaalContext, agent: Agent): Promise<boolean> {
  const { database } = ports
  const from = ['creating', 'running', 'failed'] as const
  if (await changeStatus(database, agent.id, { from, to: 'deleting', now: ports.now() })) return true
  if (agent.status !== 'deleting') return false
  const running = await findRunningDeployment(database, agent.id)
  return running?.kind !== 'destroy' || running.id === ports.ids('deployment')
}

async function remove(ctx: BaalContext, agent: Agent): Promise<void> {
  const { ports, out } = ctx
  await revokeLinksOf(ports.database, agent.id, ports.now())
  if (ports.turns.running()?.agentId === agent.id) await ports.turns.stop()
  await beginDeployment(ctx, { agent, kind: 'destroy', target: out.pressed })
  leaveAgent(ports.store, agent.id)
}
