/** /compact: shortens a long conversation now, instead of when it is full. */
import type { Router } from '../routing/baal-context.ts'
import { onCommand } from '../routing/on-command.ts'
import { reachCurrent } from './new.ts'

export function registerCompact(router: Router): void {
  onCommand(router, 'compact', async (ctx) => {
    const agent = await reachCurrent(ctx)
    if (!agent) return
    // The agent shortens nothing in the middle of an answer.
    if (ctx.ports.turns.running()) return ctx.out.send(ctx.words.status.working)
    const { compacted } = await agent.compact()
    ctx.out.send(compacted ? ctx.words.conversation.compacted : ctx.words.conversation.notCompacted)
  })
}
