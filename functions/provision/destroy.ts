/** The end of an agent: whatever else is being done to it stops, its machines go, and what was put aside of it. */
import { findAgent } from '../database/agents.ts'
import { finishDeployment, supersedeOthers } from '../database/deployments.ts'
import { findMachinesOf, giveUpMachine } from '../database/machines.ts'
import type { DeploymentRun } from './deployment-run.ts'
import { QUICK } from './durable-work.ts'
import { report } from './progress.ts'
import { retireMachine } from './retire-machine.ts'

/** For the agent it is over all the same; the machine's row stays, and the sweep goes on. */
const STILL_THERE = {
  status: 'failed',
  errorCode: 'forget_timeout',
  error: 'a machine is not confirmed gone yet',
} as const

export async function destroy({ work, deployment, note }: DeploymentRun): Promise<void> {
  const { agentId } = deployment
  const machines = await work.do('take over', QUICK, async ({ database, now }) => {
    await supersedeOthers(database, deployment, now())
    const agent = await findAgent(database, agentId)
    // A deletion that overtakes a creation finds what that one has ordered.
    const ids = new Set((await findMachinesOf(database, agentId)).map(({ id }) => id))
    if (agent?.machineId) ids.add(agent.machineId)
    return [...ids]
  })
  // A step of its own: run twice, the one above would not find them any more.
  await work.do('give up', QUICK, async ({ database, now }) => {
    for (const id of machines) await giveUpMachine(database, id, { now: now() })
  })
  let isOver = true
  for (const id of machines) isOver = (await retireMachine(work, id, note)) && isOver
  await work.do('finish', QUICK, async (ports) => {
    await ports.snapshots.erase(agentId)
    const gone = { status: 'deleted' as const, machineId: null, url: null, snapshotAt: null }
    await finishDeployment(ports.database, deployment, gone, isOver ? { status: 'done' } : STILL_THERE, ports.now())
    const { errorCode: code, error: message } = STILL_THERE
    if (isOver) await report(ports, deployment, 'done', { status: 'done' })
    else await report(ports, deployment, 'failed', { status: 'failed', error: { code, message } })
  })
}
