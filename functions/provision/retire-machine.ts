/**
 * Gives a machine back: secrets wiped over SSH, the instance forgotten until the network says so, its disk erased, its ports
 * taken away. Forgotten before it is erased: erased first, the scheduler would start it again. A host of the operator's own is
 * wiped, prepared anew, and free for the next agent.
 */
import { findMachine, type Machine, moveMachine, noteMachine } from '../database/machines.ts'
import { describeError, log } from '../log.ts'
import { eraseInstance } from './aleph/crn-control.ts'
import { ingressOf } from './aleph/gateway.ts'
import { type DurableWork, INSTALL, QUICK } from './durable-work.ts'
import { forgetInstance } from './forget-instance.ts'
import { withdrawPorts } from './forward-ports.ts'
import { confirmAddress } from './place-instance.ts'
import { ProvisionFailure } from './provision-failure.ts'
import type { ProvisionPorts } from './provision-ports.ts'
import { targetOf } from './ssh-target.ts'

/** Long enough for a network in trouble; the sweep goes on with what it does not settle. */
const FORGET_LIMIT_MS = 10 * 60_000
const WIPE_WAIT_MS = 5_000
/** That a host can be prepared says nothing against these; the next agent that runs on it does. */
const ONLY_AGENTS_SHOW: ReadonlySet<string> = new Set(['unhealthy', 'unreachable_outside'])

/** @returns whether it is gone (or free again); if not, the sweep goes on */
export async function retireMachine(
  work: DurableWork,
  machineId: string,
  note: (step: string) => (ports: ProvisionPorts) => Promise<void> = () => async () => undefined,
): Promise<boolean> {
  try {
    const mayGoOn = await work.do(`wipe ${machineId}`, INSTALL, async (ports) => {
      await note('wipe')(ports)
      return wipeMachine(ports, machineId)
    })
    if (!mayGoOn) return false
    await work.do(`leave ${machineId}`, QUICK, note('forget'))
    await work.poll(
      `forget ${machineId}`,
      { ms: FORGET_LIMIT_MS, code: 'forget_timeout' },
      (ports) => finishRetirement(ports, machineId),
      INSTALL,
    )
    return true
  } catch (error) {
    log('warn', 'retire_unfinished', { machine: machineId, error: describeError(error) })
    return false
  }
}

/** Wipes and goes on as far as it comes at once. For the sweep, which has no steps. */
export async function retireAtOnce(ports: ProvisionPorts, machine: Machine): Promise<boolean> {
  if (machine.kind === 'ssh' && !(await wipeMachine(ports, machine.id))) return false
  const done = await finishRetirement(ports, machine.id)
  // Looked at: the next sweep begins with others.
  if (!done) await noteMachine(ports.database, machine.id, {}, ports.now())
  return done
}

/** Best effort for an instance, whose disk goes anyway; a must for a host that somebody else will get. @returns whether to go on */
async function wipeMachine(ports: ProvisionPorts, machineId: string): Promise<boolean> {
  const { database, runner, now } = ports
  const found = await findMachine(database, machineId)
  if (found?.state !== 'destroying' || !found.sshHost) return true
  const confirmed = await confirmAddress(ports, found)
  // Nodes give a port to the next instance. Without a host key to know it by, another agent's machine would be wiped.
  if (!confirmed && !found.hostKey) {
    log('warn', 'wipe_skipped', { machine: machineId })
    return true
  }
  const machine = confirmed ?? found
  try {
    await runner.wipe({ target: targetOf(machine), wait_ms: WIPE_WAIT_MS })
    if (machine.kind === 'ssh') {
      await moveMachine(database, machineId, {
        from: ['destroying'],
        to: 'preparing',
        facts: { agentId: null },
        now: now(),
      })
    }
  } catch (error) {
    log('warn', 'wipe_failed', { machine: machineId, error: describeError(error) })
    if (machine.kind !== 'ssh') return true
    await noteFailure(ports, machineId, 'destroying', error)
    return false
  }
  return true
}

/** @returns true once there is nothing left to do; safe to ask again and again */
async function finishRetirement(ports: ProvisionPorts, machineId: string): Promise<boolean> {
  const machine = await findMachine(ports.database, machineId)
  if (!machine || machine.state === 'gone' || machine.state === 'warm') return true
  if (machine.kind === 'ssh') return machine.state === 'preparing' && prepareHost(ports, machine)
  if (!(await forgetInstance(ports, machine))) return false
  await erase(ports, machine)
  if (!(await withdrawPorts(ports, machineId))) return false
  const now = ports.now()
  const facts = { goneAt: now, agentId: null }
  return moveMachine(ports.database, machineId, { from: ['destroying', 'gone'], to: 'gone', facts, now })
}

/** Also for a host that was registered a moment ago. @returns true: what fails is noted, and tried again by the sweep */
export async function prepareHost(ports: ProvisionPorts, machine: Machine): Promise<boolean> {
  const { database, runner, now } = ports
  try {
    const ingress = machine.url ? { ingress: ingressOf(machine.url) } : {}
    const { host_key: hostKey } = await runner.prepare({ target: targetOf(machine), wait_ms: WIPE_WAIT_MS, ...ingress })
    const isKnownBad = ONLY_AGENTS_SHOW.has(machine.failure ?? '')
    const facts = { hostKey, ...(isKnownBad ? {} : { failure: null, failedAt: null }) }
    await moveMachine(database, machine.id, { from: ['preparing'], to: 'warm', facts, now: now() })
  } catch (error) {
    log('warn', 'prepare_failed', { machine: machine.id, error: describeError(error) })
    await noteFailure(ports, machine.id, 'preparing', error)
  }
  return true
}

/** Unless somebody else was quicker, and it is where it should be by now. */
async function noteFailure(
  { database, now }: ProvisionPorts,
  machineId: string,
  state: 'destroying' | 'preparing',
  error: unknown,
): Promise<void> {
  const failure = error instanceof ProvisionFailure ? error.code : 'internal'
  await moveMachine(database, machineId, {
    from: [state],
    to: state,
    facts: { failure, failedAt: now() },
    now: now(),
  })
}

async function erase({ config, now }: ProvisionPorts, { crnUrl, itemHash, id }: Machine): Promise<void> {
  if (!crnUrl || !itemHash || !config.ALEPH_PRIVATE_KEY) return
  try {
    const done = await eraseInstance({ privateKey: config.ALEPH_PRIVATE_KEY, crnUrl, itemHash, nowMs: now() })
    if (!done) log('warn', 'erase_refused', { machine: id })
  } catch (error) {
    log('warn', 'erase_failed', { machine: id, error: describeError(error) })
  }
}
