/** The daily budget of an agent, taken from before a request and put right after it. */
import type { Config } from '../config.ts'
import type { Database } from '../database/database.ts'
import { dayOf, millisecondsLeftToday } from '../database/limits.ts'
import { addUsage, admitRequest } from '../database/usage.ts'
import { describeError, log } from '../log.ts'
import { renderLabels } from '../metrics/metric-names.ts'
import type { Increment } from '../metrics/metrics-buffer.ts'
import type { ApiFailure } from './api-failure.ts'
import type { TokenUsage } from './stream-usage.ts'

const BYTES_PER_TOKEN = 4

export interface Reservation {
  /** The request never reached a model: nothing is counted. */
  refund(): Promise<void>
  /** @param usage what the provider said; without it the reserved prompt stays and `events` stand for words written */
  settle(usage: TokenUsage | undefined, events: number): Promise<void>
}

interface BudgetPorts {
  readonly database: Database
  readonly config: Config
  readonly now: number
}

/** @param bytes size of the request; 0 for one that uses no tokens */
export async function reserve(
  { agentId, model, bytes }: { agentId: string; model: string; bytes: number },
  { database, config, now }: BudgetPorts,
): Promise<Reservation | undefined> {
  const reservedTokens = Math.ceil(bytes / BYTES_PER_TOKEN)
  const budget = { maxRequests: config.AGENT_DAILY_REQUESTS, maxTokens: config.AGENT_DAILY_TOKENS }
  if (!(await admitRequest(database, { agentId, model, now, reservedTokens }, budget))) return undefined
  const add = (requests: number, used: TokenUsage) =>
    addUsage(
      database,
      { agentId, model, day: dayOf(now) },
      { ...used, requests, promptTokens: used.promptTokens - reservedTokens },
      countRequest(model, used, requests < 0 ? 'not_reached' : 'ok'),
    ).catch((error: unknown) => {
      // The reservation stands: nothing is used for free.
      log('error', 'usage_not_saved', { agent: agentId, model, error: describeError(error) })
    })
  return {
    refund: () => add(-1, { promptTokens: 0, cachedTokens: 0, completionTokens: 0 }),
    settle: (usage, events) =>
      add(0, usage ?? { promptTokens: reservedTokens, cachedTokens: 0, completionTokens: events }),
  }
}

function countRequest(model: string, used: TokenUsage, result: 'ok' | 'not_reached'): Increment[] {
  const tokens = { prompt: used.promptTokens, cached: used.cachedTokens, completion: used.completionTokens }
  return [
    { name: 'baal_model_requests_total', labels: renderLabels({ model, result }), value: 1 },
    ...Object.entries(tokens).flatMap(([kind, value]) =>
      value > 0 ? [{ name: 'baal_model_tokens_total', labels: renderLabels({ model, kind }), value }] : [],
    ),
  ]
}

/** The word "budget" tells an agent that waiting a little does not help. */
export function usedUp(now: number): ApiFailure {
  const hours = Math.ceil(millisecondsLeftToday(now) / 3_600_000)
  return {
    status: 429,
    code: 'budget_exceeded',
    message: `This agent's daily budget is used up. It begins anew at 00:00 UTC, in ${hours} h.`,
    retryAfterS: Math.ceil(millisecondsLeftToday(now) / 1000),
  }
}
