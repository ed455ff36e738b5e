/** /cancel: leaves whatever menu waits for an answer. */
import type { Router } from '../routing/baal-context.ts'
import { onCommand } from '../routing/on-command.ts'
import { leaveWizard } from '../wizard/run-wizard.ts'

export function registerCancel(router: Router): void {
  onCommand(router, 'cancel', (ctx) => {
    ctx.out.send(leaveWizard(ctx) ? ctx.words.wizard.cancelled : ctx.words.wizard.nothingToCancel)
  })
}
