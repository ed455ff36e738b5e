/** /forget me: asks once (`/forget me yes` is the answer), then everything of the person goes. The sweep (`forget-people.ts`) does it, and does not give up. */
import { listAgents } from '../../database/agents.ts'
import { requestForgetting } from '../../database/forgetting.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { button } from '../routing/buttons.ts'
import { onCommand } from '../routing/on-command.ts'

export function registerForget(router: Router): void {
  onCommand(router, 'forget', async (ctx, argument) => {
    const [who, answer] = argument.toLowerCase().split(/\s+/)
    // A press on the command in a text brings no word with it; the question tells what is meant.
    if (who !== 'me' && argument !== '') return ctx.out.send(ctx.words.forget.usage)
    if (answer === 'yes') return begin(ctx)
    return answer === 'no' ? ctx.out.send(ctx.words.forget.kept) : confirm(ctx)
  })
  router.callbackQuery('f:no', (ctx) => ctx.out.show(ctx.words.forget.kept))
  router.callbackQuery('f:yes', begin)
}

async function confirm({ ports, user, words, out }: BaalContext): Promise<void> {
  const agents = await listAgents(ports.database, user.id)
  out.show(words.forget.confirm({ agents: agents.length }), [
    [button(words.buttons.forgetConfirm, 'f:yes', 'danger')],
    [button(words.buttons.cancel, 'f:no')],
  ])
}

async function begin({ ports, user, words, out, inGroup }: BaalContext): Promise<void> {
  // The question is asked in private chats only; whoever sends its answer elsewhere has made it up.
  if (inGroup) return
  await requestForgetting(ports.database, user.id, ports.now())
  await ports.turns.stop()
  out.show(words.forget.begun)
}
