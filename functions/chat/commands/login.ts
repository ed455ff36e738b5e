/**
 * /login: a model key of one's own, given with the command or as the next message. The message with the key is deleted first,
 * whatever comes of it.
 */
import { saveOwnKey } from '../agents/save-own-key.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { onCommand } from '../routing/on-command.ts'
import { startEdit } from '../wizard/edit-wizard.ts'
import { openWizard, wizardOwner } from '../wizard/run-wizard.ts'

export function registerLogin(router: Router): void {
  onCommand(router, 'login', async (ctx, key) => {
    const { words, out, inGroup } = ctx
    if (key && ctx.message) out.delete({ messageId: ctx.message.message_id })
    if (inGroup) {
      const { username } = ctx.ports.bot
      return out.send(key ? words.login.inGroup : words.chat.onlyPrivate, {
        keyboard: [[{ text: words.buttons.openPrivate, url: `https://t.me/${username}?start=login` }]],
      })
    }
    return key ? out.send(await saveOwnKey(ctx, key)) : explainLogin(ctx)
  })
}

/** Waits for the key: typed as plain text, it must never go to an agent. */
export function explainLogin(ctx: BaalContext): void {
  openWizard(ctx, startEdit(wizardOwner(ctx), { agentId: '', agentName: '', field: 'key' }))
}
