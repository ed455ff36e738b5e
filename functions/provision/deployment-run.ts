/** What all kinds of deployments share: whose turn it is, what the chat hears, and how one ends. */
import type { StateLoss } from '../chat/deployment-report.ts'
import { type Agent, findAgent } from '../database/agents.ts'
import { type Deployment, finishDeployment, saveStep } from '../database/deployments.ts'
import { findMachine, findMachinesOf, giveUpMachine, giveUpUnfinished, moveMachine } from '../database/machines.ts'
import { describeError, log } from '../log.ts'
import { type DurableWork, QUICK } from './durable-work.ts'
import type { Installed } from './install-agent.ts'
import { knownStep, report } from './progress.ts'
import { blamesMachine, ProvisionFailure } from './provision-failure.ts'
import type { ProvisionPorts } from './provision-ports.ts'
import { retireMachine } from './retire-machine.ts'

export type Note = (step: string) => (ports: ProvisionPorts) => Promise<void>

export interface DeploymentRun {
  readonly work: DurableWork
  readonly deployment: Deployment
  /** As a step begins; also where a deployment learns that another one (a deletion) has taken over. */
  readonly note: Note
}

export function startRun(work: DurableWork, deployment: Deployment): DeploymentRun {
  const note: Note = (step) => async (ports) => {
    if (!(await saveStep(ports.database, deployment.id, knownStep(step), undefined, ports.now()))) {
      throw new ProvisionFailure('superseded', 'another deployment has taken over')
    }
    await report(ports, deployment, step)
  }
  return { work, deployment, note }
}

/**
 * The agent lives on this machine now, and on no other.
 * @param loss what of its state did not come along
 * @returns machines that it has left
 */
export async function settle(
  { work, deployment }: DeploymentRun,
  machineId: string,
  installed: Installed,
  loss?: StateLoss,
): Promise<string[]> {
  const { agentId } = deployment
  return work.do('finish', QUICK, async (ports) => {
    const { database, now } = ports
    const isOurs = await moveMachine(database, machineId, {
      from: ['placed', 'claimed', 'in_use'],
      to: 'in_use',
      facts: { failure: null, failedAt: null },
      now: now(),
    })
    if (!isOurs) throw new ProvisionFailure('superseded', 'the machine was given up')
    const agent = await findAgent(database, agentId)
    await finishDeployment(
      database,
      deployment,
      { status: 'running', machineId, ...installed, ...(agent ? { deployedSettings: settingsOf(agent) } : {}) },
      { status: 'done' },
      now(),
    )
    const left = (await findMachinesOf(database, agentId)).filter(({ id }) => id !== machineId)
    for (const { id } of left) await giveUpMachine(database, id, { now: now() })
    await report(ports, deployment, 'done', { status: 'done', ...(loss ? { loss } : {}) })
    return left.map(({ id }) => id)
  })
}

/** What was ordered in vain is given back; a machine that already carries the agent stays, with its data. */
export async function fail({ work, deployment }: DeploymentRun, error: unknown): Promise<void> {
  const { code, message } =
    error instanceof ProvisionFailure ? error : { code: 'internal', message: describeError(error) }
  log('warn', 'deployment_failed', { deployment: deployment.id, agent: deployment.agentId, code, reason: message })
  const givenUp = await work.do('fail', QUICK, async (ports) => {
    const { database, now } = ports
    const failure = blamesMachine(error) ? code : undefined
    const ids = await giveUpUnfinished(database, deployment.agentId, { failure, now: now() })
    await endFailed(ports, deployment, { code, message })
    return ids
  })
  await retireAll(work, givenUp)
}

/** An agent that answers all the same goes on being talked to. */
export async function endFailed(
  ports: ProvisionPorts,
  deployment: Deployment,
  error: { code: string; message: string },
): Promise<void> {
  const agent = deployment.kind === 'destroy' ? {} : { status: await statusAfterFailure(ports, deployment.agentId) }
  const outcome = { status: 'failed' as const, errorCode: error.code, error: error.message }
  await finishDeployment(ports.database, deployment, agent, outcome, ports.now())
  await report(ports, deployment, 'failed', { status: 'failed', error })
}

async function statusAfterFailure(
  { database, agents }: ProvisionPorts,
  agentId: string,
): Promise<'running' | 'failed'> {
  const agent = await findAgent(database, agentId)
  const machine = agent?.machineId ? await findMachine(database, agent.machineId) : undefined
  if (machine?.state !== 'in_use' || machine.agentId !== agentId || !machine.url) return 'failed'
  return (await agents.health(machine.url)) ? 'running' : 'failed'
}

/** The person has been told already; the sweep goes on with what does not succeed here. */
export async function retireAll(work: DurableWork, machineIds: readonly string[]): Promise<void> {
  for (const id of new Set(machineIds)) await retireMachine(work, id)
}

/** What an update can go back to, as one text. */
export function settingsOf({ name, prompt, model }: Pick<Agent, 'name' | 'prompt' | 'model'>): string {
  return JSON.stringify({ name, prompt, model })
}
