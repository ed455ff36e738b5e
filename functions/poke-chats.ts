/**
 * The last net under chats with unfinished work: whatever was spoken in lately is touched, which makes sure that its work has
 * an alarm. Chats are known by the marks that counting leaves (see `database/limits.ts`).
 */
import { and, gte, like } from 'drizzle-orm'
import type { Bindings } from './bindings.ts'
import type { Database } from './database/database.ts'
import { DAY_MS, dayOf } from './database/limits.ts'
import { messageCounts } from './database/schema.ts'
import { describeError, log } from './log.ts'

/** One call each, well below the platform's limit on calls per event. */
const MAX_CHATS = 500
const MARK = 'last:'

export async function pokeChats(
  { database, env }: { database: Database; env: Pick<Bindings, 'CHAT'> },
  now: number,
): Promise<void> {
  const marks = await database
    .selectDistinct({ scope: messageCounts.scope })
    .from(messageCounts)
    // A turn may have begun just before midnight.
    .where(and(like(messageCounts.scope, `${MARK}%`), gte(messageCounts.day, dayOf(now - DAY_MS))))
    .limit(MAX_CHATS)
  for (const { scope } of marks) {
    const chat = scope.slice(MARK.length)
    await env.CHAT.getByName(chat)
      .poke()
      .catch((error: unknown) => log('warn', 'poke_failed', { chat, error: describeError(error) }))
  }
}
