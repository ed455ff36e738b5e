/**
 * One deployment from beginning to end. Every step may run twice (a step is repeated when the platform dies in it), so each
 * finds what it did before; what a step returns is stored in clear by the platform, so none returns a secret.
 */
import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from 'cloudflare:workers'
import type { Bindings } from '../bindings.ts'
import { type Config, parseConfig } from '../config.ts'
import { findAgent } from '../database/agents.ts'
import { type Database, openDatabase } from '../database/database.ts'
import {
  type Deployment,
  findDeployment,
  finishDeployment,
  saveStep,
  supersedeOthers,
} from '../database/deployments.ts'
import { findMachine, findMachineOrderedFor, recordMachine, updateMachine } from '../database/machines.ts'
import { describeError, log } from '../log.ts'
import { answersPublicly, deployAgent, targetOf } from './agent-deployment.ts'
import { fetchPublicUrl } from './aleph/gateway.ts'
import { fetchPlacement } from './aleph/placement.ts'
import type { DeploymentParams } from './deployment-params.ts'
import { forgetInstance, isAccepted, orderInstance, signInstance } from './instance.ts'
import { createReporter, type Report } from './progress-reporter.ts'
import { ProvisionFailure } from './provision-failure.ts'
import { callRunner } from './runner-client.ts'

/** Pauses between looks, growing: a local or warm machine is there at once, a cold one takes minutes. */
const POLL_PAUSES_S = [1, 1, 2, 3, 5] as const
const ACCEPT_LIMIT_MS = 5 * 60_000
const PLACEMENT_LIMIT_MS = 10 * 60_000
const PUBLIC_HEALTH_LIMIT_MS = 6 * 60_000
const FORGET_LIMIT_MS = 10 * 60_000

const QUICK = { retries: { limit: 5, delay: '1 second', backoff: 'exponential' }, timeout: '2 minutes' } as const
const INSTALL = { retries: { limit: 2, delay: '5 seconds', backoff: 'constant' }, timeout: '30 minutes' } as const

/** What a step came to. A failure that trying again cannot mend is a value: thrown errors are retried by the platform. */
type Outcome<T extends object> =
  | ({ readonly ok: true } & T)
  | { readonly ok: false; readonly code: string; readonly message: string }

/** Worth another try by itself; everything else is told to the person at once. */
const TRANSIENT = new Set(['runner_unreachable', 'disconnected', 'busy', 'internal'])

export class Provision extends WorkflowEntrypoint<Bindings, DeploymentParams> {
  override async run({ payload }: WorkflowEvent<DeploymentParams>, step: WorkflowStep): Promise<void> {
    const deployment = await step.do('load', QUICK, () => this.#load(payload.deploymentId))
    if (!deployment) return
    const run = new DeploymentRun(this.env, deployment, step)
    try {
      await (deployment.kind === 'destroy' ? run.destroy() : run.bringUp())
    } catch (error) {
      if (!(error instanceof ProvisionFailure))
        log('error', 'deployment_broke', { deployment: deployment.id, error: describeError(error) })
      await run.fail(error)
    }
  }

  async #load(id: string): Promise<Deployment | undefined> {
    const { database } = portsOf(this.env)
    const deployment = await findDeployment(database, id)
    return deployment?.status === 'running' ? deployment : undefined
  }
}

class DeploymentRun {
  readonly #env: Bindings
  readonly #deployment: Deployment
  readonly #step: WorkflowStep
  readonly #report: Report
  #ordered: string | undefined

  constructor(env: Bindings, deployment: Deployment, step: WorkflowStep) {
    this.#env = env
    this.#deployment = deployment
    this.#step = step
    this.#report = createReporter(env, deployment)
  }

  /** create, repair and update are the same road: what is there already is kept. */
  async bringUp(): Promise<void> {
    const machineId = (await this.#existingMachine()) ?? (await this.#newMachine())
    const { version } = await this.#do('deploy', INSTALL, ({ ports }) =>
      deployAgent({ ...ports, env: this.#env }, { agentId: this.#deployment.agentId, machineId, report: this.#report }),
    )
    await this.#note('health', machineId)
    const { url } = await this.#do('address', QUICK, async ({ ports }) => ({
      url: (await findMachine(ports.database, machineId))?.url ?? '',
    }))
    await this.#poll('health', PUBLIC_HEALTH_LIMIT_MS, 'unhealthy', () => answersPublicly(url))
    await this.#step.do('finish', QUICK, async () => {
      const { database, now } = portsOf(this.#env)
      await updateMachine(database, machineId, { state: 'in_use', failure: null }, now())
      await finishDeployment(
        database,
        this.#deployment,
        { status: 'running', machineId, url, version },
        { status: 'done' },
        now(),
      )
      await this.#report('done', { status: 'done' })
    })
  }

  async destroy(): Promise<void> {
    await this.#step.do('take over', QUICK, async () => {
      const { database, now } = portsOf(this.#env)
      await supersedeOthers(database, this.#deployment, now())
    })
    const machineId = await this.#step.do('find machine', QUICK, () => this.#findMachineOf(this.#deployment.agentId))
    if (machineId) {
      await this.#note('wipe', machineId)
      await this.#step.do('wipe', QUICK, () => this.#wipe(machineId))
      await this.#note('forget', machineId)
      await this.#forget(machineId)
    }
    await this.#step.do('finish', QUICK, async () => {
      const { database, now } = portsOf(this.#env)
      await finishDeployment(
        database,
        this.#deployment,
        { status: 'deleted', machineId: null, url: null },
        { status: 'done' },
        now(),
      )
      await this.#report('done', { status: 'done' })
    })
  }

  /** What was ordered in vain is given back; a machine that already carries the agent stays, with its data. */
  async fail(error: unknown): Promise<void> {
    const { code, message } =
      error instanceof ProvisionFailure ? error : { code: 'internal', message: describeError(error) }
    log('warn', 'deployment_failed', {
      deployment: this.#deployment.id,
      agent: this.#deployment.agentId,
      code,
      reason: message,
    })
    await this.#step.do('fail', QUICK, async () => {
      const { database, now } = portsOf(this.#env)
      if (this.#ordered)
        await updateMachine(database, this.#ordered, { state: 'destroying', agentId: null, failure: code }, now())
      const agent =
        this.#deployment.kind === 'destroy'
          ? {}
          : { status: 'failed' as const, ...(this.#ordered ? { machineId: null } : {}) }
      await finishDeployment(
        database,
        this.#deployment,
        agent,
        { status: 'failed', errorCode: code, error: message },
        now(),
      )
      await this.#report('failed', { status: 'failed', error: { code, message } })
    })
    // The sweep goes on with what does not succeed here.
    if (this.#ordered) await this.#forget(this.#ordered).catch(() => undefined)
  }

  async #existingMachine(): Promise<string | undefined> {
    const id = await this.#step.do('find machine', QUICK, () => this.#findMachineOf(this.#deployment.agentId))
    return id ?? undefined
  }

  async #findMachineOf(agentId: string): Promise<string | null> {
    const { database } = portsOf(this.#env)
    const agent = await findAgent(database, agentId)
    const machine = agent?.machineId ? await findMachine(database, agent.machineId) : undefined
    if (machine && machine.state !== 'gone') return machine.id
    // A deletion that overtakes a creation finds what that one has ordered.
    return this.#deployment.kind === 'destroy' ? await findMachineOrderedFor(database, agentId) : null
  }

  async #newMachine(): Promise<string> {
    const machine = { id: `m-${this.#deployment.id}`, name: `baal-${this.#deployment.id}` }
    await this.#note('record', machine.id)
    await this.#step.do('record', QUICK, async () => {
      const { database, now } = portsOf(this.#env)
      await recordMachine(database, { ...machine, agentId: this.#deployment.agentId, now: now() })
    })
    this.#ordered = machine.id
    const { envelope } = await this.#do('sign', QUICK, async ({ ports }) => ({
      envelope: await signInstance(ports, machine),
    }))
    await this.#note('instance', machine.id)
    await this.#do('order', QUICK, async ({ ports }) => {
      await orderInstance(ports, envelope)
      return {}
    })
    const itemHash = envelope.item_hash
    await this.#poll('accept', ACCEPT_LIMIT_MS, 'rejected', ({ ports }) => isAccepted(ports, itemHash))
    await this.#note('placement', machine.id)
    await this.#poll('placement', PLACEMENT_LIMIT_MS, 'placement_timeout', ({ ports }) =>
      this.#place(ports, machine.id, itemHash),
    )
    await this.#note('boot', machine.id)
    return machine.id
  }

  async #place({ config, database, now }: Ports, machineId: string, itemHash: string): Promise<boolean> {
    const placement = await fetchPlacement(config.ALEPH_SCHEDULER_URL, itemHash)
    if (placement.kind === 'unschedulable') throw new ProvisionFailure('no_capacity', `no node can take ${itemHash}`)
    if (placement.kind === 'waiting') return false
    const { kind: _, ...address } = placement
    const url = await fetchPublicUrl(config.ALEPH_GATEWAY_URL, itemHash)
    await updateMachine(database, machineId, { ...address, url, state: 'placed' }, now())
    return true
  }

  /** Best effort: a machine that does not answer any more is given back all the same. */
  async #wipe(machineId: string): Promise<void> {
    const { config, database, now } = portsOf(this.#env)
    const machine = await findMachine(database, machineId)
    if (!machine) return
    await updateMachine(database, machineId, { state: 'destroying' }, now())
    try {
      await callRunner({ config, env: this.#env }, 'wipe', { target: targetOf(machine), wait_ms: 5_000 })
    } catch (error) {
      log('warn', 'wipe_failed', { machine: machineId, error: describeError(error) })
    }
  }

  async #forget(machineId: string): Promise<void> {
    await this.#poll(`forget ${machineId}`, FORGET_LIMIT_MS, 'forget_timeout', async ({ ports }) => {
      const machine = await findMachine(ports.database, machineId)
      if (!machine || machine.state === 'gone') return true
      if (machine.kind === 'aleph' && !(await forgetInstance(ports, machine))) return false
      await updateMachine(ports.database, machineId, { state: 'gone', goneAt: ports.now(), agentId: null }, ports.now())
      return true
    })
  }

  /** Runs a step whose lasting failures end the deployment instead of being tried again. */
  async #do<T extends object>(
    name: string,
    options: typeof QUICK | typeof INSTALL,
    work: (context: { ports: Ports }) => Promise<T>,
  ): Promise<T> {
    // As text: the platform's type for what a step may return does not carry through a generic.
    const settled = await this.#step
      .do(name, options, async () => JSON.stringify(await settle(() => work({ ports: portsOf(this.#env) }))))
      .catch((error: unknown) => {
        throw revive(error)
      })
    const outcome: Outcome<T> = JSON.parse(settled)
    if (!outcome.ok) throw new ProvisionFailure(outcome.code, outcome.message)
    return outcome
  }

  /** Asks again until it holds. Every look is a step of its own, so that a restart goes on where it was. */
  async #poll(
    name: string,
    limitMs: number,
    timeoutCode: string,
    holds: (context: { ports: Ports }) => Promise<boolean>,
  ): Promise<void> {
    let waitedMs = 0
    for (let look = 1; ; look++) {
      const { yes } = await this.#do(`${name} ${look}`, QUICK, async (context) => ({ yes: await holds(context) }))
      if (yes) return
      if (waitedMs > limitMs)
        throw new ProvisionFailure(timeoutCode, `${name}: nothing after ${Math.round(waitedMs / 1000)} s`)
      const pauseS = POLL_PAUSES_S[Math.min(look, POLL_PAUSES_S.length) - 1] ?? 5
      await this.#step.sleep(`${name} pause ${look}`, `${pauseS} seconds`)
      waitedMs += pauseS * 1_000
    }
  }

  /** Also where a deployment learns that another one (a deletion) has taken over. */
  async #note(name: string, machineId: string): Promise<void> {
    await this.#do(`note ${name}`, QUICK, async ({ ports: { database, now } }) => {
      const isOurs = await saveStep(database, this.#deployment.id, name, machineId, now())
      if (!isOurs) throw new ProvisionFailure('superseded', 'another deployment has taken over')
      await this.#report(name)
      return {}
    })
  }
}

interface Ports {
  readonly config: Config
  readonly database: Database
  now(): number
}

/** Opened anew in each step: connections do not outlive the event that made them. */
function portsOf(env: Bindings): Ports {
  const config = parseConfig(env)
  return {
    config,
    database: openDatabase({ url: config.LIBSQL_URL, authToken: config.LIBSQL_AUTH_TOKEN }),
    now: () => Date.now(),
  }
}

async function settle<T extends object>(work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, ...(await work()) }
  } catch (error) {
    if (!(error instanceof ProvisionFailure)) throw error
    // Only name and message of an error survive a step: the code travels in the message.
    if (TRANSIENT.has(error.code)) throw new Error(`${error.code}| ${error.message}`, { cause: error })
    return { ok: false, code: error.code, message: error.message }
  }
}

/** A failure that stayed after every try, with the code it had. */
function revive(error: unknown): unknown {
  const match = error instanceof Error ? /(?:^|: )(\w+)\| ([\s\S]*)$/.exec(error.message) : undefined
  return match ? new ProvisionFailure(match[1] ?? 'internal', match[2] ?? '', { cause: error }) : error
}
