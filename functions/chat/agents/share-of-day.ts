/** How much of an agent's daily budget is used, by tokens or by requests, whichever is nearer to its end. */
import type { Config } from '../../config.ts'
import type { Database } from '../../database/database.ts'
import { dayOf } from '../../database/limits.ts'
import { sumUsage } from '../../database/usage-report.ts'

/** @returns percent, 100 when nothing is left */
export async function shareOfDay(
  agentId: string,
  { database, config, now }: { readonly database: Database; readonly config: Config; readonly now: number },
): Promise<number> {
  const used = (await sumUsage(database, [agentId], dayOf(now))).get(agentId)
  if (!used) return 0
  const tokens = (used.promptTokens + used.completionTokens) / Math.max(1, config.AGENT_DAILY_TOKENS)
  const requests = used.requests / Math.max(1, config.AGENT_DAILY_REQUESTS)
  return Math.min(100, Math.floor(100 * Math.max(tokens, requests)))
}
