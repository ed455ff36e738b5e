/**
 * /again, and its buttons: the same question once more. A message that was edited since the agent read it goes before the
 * last question; a button means the one it stands under.
 */
import { currentAgentOf } from '../agents/current-agent.ts'
import { runEdited } from '../agents/edited-message.ts'
import { talk } from '../agents/talk.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { onCommand } from '../routing/on-command.ts'
import { RETRY_BUTTON } from '../turn-buttons.ts'

export function registerAgain(router: Router): void {
  onCommand(router, 'again', async (ctx) => {
    const { ports, user, words, out } = ctx
    // Whatever is said now is handed to the turn that runs.
    if (ports.turns.running()) return out.refuse(words.status.working)
    if (await runEdited(ctx)) return
    const current = currentAgentOf(ports.store)
    const turnId = current && ports.turns.last({ agentId: current.agentId, userId: user.id })
    return turnId === undefined ? out.refuse(words.conversation.nothingToRepeat) : askAgain(ctx, turnId)
  })
  router.callbackQuery(RETRY_BUTTON.pattern, (ctx) => askAgain(ctx, RETRY_BUTTON.parse(ctx.callbackQuery.data) ?? ''))
  router.callbackQuery(/^again:(\d{1,16})$/, (ctx) => runEdited(ctx, Number(ctx.match[1])))
}

async function askAgain(ctx: BaalContext, turnId: string): Promise<void> {
  const { ports, user, words, out } = ctx
  const former = ports.turns.retry(turnId)
  // Only the agent that the chat still talks to.
  if (!former || former.agentId !== currentAgentOf(ports.store)?.agentId) return out.refuse(words.chat.editedGone)
  // In a group only who asked may ask again.
  if (former.user.id !== user.id) return out.toast(words.toasts.notYours)
  if (ctx.callbackQuery) out.toast(words.chat.runningAgain)
  return talk(ctx, former)
}
