/** /help: every command in one screen; in a group those that work there. */
import { listAgents } from '../../database/agents.ts'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { commandButton, privateChatButton } from '../routing/buttons.ts'
import { onCommand } from '../routing/on-command.ts'

export function registerHelp(router: Router): void {
  onCommand(router, 'help', showHelp)
}

export async function showHelp({ ports, user, words, out, inGroup }: BaalContext): Promise<void> {
  const { username: bot } = ports.bot
  if (inGroup) {
    return out.send(words.help.group({ bot }), { keyboard: [[privateChatButton(words.buttons.openPrivate, { bot })]] })
  }
  const own = await listAgents(ports.database, user.id)
  const first =
    own.length === 0 ? commandButton(words.buttons.create, 'create') : commandButton(words.buttons.list, 'list')
  out.send(words.help.body({ create: own.length === 0 }), {
    keyboard: [[first, commandButton(words.buttons.account, 'account')]],
  })
}
