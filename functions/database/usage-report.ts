/** Sums of model use and other counts, for people and operators to look at. Metering itself writes `usage`. */
import { and, count, eq, gte, inArray, ne, sql, sum } from 'drizzle-orm'
import type { Database } from './database.ts'
import { agents, machines, messageCounts, usage, users } from './schema.ts'

export interface UsageSum {
  readonly requests: number
  readonly promptTokens: number
  readonly completionTokens: number
}

/** @param sinceDay first UTC day that counts, `YYYY-MM-DD` */
export async function sumUsage(
  database: Database,
  agentIds: readonly string[],
  sinceDay: string,
): Promise<Map<string, UsageSum>> {
  if (agentIds.length === 0) return new Map()
  const rows = await database
    .select({
      agentId: usage.agentId,
      requests: sum(usage.requests).mapWith(Number),
      promptTokens: sum(usage.promptTokens).mapWith(Number),
      completionTokens: sum(usage.completionTokens).mapWith(Number),
    })
    .from(usage)
    .where(and(inArray(usage.agentId, [...agentIds]), gte(usage.day, sinceDay)))
    .groupBy(usage.agentId)
  return new Map(rows.map(({ agentId, ...sums }) => [agentId, sums]))
}

export interface Overview {
  readonly users: number
  readonly agents: readonly { status: string; count: number }[]
  readonly machines: readonly { state: string; count: number }[]
  readonly messagesToday: number
}

export async function loadOverview(database: Database, day: string): Promise<Overview> {
  const [people, byStatus, byState, messages] = await database.batch([
    database.select({ count: count() }).from(users),
    database.select({ status: agents.status, count: count() }).from(agents).groupBy(agents.status),
    database
      .select({ state: machines.state, count: count() })
      .from(machines)
      .where(ne(machines.state, 'gone'))
      .groupBy(machines.state),
    database
      .select({ count: sql<number>`coalesce(sum(${messageCounts.count}), 0)`.mapWith(Number) })
      .from(messageCounts)
      .where(and(eq(messageCounts.day, day), eq(messageCounts.scope, 'user'))),
  ])
  return {
    users: people[0]?.count ?? 0,
    agents: byStatus,
    machines: byState,
    messagesToday: messages[0]?.count ?? 0,
  }
}
