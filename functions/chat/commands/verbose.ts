/** /verbose: whether the agent's steps are shown while it works. `/verbose on` and `/verbose off` say it outright. */
import { saveUserSettings } from '../../database/users.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { button } from '../routing/buttons.ts'
import { onCommand } from '../routing/on-command.ts'

export function registerVerbose(router: Router): void {
  onCommand(router, 'verbose', async (ctx, argument) => {
    const wanted = argument.toLowerCase()
    if (wanted === 'on' || wanted === 'off') return set(ctx, wanted)
    show(ctx, ctx.user.quiet === 1 ? 'off' : 'on')
  })
  router.callbackQuery(/^verbose:(on|off)$/, (ctx) => set(ctx, ctx.match[1] === 'off' ? 'off' : 'on'))
}

/** Set, never toggled: a toggle that is handled twice after a crash would undo itself. */
async function set(ctx: BaalContext, wanted: 'on' | 'off'): Promise<void> {
  await saveUserSettings(ctx.ports.database, ctx.user.id, { quiet: wanted === 'off' ? 1 : 0 })
  show(ctx, wanted)
}

function show({ words, out }: BaalContext, now: 'on' | 'off'): void {
  const { conversation, buttons } = words
  out.show(now === 'on' ? conversation.verboseOn : conversation.verboseOff, [
    [now === 'on' ? button(buttons.hideSteps, 'verbose:off') : button(buttons.showSteps, 'verbose:on')],
  ])
}
