/** A new home for an agent: a warm machine or a new one, the next one when it fails, and back with those that failed. */
import type { StateLoss } from '../chat/deployment-report.ts'
import { findAgent } from '../database/agents.ts'
import { giveUpUnfinished } from '../database/machines.ts'
import { claimMachine } from '../database/machines-pool.ts'
import { log } from '../log.ts'
import { type DeploymentRun, retireAll, settle } from './deployment-run.ts'
import { INSTALL, QUICK } from './durable-work.ts'
import { type Installed, installAgent } from './install-agent.ts'
import { restoreSnapshot } from './move-state.ts'
import { orderMachine } from './order-machine.ts'
import { blamesMachine } from './provision-failure.ts'

/** Machines that are tried for one request. */
const MAX_MACHINES = 3
/** A host that could not carry an agent is not the first choice of the next one for so long. */
const HOST_REST_MS = 3_600_000

/** @throws {ProvisionFailure} after every machine that was to blame for it has been replaced in vain */
export async function create(run: DeploymentRun): Promise<void> {
  const { machineId, installed, loss, failed } = await moveIn(run)
  const left = await settle(run, machineId, installed, loss)
  await retireAll(run.work, [...failed, ...left])
}

interface Home {
  readonly machineId: string
  readonly installed: Installed
  readonly loss: StateLoss | undefined
  /** Machines that were tried before it. */
  readonly failed: readonly string[]
}

async function moveIn(run: DeploymentRun): Promise<Home> {
  const { work, deployment } = run
  const failed: string[] = []
  let formerFailure: string | undefined
  for (let attempt = 1; ; attempt++) {
    try {
      const machineId = await obtain(run, attempt, formerFailure)
      const target = { agentId: deployment.agentId, machineId, label: String(attempt) }
      const installed = await installAgent(work, target, run.note)
      const loss = await restore(run, installed.url, attempt)
      return { machineId, installed, loss, failed }
    } catch (error) {
      if (!blamesMachine(error) || attempt === MAX_MACHINES) throw error
      formerFailure = error.code
      failed.push(...(await giveUp(run, error.code, attempt)))
    }
  }
}

/** @returns the id of a machine that is this agent's and that SSH reaches */
async function obtain(
  { work, deployment, note }: DeploymentRun,
  attempt: number,
  formerFailure: string | undefined,
): Promise<string> {
  const { id, agentId } = deployment
  const claimed = await work.do(`claim ${attempt}`, QUICK, async (ports) => {
    await note('claim')(ports)
    const now = ports.now()
    // Where nothing else can be had, one that failed is better than none.
    const isOnlyChance = !ports.config.ALEPH_PRIVATE_KEY
    const rested = await claimMachine(ports.database, { agentId, now, unfailedSince: now - HOST_REST_MS })
    return rested ?? (isOnlyChance ? claimMachine(ports.database, { agentId, now }) : null)
  })
  if (claimed) return claimed
  const machineId = `m-${id}-${attempt}`
  await orderMachine(work, { machineId, agentId, label: String(attempt), formerFailure, note })
  return machineId
}

/**
 * An agent that had a life before gets it back before anybody talks to it.
 * @returns what it cannot get back, because its machine did not answer when this deployment began
 */
async function restore(
  { work, deployment, note }: DeploymentRun,
  url: string,
  attempt: number,
): Promise<StateLoss | undefined> {
  const loss = await work.do(`restore ${attempt}`, INSTALL, async (ports): Promise<StateLoss | null> => {
    const agent = await findAgent(ports.database, deployment.agentId)
    const { snapshotAt: copiedAt } = agent ?? {}
    if (agent && copiedAt) {
      await note('restore')(ports)
      if (await restoreSnapshot(ports, agent.id, url)) return copiedAt < deployment.createdAt ? { copiedAt } : null
    }
    // It has a version once it has run.
    return agent?.version == null ? null : {}
  })
  if (!loss) return undefined
  log('warn', 'state_lost', { agent: deployment.agentId, copiedAt: loss.copiedAt ?? 'none' })
  return loss
}

/** Nobody else ever gets a machine that was half set up. */
async function giveUp({ work, deployment }: DeploymentRun, failure: string, attempt: number): Promise<string[]> {
  return work.do(`give up ${attempt}`, QUICK, (ports) =>
    giveUpUnfinished(ports.database, deployment.agentId, { failure, now: ports.now() }),
  )
}
