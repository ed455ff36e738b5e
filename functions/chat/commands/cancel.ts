/** /cancel: leaves whatever menu waits for an answer. */
import type { Router } from '../routing/baal-context.ts'
import { onCommand } from '../routing/on-command.ts'
import { cancelWizard } from '../wizard/run-wizard.ts'

export function registerCancel(router: Router): void {
  onCommand(router, 'cancel', (ctx) => {
    if (!cancelWizard(ctx)) ctx.out.send(ctx.words.wizard.nothingToCancel)
  })
}
