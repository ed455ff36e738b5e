/** /stop: ends the running answer at once. Delivery itself says that it stopped, where the answer stands. */
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { onCommand } from '../routing/on-command.ts'
import { STOP_BUTTON } from '../turn-buttons.ts'

export function registerStop(router: Router): void {
  onCommand(router, 'stop', async (ctx) => {
    if (!(await ctx.ports.turns.stop())) ctx.out.refuse(ctx.words.stop.nothing)
    else if (ctx.callbackQuery) ctx.out.toast(ctx.words.stop.stopped)
  })
  router.callbackQuery(STOP_BUTTON.pattern, (ctx) => stopShown(ctx, STOP_BUTTON.parse(ctx.callbackQuery.data)))
}

/** A button of a former answer must not stop the present one. */
async function stopShown({ ports, words, out }: BaalContext, turnId: string | undefined): Promise<void> {
  const isRunning = turnId !== undefined && ports.turns.running()?.turnId === turnId
  out.toast(isRunning && (await ports.turns.stop()) ? words.stop.stopped : words.stop.nothing)
}
