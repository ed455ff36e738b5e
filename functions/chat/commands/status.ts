/** /status: how the agent of this chat is doing. */
import { MODELS } from '../../models.ts'
import { UserFacingError } from '../../user-facing-error.ts'
import { offerAgents } from '../agents/offer-agents.ts'
import { admit, findCurrentAccess } from '../agents/talk.ts'
import { renderSpan } from '../catalogue/duration.ts'
import { join, type Phrase } from '../catalogue/format.ts'
import type { Router } from '../routing/baal-context.ts'
import { commandButton } from '../routing/buttons.ts'
import { onCommand } from '../routing/on-command.ts'

export function registerStatus(router: Router): void {
  onCommand(router, 'status', async (ctx) => {
    const { ports, words, out } = ctx
    const access = await findCurrentAccess(ctx)
    if (!access) return offerAgents(ctx, words.chat.noAgent)
    const allowed = await admit(ctx, access)
    if (!allowed) return
    const { agent } = allowed
    const model = MODELS.find(({ id }) => id === agent.model)?.label ?? agent.model
    const lines: Phrase[] = [words.status.line({ agent: agent.name, status: words.statuses[agent.status], model })]
    const health = await ports
      .agent(agent.id)
      .then((control) => control.health())
      .catch((error: unknown) => {
        if (error instanceof UserFacingError) return undefined
        throw error
      })
    if (health) {
      lines.push(words.status.uptime({ uptime: renderSpan(health.uptimeS * 1000, words) }))
      lines.push('', ports.turns.running() ? words.status.working : words.status.idle)
    } else lines.push('', words.status.silent)
    out.send(join(lines, '\n'), {
      keyboard: [[commandButton(words.buttons.newChat, 'new'), commandButton(words.buttons.compact, 'compact')]],
    })
  })
}
