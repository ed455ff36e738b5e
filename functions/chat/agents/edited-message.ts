/** A message edited after the agent has read it: never run again silently, only offered. */

import type { Message } from 'grammy/types'
import { z } from 'zod'
import type { BaalContext, Router } from '../routing/baal-context.ts'
import { button } from '../routing/buttons.ts'
import { contentOf } from '../routing/message-content.ts'
import { currentAgentOf } from './current-agent.ts'
import { findCurrentAccess, talk } from './talk.ts'

/** The last edited message of this chat; the whole message is kept, for its files. */
const KEY = 'edited'
const Edited = z.object({
  messageId: z.int(),
  userId: z.int(),
  agentId: z.string(),
  message: z.custom<Message>((value) => typeof value === 'object' && value !== null),
})

export async function offerAgain(ctx: BaalContext, message: Message): Promise<void> {
  const { ports, user, words, out } = ctx
  const access = await findCurrentAccess(ctx)
  if (access?.kind !== 'owner' && access?.kind !== 'visitor') return
  const known = ports.store.get(KEY, Edited)
  ports.store.put(KEY, {
    messageId: message.message_id,
    userId: user.id,
    agentId: access.agent.id,
    message,
  } satisfies z.infer<typeof Edited>)
  // Edited once more: the offer stands already and now means the newest words.
  if (known?.messageId === message.message_id) return
  out.add({
    kind: 'send',
    ref: `edited:${message.message_id}`,
    text: { text: words.chat.edited, entities: [] },
    keyboard: [[button(words.buttons.runAgain, `again:${message.message_id}`)]],
    replyTo: message.message_id,
    silent: true,
  })
}

export function registerRunAgain(router: Router): void {
  router.callbackQuery(/^again:(\d{1,16})$/, async (ctx) => {
    const { ports, user, words, out } = ctx
    const edited = ports.store.get(KEY, Edited)
    const isKnown = edited?.messageId === Number(ctx.match[1])
    if (!isKnown || edited.agentId !== currentAgentOf(ports.store)?.agentId) {
      return out.toast(words.chat.editedGone, true)
    }
    if (edited.userId !== user.id) return out.toast(words.toasts.notYours)
    ports.store.delete(KEY)
    out.toast(words.chat.runningAgain)
    if (out.pressed) out.delete(out.pressed)
    await talk(ctx, { message: contentOf(edited.message, ports.bot) ?? '', source: edited.message })
  })
}
