/**
 * Seals anew, with the present key, whatever a former one has sealed. Safe to repeat and to run beside a working Worker: a
 * record that was changed meanwhile is left as it is, and is sealed with the present key already.
 */
import { and, eq, isNotNull } from 'drizzle-orm'
import { describeError, log } from '../log.ts'
import type { Seal, SealContext } from '../seal.ts'
import type { Database } from './database.ts'
import { agents, links, users } from './schema.ts'

export interface Resealing {
  readonly current: number
  readonly resealed: number
  /** No key that was given opens these. */
  readonly broken: number
}

interface SealedValue {
  readonly sealed: string
  readonly context: SealContext
  /** Puts another value in its place, if it still stands there. */
  replace(renewed: string): Promise<unknown>
}

export async function resealAll(database: Database, seal: Seal): Promise<Resealing> {
  const values = [...(await userKeys(database)), ...(await agentKeys(database)), ...(await linkTokens(database))]
  const counts = { current: 0, resealed: 0, broken: 0 }
  for (const value of values) counts[await reseal(value, seal)] += 1
  return counts
}

async function reseal({ sealed, context, replace }: SealedValue, seal: Seal): Promise<keyof Resealing> {
  try {
    if (await seal.isCurrent(sealed)) return 'current'
    await replace(await seal.seal(await seal.open(sealed, context), context))
    return 'resealed'
  } catch (error) {
    log('error', 'not_resealed', { what: context.what, id: context.id, error: describeError(error) })
    return 'broken'
  }
}

async function userKeys(database: Database): Promise<SealedValue[]> {
  const rows = await database.select().from(users).where(isNotNull(users.apiKeySealed))
  return rows.map(({ id, apiKeySealed }) => ({
    sealed: apiKeySealed ?? '',
    context: { what: 'user-key', id: String(id) },
    replace: (renewed) =>
      database
        .update(users)
        .set({ apiKeySealed: renewed })
        .where(and(eq(users.id, id), eq(users.apiKeySealed, apiKeySealed ?? ''))),
  }))
}

async function agentKeys(database: Database): Promise<SealedValue[]> {
  const rows = await database.select().from(agents)
  return rows.flatMap(({ id, secretSealed, inferenceKeySealed }) => [
    {
      sealed: secretSealed,
      context: { what: 'agent-secret' as const, id },
      replace: (renewed: string) =>
        database
          .update(agents)
          .set({ secretSealed: renewed })
          .where(and(eq(agents.id, id), eq(agents.secretSealed, secretSealed))),
    },
    {
      sealed: inferenceKeySealed,
      context: { what: 'inference-key' as const, id },
      replace: (renewed: string) =>
        database
          .update(agents)
          .set({ inferenceKeySealed: renewed })
          .where(and(eq(agents.id, id), eq(agents.inferenceKeySealed, inferenceKeySealed))),
    },
  ])
}

async function linkTokens(database: Database): Promise<SealedValue[]> {
  const rows = await database.select().from(links)
  return rows.map(({ id, tokenSealed }) => ({
    sealed: tokenSealed,
    context: { what: 'link-token', id },
    replace: (renewed) =>
      database
        .update(links)
        .set({ tokenSealed: renewed })
        .where(and(eq(links.id, id), eq(links.tokenSealed, tokenSealed))),
  }))
}
