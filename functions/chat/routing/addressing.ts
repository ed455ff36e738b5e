/** Whether a message is meant for us: always in a private chat; in a group only when we are commanded, mentioned or answered. */
import type { Message, Update, UserFromGetMe } from 'grammy/types'

export interface TypedCommand {
  readonly name: string
  /** `/cmd@this_bot`, or no name at all in a private chat. */
  readonly addressed: boolean
}

/** The command a message begins with. @returns `undefined` when there is none, or it is for another bot */
export function commandOf(message: Message, bot: Pick<UserFromGetMe, 'username'>): TypedCommand | undefined {
  const entity = message.entities?.[0]
  if (entity?.type !== 'bot_command' || entity.offset !== 0 || !message.text) return undefined
  const [name = '', target] = message.text.slice(1, entity.length).split('@')
  if (target !== undefined && target.toLowerCase() !== bot.username.toLowerCase()) return undefined
  return { name: name.toLowerCase(), addressed: target !== undefined || message.chat.type === 'private' }
}

/** Phones begin a line with a capital: `/Help` is `/help`. */
export function withPlainCommand(update: Update): Update {
  const { message } = update
  const entity = message?.entities?.[0]
  if (entity?.type !== 'bot_command' || entity.offset !== 0 || !message?.text) return update
  const text = message.text.slice(0, entity.length).toLowerCase() + message.text.slice(entity.length)
  return { ...update, message: { ...message, text } }
}

export function isForAnotherBot(message: Message, bot: Pick<UserFromGetMe, 'username'>): boolean {
  const entity = message.entities?.[0]
  return entity?.type === 'bot_command' && entity.offset === 0 && commandOf(message, bot) === undefined
}

export function isMeant(message: Message, bot: Pick<UserFromGetMe, 'id' | 'username'>): boolean {
  if (message.chat.type === 'private') return true
  if (isReplyTo(message, bot.id)) return true
  const text = message.text ?? message.caption ?? ''
  const mention = `@${bot.username}`.toLowerCase()
  return (message.entities ?? message.caption_entities ?? []).some(
    (entity) =>
      (entity.type === 'mention' &&
        text.slice(entity.offset, entity.offset + entity.length).toLowerCase() === mention) ||
      (entity.type === 'text_mention' && entity.user.id === bot.id),
  )
}

/** In a topic every message "answers" the one that opened it, whoever that was. */
function isReplyTo({ reply_to_message: replied }: Message, botId: number): boolean {
  return replied?.from?.id === botId && !replied.forum_topic_created
}
