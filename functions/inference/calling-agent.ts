/** Whose key a call carries. Asked of the database each time, so that a revoked key is refused at once. */
import type { Database } from '../database/database.ts'
import { type Caller, strangerMayCall } from '../strangers.ts'
import { agentByInferenceKey, hashInferenceKey, type KeyHolder } from './agent-key.ts'

const GOOD_FOR_MS = 10 * 60_000
const MAX_REMEMBERED = 5_000

/** Hashes of headers that were good lately in this isolate: these do not count as a stranger's, and are nothing more. */
const goodLately = new Map<string, number>()

/** @returns `too_often` when an address tries one unknown key after the other: the database is not asked then */
export async function callingAgent(
  caller: Caller,
  database: Database,
  now = Date.now(),
): Promise<KeyHolder | 'unknown' | 'too_often'> {
  const authorization = caller.req.header('authorization')
  if (!authorization) return 'unknown'
  const hash = hashInferenceKey(authorization)
  const isKnown = (goodLately.get(hash) ?? 0) > now - GOOD_FOR_MS
  if (!isKnown && !(await strangerMayCall(caller))) return 'too_often'
  const agent = await agentByInferenceKey(database, authorization)
  goodLately.delete(hash)
  if (!agent) return 'unknown'
  if (goodLately.size >= MAX_REMEMBERED) goodLately.clear()
  goodLately.set(hash, now)
  return agent
}
