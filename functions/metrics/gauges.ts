/** What is, read from the tables themselves when somebody asks: it costs nothing while nobody does. */
import { and, count, eq, sql } from 'drizzle-orm'
import type { Database } from '../database/database.ts'
import { dayOf } from '../database/limits.ts'
import { selectPaidMachines } from '../database/machines.ts'
import { agents, deployments, machines, messageCounts, users } from '../database/schema.ts'
import { CREDITS_PER_MACHINE_DAY, CREDITS_PER_USD } from '../provision/aleph/credits.ts'
import { type Labels, renderLabels } from './metric-names.ts'

export interface Gauge {
  readonly name: string
  readonly help: string
  readonly values: readonly { readonly labels: string; readonly value: number }[]
}

export async function readGauges(database: Database, now: number): Promise<Gauge[]> {
  const seconds = sql<number>`coalesce(sum(${deployments.updatedAt} - ${deployments.createdAt}), 0) / 1000.0`
  const [people, byStatus, byState, paid, byResult, messages] = await database.batch([
    database.select({ count: count() }).from(users),
    database.select({ status: agents.status, count: count() }).from(agents).groupBy(agents.status),
    database.select({ state: machines.state, count: count() }).from(machines).groupBy(machines.state),
    selectPaidMachines(database, CREDITS_PER_MACHINE_DAY),
    database
      .select({
        kind: deployments.kind,
        status: deployments.status,
        code: deployments.errorCode,
        count: count(),
        seconds: seconds.mapWith(Number),
      })
      .from(deployments)
      .groupBy(deployments.kind, deployments.status, deployments.errorCode),
    database
      .select({ count: sql<number>`coalesce(sum(${messageCounts.count}), 0)`.mapWith(Number) })
      .from(messageCounts)
      .where(and(eq(messageCounts.day, dayOf(now)), eq(messageCounts.scope, 'user'))),
  ])
  const resultOf = ({ kind, status, code }: (typeof byResult)[number]): Labels => ({ kind, status, code: code ?? '' })
  return [
    gauge('baal_users', 'People who have written to the bot.', [[{}, people[0]?.count ?? 0]]),
    gauge(
      'baal_agents',
      'Agents, by status.',
      byStatus.map((row) => [{ status: row.status }, row.count]),
    ),
    gauge(
      'baal_machines',
      'Machines, by state; warm ones are the pool, gone ones those of the last 90 days.',
      byState.map((row) => [{ state: row.state }, row.count]),
    ),
    gauge('baal_machines_dollars_per_day', 'What the machines that are paid for cost.', [
      [{}, (paid[0]?.creditsPerDay ?? 0) / CREDITS_PER_USD],
    ]),
    gauge(
      'baal_deployments',
      'Deployments that run or ended within 90 days, by kind, status and error code.',
      byResult.map((row) => [resultOf(row), row.count]),
    ),
    gauge(
      'baal_deployments_seconds',
      'Time that these deployments took, all together.',
      byResult.map((row) => [resultOf(row), row.seconds]),
    ),
    gauge('baal_messages_today', 'Messages counted since 00:00 UTC.', [[{}, messages[0]?.count ?? 0]]),
  ]
}

function gauge(name: string, help: string, values: readonly (readonly [Labels, number])[]): Gauge {
  return { name, help, values: values.map(([labels, value]) => ({ labels: renderLabels(labels), value })) }
}
