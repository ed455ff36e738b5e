/**
 * Model use per agent, UTC day and model. A request is admitted and counted in one statement, with its prompt reserved at an
 * estimate; when it ends, the estimate becomes what the provider says. So a Worker that dies in between has counted it, too.
 */
import { and, eq, lt, sql } from 'drizzle-orm'
import type { Increment } from '../metrics/metrics-buffer.ts'
import type { Database } from './database.ts'
import { DAY_MS, dayOf } from './limits.ts'
import { addMetrics } from './metrics.ts'
import { usage } from './schema.ts'

/** Days that stay apart: budgets look at one, people at the last few. */
const KEPT_DAYS = 90

export interface DailyBudget {
  readonly maxRequests: number
  /** Read and written together. */
  readonly maxTokens: number
}

export interface Admission {
  readonly agentId: string
  readonly model: string
  readonly now: number
  readonly reservedTokens: number
}

export interface Amounts {
  readonly requests: number
  readonly promptTokens: number
  readonly cachedTokens: number
  readonly completionTokens: number
}

/** @returns false when the agent's budget of the day is used up: then nothing was counted */
export async function admitRequest(
  database: Database,
  { agentId, model, now, reservedTokens }: Admission,
  { maxRequests, maxTokens }: DailyBudget,
): Promise<boolean> {
  const day = dayOf(now)
  const today = (amount: string) =>
    sql`(SELECT coalesce(sum(${sql.raw(amount)}), 0) FROM usage WHERE agent_id = ${agentId} AND day = ${day})`
  const admitted = await database.all(sql`
    INSERT INTO usage (agent_id, day, model, requests, prompt_tokens)
    SELECT ${agentId}, ${day}, ${model}, 1, ${reservedTokens}
    WHERE ${today('requests')} < ${maxRequests} AND ${today('prompt_tokens + completion_tokens')} < ${maxTokens}
    ON CONFLICT (agent_id, day, model) DO UPDATE
      SET requests = requests + 1, prompt_tokens = prompt_tokens + excluded.prompt_tokens
    RETURNING requests`)
  return admitted.length > 0
}

/**
 * Adds to what is counted; negative amounts take a reservation back.
 * @param counted for the counters of all agents together, in the same round trip
 */
export async function addUsage(
  database: Database,
  { agentId, model, day }: { agentId: string; model: string; day: string },
  { requests, promptTokens, cachedTokens, completionTokens }: Amounts,
  counted: readonly Increment[],
): Promise<void> {
  await database.batch([
    // The row is there since the request was admitted.
    database
      .update(usage)
      .set({
        requests: sql`max(0, ${usage.requests} + ${requests})`,
        promptTokens: sql`max(0, ${usage.promptTokens} + ${promptTokens})`,
        cachedTokens: sql`max(0, ${usage.cachedTokens} + ${cachedTokens})`,
        completionTokens: sql`max(0, ${usage.completionTokens} + ${completionTokens})`,
      })
      .where(and(eq(usage.agentId, agentId), eq(usage.day, day), eq(usage.model, model))),
    addMetrics(database, counted, Date.parse(day)),
  ])
}

/** Days that are long over become their month, `YYYY-MM`: sums stay what they are. Safe to repeat. Reads the whole table. */
export async function foldOldUsage(database: Database, now: number): Promise<void> {
  const isOld = and(sql`length(${usage.day}) = 10`, lt(usage.day, dayOf(now - KEPT_DAYS * DAY_MS)))
  await database.batch([
    database.run(sql`
      INSERT INTO usage (agent_id, day, model, requests, prompt_tokens, cached_tokens, completion_tokens)
      SELECT agent_id, substr(day, 1, 7), model,
        sum(requests), sum(prompt_tokens), sum(cached_tokens), sum(completion_tokens)
      FROM usage WHERE ${isOld} GROUP BY agent_id, substr(day, 1, 7), model
      ON CONFLICT (agent_id, day, model) DO UPDATE
        SET requests = requests + excluded.requests, prompt_tokens = prompt_tokens + excluded.prompt_tokens,
          cached_tokens = cached_tokens + excluded.cached_tokens,
          completion_tokens = completion_tokens + excluded.completion_tokens`),
    database.delete(usage).where(isOld),
  ])
}
