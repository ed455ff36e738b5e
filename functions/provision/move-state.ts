/** An agent's memory, files and conversation, put aside from a live machine and laid onto a new one. */
import { and, eq, notInArray } from 'drizzle-orm'
import { findAgent } from '../database/agents.ts'
import { agents } from '../database/schema.ts'
import { describeError, log } from '../log.ts'
import { addressOf } from './install-agent.ts'
import { ProvisionFailure } from './provision-failure.ts'
import type { ProvisionPorts } from './provision-ports.ts'

/** @returns `saved` when the agent's state of this moment is put aside; an older one stays when it does not answer */
export async function takeSnapshot(ports: ProvisionPorts, agentId: string): Promise<'saved' | 'silent'> {
  const { database, now } = ports
  const agent = await findAgent(database, agentId)
  if (!agent?.url) return 'silent'
  try {
    const archive = await ports.agents.export(await addressOf(ports, agent, agent.url))
    if (!archive) return 'silent'
    await ports.snapshots.save(agentId, archive)
  } catch (error) {
    log('warn', 'snapshot_failed', { agent: agentId, error: describeError(error) })
    return 'silent'
  }
  const noted = await database
    .update(agents)
    .set({ snapshotAt: now() })
    .where(and(eq(agents.id, agentId), notInArray(agents.status, ['deleting', 'deleted'])))
    .returning({ id: agents.id })
  if (noted.length > 0) return 'saved'
  // Its deletion may have been here before us.
  await ports.snapshots.erase(agentId)
  return 'silent'
}

/**
 * Gives the agent at `url` its last known state; settings stay those of our table, which may be newer.
 * @returns false when there is none
 */
export async function restoreSnapshot(ports: ProvisionPorts, agentId: string, url: string): Promise<boolean> {
  const agent = await findAgent(ports.database, agentId)
  const archive = agent?.snapshotAt ? await ports.snapshots.open(agentId) : undefined
  if (agent?.snapshotAt && !archive) log('error', 'snapshot_missing', { agent: agentId })
  if (!agent || !archive) return false
  const address = await addressOf(ports, agent, url)
  try {
    await ports.agents.import(address, archive)
    const { name, prompt, model } = agent
    await ports.agents.configure(address, { name, system_prompt: prompt, model })
  } catch (cause) {
    // Tried again: without its memory it would be another agent.
    throw new ProvisionFailure('disconnected', `the state of ${agentId} did not arrive: ${describeError(cause)}`, {
      cause,
    })
  }
  return true
}
