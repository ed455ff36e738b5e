/** What cron does for machines: push what stands still, give back what nobody wants, forget what no row knows. */
import type { Bindings } from '../bindings.ts'
import { type Config, parseConfig } from '../config.ts'
import { type Database, openDatabase } from '../database/database.ts'
import { findStalled } from '../database/deployments.ts'
import { findKnownItemHashes, findMachinesToDestroy, updateMachine } from '../database/machines.ts'
import { describeError, log } from '../log.ts'
import { fetchMessageStatus, fetchOwnInstances } from './aleph/core-nodes.ts'
import { accountAddress } from './aleph/sign-message.ts'
import { forgetInstance, sendForget } from './instance.ts'

/** A deployment notes each step; none takes longer than this without a sign. */
const STALLED_AFTER_MS = 3 * 60_000
/** Its own Workflow goes first. */
const DESTROY_AFTER_MS = 2 * 60_000
/** An order is noted before it is sent, so even this is generous. */
const ORPHAN_AFTER_MS = 30 * 60_000
const ORPHAN_CRON = '*/15 * * * *'
/** Ours are recognised by name: an account may serve other purposes, too. */
const NAME_PREFIX = 'baal-'

interface Ports {
  readonly config: Config
  readonly database: Database
  readonly env: Bindings
  now(): number
}

export async function runScheduled(cron: string, env: Bindings): Promise<void> {
  const config = parseConfig(env)
  const database = openDatabase({ url: config.LIBSQL_URL, authToken: config.LIBSQL_AUTH_TOKEN })
  const ports: Ports = { config, database, env, now: () => Date.now() }
  await attempt('nudge', () => nudgeStalled(ports))
  await attempt('destroy', () => destroyUnwanted(ports))
  if (cron === ORPHAN_CRON) await attempt('orphans', () => forgetOrphans(ports))
}

/** A Workflow that slept through a restart wakes at any event; one that was never started is started now. */
export async function nudgeStalled({ database, env, now }: Ports): Promise<void> {
  for (const { id } of await findStalled(database, now() - STALLED_AFTER_MS)) {
    const workflowId = `deploy-${id}`
    try {
      await (await env.PROVISION.get(workflowId)).sendEvent({ type: 'nudge', payload: {} })
    } catch {
      await env.PROVISION.create({ id: workflowId, params: { deploymentId: id } }).catch((error: unknown) => {
        log('warn', 'nudge_failed', { deployment: id, error: describeError(error) })
      })
    }
  }
}

export async function destroyUnwanted(ports: Ports): Promise<void> {
  for (const machine of await findMachinesToDestroy(ports.database, ports.now() - DESTROY_AFTER_MS)) {
    await attempt('destroy_machine', async () => {
      const gone = machine.kind !== 'aleph' || (await forgetInstance(ports, machine))
      const now = ports.now()
      await updateMachine(
        ports.database,
        machine.id,
        gone ? { state: 'gone', goneAt: now } : { state: 'destroying' },
        now,
      )
    })
  }
}

/** @returns item hashes that were asked to be forgotten */
export async function forgetOrphans({ config, database, now }: Ports): Promise<string[]> {
  if (!config.ALEPH_PRIVATE_KEY) return []
  const address = await accountAddress(config.ALEPH_PRIVATE_KEY)
  const instances = (await fetchOwnInstances(config.ALEPH_API_URLS, address)).filter(
    ({ name, createdAtMs }) => name.startsWith(NAME_PREFIX) && now() - createdAtMs > ORPHAN_AFTER_MS,
  )
  const known = await findKnownItemHashes(
    database,
    instances.map(({ itemHash }) => itemHash),
  )
  const orphans = instances.filter(({ itemHash }) => !known.has(itemHash))
  for (const { itemHash } of orphans) {
    const status = await fetchMessageStatus(config.ALEPH_API_URLS, itemHash)
    if (status?.status !== 'processed') continue
    log('warn', 'orphan_forgotten', { instance: itemHash })
    await sendForget(config, itemHash, now())
  }
  return orphans.map(({ itemHash }) => itemHash)
}

async function attempt(what: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    log('error', 'scheduled_failed', { what, error: describeError(error) })
  }
}
