/** An agent's scoped inference key: good for the gateway and for its own pending calls, for nothing else. */
import { createHash } from 'node:crypto'
import { eq } from 'drizzle-orm'
import type { Database } from '../database/database.ts'
import { agents, users } from '../database/schema.ts'

const BEARER = /^Bearer (bk-[\w-]{16,128})$/i

export interface KeyHolder {
  readonly id: string
  readonly ownerId: number
  readonly model: string
  /** The owner's own key of the model provider, sealed, if they gave one. */
  readonly ownerKeySealed: string | null
}

export function hashInferenceKey(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}

/**
 * @param authorization the header as it came
 * @returns `undefined` for no key, a malformed one, one that nobody holds, or one whose agent is being deleted
 */
export async function agentByInferenceKey(
  database: Database,
  authorization: string | undefined,
): Promise<KeyHolder | undefined> {
  const key = BEARER.exec(authorization ?? '')?.[1]
  if (!key) return undefined
  // Looked up by hash: the time of an index search tells nothing about the key itself.
  const [agent] = await database
    .select({
      id: agents.id,
      ownerId: agents.ownerId,
      model: agents.model,
      status: agents.status,
      ownerKeySealed: users.apiKeySealed,
    })
    .from(agents)
    .leftJoin(users, eq(users.id, agents.ownerId))
    .where(eq(agents.inferenceKeyHash, hashInferenceKey(key)))
    .limit(1)
  return agent && (agent.status === 'running' || agent.status === 'creating') ? agent : undefined
}
