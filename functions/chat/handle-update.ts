/**
 * What Baal says and does about an update. A decider: it reads and writes the database and the chat's store, and returns what
 * to say; Telegram is called by delivery, later. Safe to repeat for the same update.
 */
import type { User as TelegramUser, Update } from 'grammy/types'
import { z } from 'zod'
import { notePersonChat } from '../database/forgetting.ts'
import { ensureUser } from '../database/users.ts'
import { describeError, log } from '../log.ts'
import { UserFacingError } from '../user-facing-error.ts'
import { describeReport } from './agents/deployment-progress.ts'
import { lookUp } from './catalogue/catalogue.ts'
import { metKey } from './forget-person.ts'
import type { ClassifyUpdate, DescribeDeployment, HandlerPorts, HandleUpdate, Handling } from './handling.ts'
import { keepOperatorMenu } from './operator-menu.ts'
import { router } from './router.ts'
import { withPlainCommand } from './routing/addressing.ts'
import { BaalContext } from './routing/baal-context.ts'
import { classify, joinedGroup } from './routing/classify-update.ts'
import { Reply } from './routing/reply.ts'
import { senderOf } from './routing/sender.ts'

const NOTHING: Handling = { outgoing: [] }

export const handleUpdate: HandleUpdate = async (update, ports) => {
  if (update.stopped_message_generation) {
    await ports.turns.stop()
    return NOTHING
  }
  const person = personOf(update)
  if (!person || person.is_bot) return NOTHING
  const user = await ensureUser(ports.database, {
    id: person.id,
    // The database refuses half a character.
    firstName: person.first_name.toWellFormed(),
    languageCode: person.language_code,
    now: ports.now(),
  })
  if (!ports.store.get(metKey(user.id), z.literal(true))) {
    await notePersonChat(ports.database, user.id, ports.chat.name)
    ports.store.put(metKey(user.id), true)
  }
  const out = replyTo(update, ports)
  const ctx = new BaalContext(withPlainCommand(update), { ports, out, user })
  if (joinedGroup(update)) {
    out.send(ctx.words.start.group({ bot: ports.bot.username }))
    return out.finish()
  }
  try {
    await router.middleware()(ctx, async () => undefined)
    keepOperatorMenu(ctx)
    return out.finish()
  } catch (error) {
    return explain(error, ctx, replyTo(update, ports))
  }
}

/** What a person may be told is told; anything else is delivery's to retry. */
function explain(error: unknown, { words, ports }: BaalContext, out: Reply): Handling {
  if (!(error instanceof UserFacingError)) throw error
  log('warn', 'update_refused', { chat: ports.chat.name, code: error.code, error: describeError(error) })
  out.refuse(lookUp(words.errors, error.code) ?? error.userMessage)
  return out.finish()
}

function replyTo(update: Update, { chat }: HandlerPorts): Reply {
  const pressed = update.callback_query?.message
  return new Reply({
    pressedMessageId: pressed?.message_id,
    replyTo: chat.kind === 'group' ? update.message?.message_id : undefined,
  })
}

function personOf(update: Update): TelegramUser | undefined {
  const message = update.message ?? update.edited_message
  return message ? senderOf(message) : (update.callback_query ?? update.my_chat_member)?.from
}

export const classifyUpdate: ClassifyUpdate = classify
export const describeDeployment: DescribeDeployment = describeReport
