/**
 * The last net under chats with unfinished work: whatever was spoken in lately is touched, which makes sure that its work has
 * an alarm. Chats are known by the marks that counting leaves (see `database/limits.ts`).
 */
import { and, countDistinct, gte, like } from 'drizzle-orm'
import type { Bindings } from './bindings.ts'
import type { Database } from './database/database.ts'
import { DAY_MS, dayOf } from './database/limits.ts'
import { messageCounts } from './database/schema.ts'
import { describeError, log } from './log.ts'

/** One call each, well below the platform's limit on calls per event. Where there are more, each run takes the next ones. */
export const MAX_CHATS = 500
export const POKE_EVERY_MS = 15 * 60_000
const MARK = 'last:'

export async function pokeChats(
  { database, env }: { database: Database; env: Pick<Bindings, 'CHAT'> },
  now: number,
): Promise<void> {
  // A turn may have begun just before midnight.
  const lately = and(like(messageCounts.scope, `${MARK}%`), gte(messageCounts.day, dayOf(now - DAY_MS)))
  const [counted] = await database
    .select({ chats: countDistinct(messageCounts.scope) })
    .from(messageCounts)
    .where(lately)
  const portions = Math.max(1, Math.ceil((counted?.chats ?? 0) / MAX_CHATS))
  const marks = await database
    .selectDistinct({ scope: messageCounts.scope })
    .from(messageCounts)
    .where(lately)
    .orderBy(messageCounts.scope)
    .limit(MAX_CHATS)
    .offset((Math.floor(now / POKE_EVERY_MS) % portions) * MAX_CHATS)
  for (const { scope } of marks) {
    const chat = scope.slice(MARK.length)
    await env.CHAT.getByName(chat)
      .poke()
      .catch((error: unknown) => log('warn', 'poke_failed', { chat, error: describeError(error) }))
  }
}
