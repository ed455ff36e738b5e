/**
 * Messages a day. Taking one is a single statement over all counters it draws on: with one left, a hundred simultaneous
 * messages pass exactly one, and a refusal by one counter takes nothing from the other.
 */
import { and, eq, inArray, like, lt, or, sql } from 'drizzle-orm'
import type { Database } from './database.ts'
import { messageCounts } from './schema.ts'

export const DAY_MS = 86_400_000
const KEPT_DAYS = 90

/** `user`: the free tier. `agent:<id>`: a link's cap for this visitor. */
export type LimitScope = 'user' | `agent:${string}`

/** The UTC day a moment belongs to: limits begin anew at 00:00 UTC. */
export function dayOf(now: number): string {
  return new Date(now).toISOString().slice(0, 10)
}

export function millisecondsLeftToday(now: number): number {
  return DAY_MS - (now % DAY_MS)
}

export interface Withdrawal {
  readonly userId: number
  readonly now: number
  /** Every counter this message draws on; without an upper bound it is only counted. */
  readonly limits: readonly { readonly scope: LimitScope; readonly max?: number | undefined }[]
  /** Chat and update the message came by: the same update handled again is not counted again. */
  readonly source: { readonly chatName: string; readonly updateId: number }
}

/** @returns which limit is used up, if one is: then nothing was counted */
export async function takeMessage(
  database: Database,
  withdrawal: Withdrawal,
): Promise<{ kind: 'taken' } | { kind: 'used_up'; scope: LimitScope }> {
  const { userId, now, limits, source } = withdrawal
  const day = dayOf(now)
  // `count` of this row is not a sum but the last update that was counted here.
  const marker = `last:${source.chatName}`
  const counters = sql.join(
    limits.map(({ scope, max }) => sql`SELECT ${scope} AS scope, ${max ?? null} AS most`),
    sql` UNION ALL `,
  )
  const own = sql`SELECT 1 FROM message_counts c WHERE c.user_id = ${userId} AND c.day = ${day}`
  const taken = await database.all<{ scope: string }>(sql`
    WITH wanted AS (${counters})
    INSERT INTO message_counts (user_id, scope, day, count)
    SELECT ${userId}, scope, ${day}, amount
    FROM (SELECT scope, 1 AS amount FROM wanted UNION ALL SELECT ${marker}, ${source.updateId})
    WHERE NOT EXISTS (${own} AND c.scope = ${marker} AND c.count = ${source.updateId})
      AND NOT EXISTS (SELECT 1 FROM wanted w LEFT JOIN message_counts c
                        ON c.user_id = ${userId} AND c.day = ${day} AND c.scope = w.scope
                      WHERE coalesce(c.count, 0) >= w.most)
    ON CONFLICT (user_id, scope, day) DO UPDATE
      SET count = CASE WHEN scope = ${marker} THEN excluded.count ELSE count + 1 END
    RETURNING scope`)
  if (taken.length > 0) return { kind: 'taken' }
  const counts = await countsOf(database, userId, day, [...limits.map(({ scope }) => scope), marker])
  if (counts.get(marker) === source.updateId) return { kind: 'taken' }
  const usedUp = limits.find(({ scope, max }) => max !== undefined && (counts.get(scope) ?? 0) >= max)
  return { kind: 'used_up', scope: usedUp?.scope ?? limits[0]?.scope ?? 'user' }
}

/** Messages counted today. */
export async function messagesToday(
  database: Database,
  { userId, scope, now }: { userId: number; scope: LimitScope; now: number },
): Promise<number> {
  return (await countsOf(database, userId, dayOf(now), [scope])).get(scope) ?? 0
}

/**
 * Marks go after yesterday, counts after 90 days: limits look at today, people at the last few days, and a sum of them all is
 * among the metrics, where it names nobody. Safe to repeat. Reads the whole table.
 */
export async function forgetOldCounts(database: Database, now: number): Promise<void> {
  await database
    .delete(messageCounts)
    .where(
      or(
        and(like(messageCounts.scope, 'last:%'), lt(messageCounts.day, dayOf(now - DAY_MS))),
        lt(messageCounts.day, dayOf(now - KEPT_DAYS * DAY_MS)),
      ),
    )
}

async function countsOf(
  database: Database,
  userId: number,
  day: string,
  scopes: readonly string[],
): Promise<Map<string, number>> {
  const rows = await database
    .select({ scope: messageCounts.scope, count: messageCounts.count })
    .from(messageCounts)
    .where(and(eq(messageCounts.userId, userId), eq(messageCounts.day, day), inArray(messageCounts.scope, [...scopes])))
  return new Map(rows.map(({ scope, count }) => [scope, count]))
}
