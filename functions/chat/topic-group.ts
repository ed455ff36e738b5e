/** The group's own object, as a topic of it asks and tells it. One that does not answer holds up nobody: the person chooses. */
import type { Bindings } from '../bindings.ts'
import { describeError, log } from '../log.ts'
import { chatName } from './chat-name.ts'
import type { ChatIdentity, TopicGroup } from './handling.ts'

/** @returns `undefined` for what is no topic of a group */
export function topicGroupOf(
  { botId, chatId, threadId, kind, name }: ChatIdentity,
  env: Bindings,
): TopicGroup | undefined {
  if (kind !== 'group' || threadId === undefined) return undefined
  const main = chatName(botId, chatId)
  const failed = (error: unknown) => {
    log('warn', 'topic_group_failed', { chat: name, error: describeError(error) })
    return undefined
  }
  return {
    name: main,
    agent: () => env.CHAT.getByName(main).groupAgent().catch(failed),
    brought: (current) => env.CHAT.getByName(main).noteBrought(current).catch(failed),
    sentAway: (agentId) => env.CHAT.getByName(main).forgetBrought(agentId).catch(failed),
  }
}
