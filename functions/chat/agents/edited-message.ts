/** A message edited after the agent has read it: never run again silently, only offered. */

import type { Message } from 'grammy/types'
import { z } from 'zod'
import type { BaalContext } from '../routing/baal-context.ts'
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
    ref: offerRef(message.message_id),
    text: { text: words.chat.edited, entities: [] },
    keyboard: [[button(words.buttons.runAgain, `again:${message.message_id}`)]],
    replyTo: message.message_id,
    silent: true,
  })
}

/**
 * The edited message goes to the agent now.
 * @param messageId the one whose button was pressed; typed, the last one is meant
 * @returns false when nobody typed that and there is none: nothing was said then
 */
export async function runEdited(ctx: BaalContext, messageId?: number): Promise<boolean> {
  const { ports, user, words, out } = ctx
  const edited = ports.store.get(KEY, Edited)
  const isTyped = messageId === undefined
  const isKnown = edited !== undefined && (isTyped || edited.messageId === messageId)
  const isMeant = isKnown && edited.agentId === currentAgentOf(ports.store)?.agentId
  if (isTyped && (!isMeant || edited.userId !== user.id)) return false
  if (!isMeant) out.toast(words.chat.editedGone, true)
  else if (edited.userId !== user.id) out.toast(words.toasts.notYours)
  else {
    ports.store.delete(KEY)
    out.toast(words.chat.runningAgain)
    out.delete({ ref: offerRef(edited.messageId) })
    await talk(ctx, { message: contentOf(edited.message, ports.bot) ?? '', source: edited.message })
  }
  return true
}

function offerRef(messageId: number): string {
  return `edited:${messageId}`
}
