/** /cancel: leaves whatever menu waits for an answer. */
import type { Router } from '../routing/baal-context.ts'
import { onCommand } from '../routing/on-command.ts'
import { leaveWizard } from '../wizard/run-wizard.ts'

export function registerCancel(router: Router): void {
  onCommand(router, 'cancel', (ctx) => {
    // The menu's own message says that it is cancelled.
    if (!leaveWizard(ctx)) ctx.out.send(ctx.words.wizard.nothingToCancel)
  })
}
