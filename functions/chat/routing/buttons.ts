/** Buttons and what they send back. Everything that comes back is checked as if a stranger had typed it. */
import type { InlineKeyboardButton } from 'grammy/types'
import { type Agent, findOwnAgent } from '../../database/agents.ts'
import { clip } from '../catalogue/format.ts'
import type { BaalContext, Router } from './baal-context.ts'

/** Telegram refuses more. */
export const MAX_CALLBACK_BYTES = 64

/** Phones show less than this; names of agents and files may be longer. */
const MAX_LABEL_POINTS = 48

type Style = NonNullable<InlineKeyboardButton['style']>

export class CallbackDataTooLong extends Error {
  readonly code = 'callback_data_too_long'
}

export function button(text: string, data: string, style?: Style): InlineKeyboardButton {
  if (new TextEncoder().encode(data).length > MAX_CALLBACK_BYTES) throw new CallbackDataTooLong(data)
  return { text: clip(text, MAX_LABEL_POINTS), callback_data: data, ...(style ? { style } : {}) }
}

export const commandButton = (text: string, command: string): InlineKeyboardButton => button(text, `c:${command}`)

export const agentButton = (text: string, verb: string, agentId: string, style?: Style): InlineKeyboardButton =>
  button(text, `a:${verb}:${agentId}`, style)

/** From a group into the presser's own chat with us, where what they wanted goes on. */
export function privateChatButton(text: string, { bot, start }: { bot: string; start?: string }): InlineKeyboardButton {
  return { text, url: `https://t.me/${bot}${start === undefined ? '' : `?start=${start}`}` }
}

/** A button about one of the presser's own agents. Someone else's id is answered like one that does not exist. */
export function onAgentButton(
  router: Router,
  verb: string,
  handle: (ctx: BaalContext, agent: Agent) => Promise<void>,
): void {
  router.callbackQuery(new RegExp(`^a:${verb}:([a-z0-9]{1,32})$`), async (ctx) => {
    const agent = await findOwnAgent(ctx.ports.database, ctx.match[1] ?? '', ctx.user.id)
    if (agent) await handle(ctx, agent)
    else ctx.out.toast(ctx.words.chat.notFound, true)
  })
}

/** A keyboard with so many buttons in a row. */
export function rows(buttons: readonly InlineKeyboardButton[], perRow: number): InlineKeyboardButton[][] {
  const keyboard: InlineKeyboardButton[][] = []
  for (let start = 0; start < buttons.length; start += perRow) keyboard.push(buttons.slice(start, start + perRow))
  return keyboard
}
