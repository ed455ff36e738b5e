/**
 * Another SSH pair, in two runs around a deployment. The first makes it and keeps the old one beside it: from the deployment on
 * new machines let in the new key, and the runner opens each machine with the one that it takes. The second has the runner give
 * the new key to every machine and take the old one away; when none is left, the old key is forgotten here, too. Cut anywhere,
 * or run again, it goes on from what each machine lets in.
 */
import { asc, ne } from 'drizzle-orm'
import { z } from 'zod'
import { type Database, openDatabase } from '../../functions/database/database.ts'
import { machines } from '../../functions/database/schema.ts'
import { makeSshPair } from '../made-keys.ts'
import { OperatorError } from './operator-error.ts'
import { runnerEnvironmentOf, saveRunnerEnvironment, saveValues } from './production-file.ts'
import type { Values } from './production-values.ts'

/** A machine that is busy or slow to answer takes the runner's whole patience. */
const CALL_LIMIT_MS = 4 * 60_000
const AT_ONCE = 6

const Rekeyed = z.object({ public_key: z.string(), changed: z.boolean() })
const NotRekeyed = z.object({ error: z.string(), message: z.string().optional(), public_key: z.string().optional() })

interface Outcome {
  readonly line: string
  readonly done: boolean
}

/** @returns what is to be done next. @throws {OperatorError} while a machine is left that the new key alone does not open */
export async function rotateSshPair(values: Values, file: string, say: (line: string) => void): Promise<string> {
  return values.SSH_PRIVATE_KEY_FORMER ? giveToMachines(values, file, say) : makePair(values, file)
}

async function makePair(values: Values, file: string): Promise<string> {
  if (!values.SSH_PRIVATE_KEY) {
    throw new OperatorError('The present SSH_PRIVATE_KEY is not in the file.', 'Without it no machine could be opened.')
  }
  const pair = makeSshPair()
  const changed = {
    ...values,
    SSH_PRIVATE_KEY: Buffer.from(pair.private).toString('base64'),
    ALEPH_SSH_PUBKEY: pair.public,
    SSH_PRIVATE_KEY_FORMER: values.SSH_PRIVATE_KEY,
  }
  await saveValues(file, changed)
  const first = 'There is a new SSH pair; the old one still opens the machines that there are.'
  const last = 'npm run deploy, then npm run rotate -- ssh again: it goes to every machine.'
  if (!values.DEPLOY_RUNNER_URL) return `${first} Next: ${last}`
  const path = await saveRunnerEnvironment(file, runnerEnvironmentOf(changed))
  return `${first} Next: start the runner with ${path}, which names both, ${last}`
}

async function giveToMachines(values: Values, file: string, say: (line: string) => void): Promise<string> {
  const database = openDatabase({ url: values.LIBSQL_URL ?? '', authToken: values.LIBSQL_AUTH_TOKEN })
  const done = new Set<string>()
  const left = new Set<string>()
  // Until nothing new has come up meanwhile.
  for (;;) {
    const todo = (await listMachines(database)).filter((id) => !done.has(id) && !left.has(id))
    if (todo.length === 0) break
    for (let from = 0; from < todo.length; from += AT_ONCE) {
      await Promise.all(
        todo.slice(from, from + AT_ONCE).map(async (id) => {
          const outcome = await rekey(values, id)
          ;(outcome.done ? done : left).add(id)
          say(`  ${id}  ${outcome.line}`)
        }),
      )
    }
  }
  if (left.size > 0) {
    throw new OperatorError(
      `${done.size} of ${done.size + left.size} machines let in the new key alone; both keys are kept for the others.`,
      'Run npm run rotate -- ssh again. A machine that is dead for good: /repair its agent, and the old one is given back.',
    )
  }
  const { SSH_PRIVATE_KEY_FORMER: _, ...kept } = values
  await saveValues(file, kept)
  const all = `All machines (${done.size}) let in the new key alone, and the old one is forgotten. Next: npm run deploy`
  if (!values.DEPLOY_RUNNER_URL) return `${all}.`
  const path = await saveRunnerEnvironment(file, runnerEnvironmentOf(kept))
  return `${all}, and start the runner with ${path} once more.`
}

async function listMachines(database: Database): Promise<string[]> {
  const rows = await database
    .select({ id: machines.id })
    .from(machines)
    .where(ne(machines.state, 'gone'))
    .orderBy(asc(machines.createdAt), asc(machines.id))
  return rows.map(({ id }) => id)
}

/** @throws {OperatorError} when it cannot work for any machine */
async function rekey({ PUBLIC_URL, ADMIN_TOKEN, ALEPH_SSH_PUBKEY }: Values, id: string): Promise<Outcome> {
  const response = await fetch(`${PUBLIC_URL}/admin/machines/${encodeURIComponent(id)}/rekey`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    signal: AbortSignal.timeout(CALL_LIMIT_MS),
  }).catch((cause: unknown) => {
    throw new OperatorError(`${PUBLIC_URL} does not answer.`, 'Nothing is lost: run this again.', { cause })
  })
  const answer: unknown = await response.json().catch(() => ({}))
  if (response.status === 401) throw new OperatorError('The Worker refuses ADMIN_TOKEN.', 'npm run deploy sets it.')
  const rekeyed = Rekeyed.safeParse(answer)
  const refused = NotRekeyed.safeParse(answer)
  const used = rekeyed.data?.public_key ?? refused.data?.public_key
  if (used !== undefined && used !== ALEPH_SSH_PUBKEY) {
    throw new OperatorError('The Worker does not have the new pair yet.', 'npm run deploy, then run this again.')
  }
  if (rekeyed.success)
    return { done: true, line: rekeyed.data.changed ? 'now has the new key alone' : 'had it already' }
  // It was given back in the meantime.
  if (refused.data?.error === 'not_found' && response.headers.has('x-content-type-options'))
    return { done: true, line: 'is gone' }
  const { error = `HTTP ${response.status}`, message = '' } = refused.data ?? {}
  return { done: false, line: `NOT YET: ${message || error}` }
}
