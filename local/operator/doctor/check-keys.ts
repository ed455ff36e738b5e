import { desc, notInArray } from 'drizzle-orm'
import type { Config } from '../../../functions/config.ts'
import type { Database } from '../../../functions/database/database.ts'
import { agents } from '../../../functions/database/schema.ts'
import { sealFor } from '../../../functions/seal.ts'
import { publicHalfOf } from '../../made-keys.ts'
import type { Values } from '../production-values.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, warn, fail } = findingsOf('keys')
/** The newest: a wrong key opens none of them, and one that was changed half-way opens some. */
const TRIED = 50

/** Keys that look as they should and are not the ones that are needed: nothing else tells before a person does. */
export async function checkKeys(config: Config, values: Values, database: Database | undefined): Promise<Finding[]> {
  const findings = [...checkSigningKey(config), ...checkSshKey(config, values)]
  return database ? [...findings, ...(await checkSeals(config, database))] : findings
}

function checkSigningKey({ WORKER_SIGNING_KEY }: Config): Finding[] {
  if (isSigningKey(WORKER_SIGNING_KEY)) return []
  return [
    fail(
      'WORKER_SIGNING_KEY is no Ed25519 key: no agent can be set up',
      'Take it from a backup of the file, or take the line out: npm run deploy makes another.',
    ),
  ]
}

export function isSigningKey(value: string): boolean {
  try {
    publicHalfOf(value)
    return true
  } catch {
    return false
  }
}

/** A runner elsewhere has it itself, and is asked what it opens. */
function checkSshKey({ DEPLOY_RUNNER_URL }: Config, { SSH_PRIVATE_KEY }: Values): Finding[] {
  if (DEPLOY_RUNNER_URL || SSH_PRIVATE_KEY) return []
  return [
    fail(
      'SSH_PRIVATE_KEY is not set: the container opens no machine',
      'Take it from a backup of the file; it is the other half of ALEPH_SSH_PUBKEY.',
    ),
  ]
}

async function checkSeals(config: Config, database: Database): Promise<Finding[]> {
  const seal = sealFor(config)
  const sealed = await database
    .select({ id: agents.id, secret: agents.secretSealed })
    .from(agents)
    .where(notInArray(agents.status, ['deleting', 'deleted']))
    .orderBy(desc(agents.createdAt))
    .limit(TRIED)
  const tries = sealed.map(({ id, secret }) => seal.open(secret, { what: 'agent-secret', id }))
  const closed = (await Promise.allSettled(tries)).filter(({ status }) => status === 'rejected').length
  if (closed === 0) return [ok(sealed.length === 0 ? 'nothing is sealed yet' : 'what is sealed opens')]
  const line = `BOT_ENCRYPTION_KEY does not open ${closed} of ${sealed.length} agents’ secrets`
  const whatToDo = 'Put the key that sealed them into BOT_ENCRYPTION_KEY_FORMER, then npm run deploy.'
  return [closed === sealed.length ? fail(line, whatToDo) : warn(line, whatToDo)]
}
