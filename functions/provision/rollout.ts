/**
 * Updates every agent: the admins' own first (or one, if they have none), then the others in batches. The first that does not
 * come up stops it: whatever is wrong with the new version has then cost a canary or one batch, and each of those runs again with
 * what it had.
 */
import { findAgent, findRunningDeployment, recordDeployment } from '../database/agents.ts'
import { findRollout, listRunningAgents, readOutcomes, saveRollout } from '../database/rollouts.ts'
import { log } from '../log.ts'
import { type DurableWork, QUICK } from './durable-work.ts'
import type { ProvisionPorts } from './provision-ports.ts'

const MAX_CANARIES = 5
const BATCH_SIZE = 10
const BATCH_LIMIT_MS = 90 * 60_000
/** Deleted or worked on by its owner meanwhile: nothing against the new version. */
const NO_VERDICT: ReadonlySet<string> = new Set(['superseded'])

export async function rollOut(work: DurableWork, rolloutId: string): Promise<void> {
  const { canaries, others } = await work.do('plan batches', QUICK, (ports) => plan(ports, rolloutId))
  let updated = 0
  let next: readonly string[] = canaries
  for (let batch = 0, taken = 0; next.length > 0; batch++) {
    const name = batch === 0 ? 'canary' : `batch ${batch}`
    const agentIds = next
    const ids = await work.do(`start ${name}`, QUICK, (ports) => start(ports, rolloutId, agentIds))
    await work.poll(name, { ms: BATCH_LIMIT_MS, code: 'timeout' }, async (ports) => {
      await saveRollout(ports.database, rolloutId, {}, ports.now())
      return (await readOutcomes(ports.database, ids)).every(({ status }) => status !== 'running')
    })
    const done = updated
    const verdict = await work.do(`judge ${name}`, QUICK, (ports) => judge(ports, rolloutId, ids, done))
    updated = verdict.updated
    if (verdict.stopped) return
    // Canaries that were deleted or at work have shown nothing: the next agent is one, alone.
    next = others.slice(taken, taken + (updated > 0 ? BATCH_SIZE : 1))
    taken += next.length
  }
  await work.do('finish', QUICK, ({ database, now }) =>
    saveRollout(database, rolloutId, { status: 'done', updated }, now()),
  )
}

/** For a rollout that broke: nobody is updated any more. */
export async function stopRollout(work: DurableWork, rolloutId: string, error: string): Promise<void> {
  await work.do('stop', QUICK, ({ database, now }) =>
    saveRollout(database, rolloutId, { status: 'stopped', error }, now()),
  )
}

async function plan(
  { config, database, now }: ProvisionPorts,
  rolloutId: string,
): Promise<{ canaries: string[]; others: string[] }> {
  if ((await findRollout(database, rolloutId))?.status !== 'running') return { canaries: [], others: [] }
  const all = await listRunningAgents(database)
  const own = all.filter(({ ownerId }) => config.ADMIN_IDS.includes(ownerId))
  const canaries = (own.length > 0 ? own : all.slice(0, 1)).slice(0, MAX_CANARIES).map(({ id }) => id)
  await saveRollout(database, rolloutId, { total: all.length }, now())
  return { canaries, others: all.map(({ id }) => id).filter((id) => !canaries.includes(id)) }
}

async function start(
  { database, engine, now }: ProvisionPorts,
  rolloutId: string,
  agentIds: readonly string[],
): Promise<string[]> {
  const started: string[] = []
  for (const agentId of agentIds) {
    const id = `${rolloutId}-${agentId}`
    const running = await findRunningDeployment(database, agentId)
    const agent = await findAgent(database, agentId)
    // What is worked on gets the newest version anyway, and what is gone or broken is no measure.
    if ((running && running.id !== id) || (!running && agent?.status !== 'running')) continue
    if (!(await recordDeployment(database, { id, agentId, kind: 'update', chatName: null, now: now() }))) continue
    await engine.start({ deploymentId: id })
    started.push(id)
  }
  return started
}

async function judge(
  { database, now }: ProvisionPorts,
  rolloutId: string,
  ids: readonly string[],
  before: number,
): Promise<{ updated: number; stopped: boolean }> {
  const outcomes = await readOutcomes(database, ids)
  const failed = outcomes.find(({ status, errorCode }) => status === 'failed' && !NO_VERDICT.has(errorCode ?? ''))
  const updated = before + outcomes.filter(({ status }) => status === 'done').length
  if (!failed) {
    await saveRollout(database, rolloutId, { updated }, now())
    return { updated, stopped: false }
  }
  log('error', 'rollout_stopped', { rollout: rolloutId, agent: failed.agentId, code: failed.errorCode })
  const why = { status: 'stopped' as const, updated, failedAgentId: failed.agentId, error: failed.errorCode }
  await saveRollout(database, rolloutId, why, now())
  return { updated, stopped: true }
}
