/** One registration per command: typed (`/cmd`, `/cmd@bot`), or pressed as a button that stands for it. */
import type { BaalContext, Router } from './baal-context.ts'
import { privateChatButton } from './buttons.ts'

export type CommandHandler = (ctx: BaalContext, argument: string) => Promise<void> | void

/** Commands that make sense where several people listen; all others are answered with the way to a private chat. */
export const GROUP_COMMANDS: ReadonlySet<string> = new Set([
  'start',
  'help',
  'list',
  'chat',
  'leave',
  'manage',
  'stop',
  'again',
  'steps',
  'resend',
  'new',
  'compact',
  'status',
  'cancel',
  'login',
])

export function onCommand(router: Router, command: string, handle: CommandHandler): void {
  const guarded: CommandHandler = async (ctx, argument) => {
    if (!ctx.inGroup || GROUP_COMMANDS.has(command)) return handle(ctx, argument)
    const { username } = ctx.ports.bot
    ctx.out.send(ctx.words.chat.onlyPrivate, {
      keyboard: [[privateChatButton(ctx.words.buttons.openPrivate, { bot: username, start: command })]],
    })
  }
  router.command(command, (ctx) => guarded(ctx, ctx.match.trim()))
  router.callbackQuery(`c:${command}`, (ctx) => guarded(ctx, ''))
}
