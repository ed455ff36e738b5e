/**
 * The menu of commands in an operator's own chat has theirs too. Telegram keeps a menu per chat only for chats it knows the bot
 * in, so it is set from there, when a command comes: in the language that was chosen, anew when a release changes it, and
 * taken back from who is no operator any more.
 */
import { z } from 'zod'
import { commandsFor } from './bot-profile.ts'
import { isAdmin } from './commands/dashboard.ts'
import type { BaalContext } from './routing/baal-context.ts'

/** The menu that was set last. */
const KEY = 'operator:menu'

export function keepOperatorMenu(ctx: BaalContext): void {
  const { ports, out, language, inGroup } = ctx
  // A topic shares the menu of its chat.
  if (inGroup || ports.chat.threadId !== undefined || !ctx.message?.text?.startsWith('/')) return
  const commands = isAdmin(ctx) ? commandsFor('operator', language) : []
  const wanted = JSON.stringify(commands)
  const known = ports.store.get(KEY, z.string()) ?? '[]'
  if (known === wanted) return
  ports.store.put(KEY, wanted)
  out.add({ kind: 'offer_commands', commands })
}
