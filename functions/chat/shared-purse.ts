/** The purse of a chat's main object, asked from the object of a topic. A main object that does not answer holds up nobody. */
import type { Bindings } from '../bindings.ts'
import { describeError, log } from '../log.ts'
import type { SharedPurse } from './chat-budget.ts'
import { chatName } from './chat-name.ts'
import type { ChatIdentity } from './handling.ts'

/** @returns `undefined` for a chat without topics: its own purse is the whole */
export function sharedPurseOf({ botId, chatId, threadId, name }: ChatIdentity, env: Bindings): SharedPurse | undefined {
  if (threadId === undefined) return undefined
  const main = () => env.CHAT.getByName(chatName(botId, chatId))
  const failed = (error: unknown) => {
    log('warn', 'shared_purse_failed', { chat: name, error: describeError(error) })
    return 0
  }
  return {
    take: (urgency) => main().takeCall(urgency).catch(failed),
    silence: async (until) => {
      await main().noteSilence(until).catch(failed)
    },
  }
}
