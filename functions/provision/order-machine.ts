/** The steps from a name in our table to a machine that SSH reaches. */
import { noteMachine, recordMachine } from '../database/machines.ts'
import { type DurableWork, QUICK, SLOW } from './durable-work.ts'
import { forwardPorts } from './forward-ports.ts'
import { isAccepted, orderInstance, signInstance } from './instance.ts'
import { instanceName } from './instance-name.ts'
import { placeInstance } from './place-instance.ts'
import type { ProvisionPorts } from './provision-ports.ts'

const ACCEPT_LIMIT_MS = 5 * 60_000
const PLACEMENT_LIMIT_MS = 10 * 60_000

export interface MachineOrder {
  readonly machineId: string
  /** `null`: for the pool. */
  readonly agentId: string | null
  /** Tells the steps of one attempt from those of the next. */
  readonly label: string
  /** Why the attempt before this one failed. */
  readonly formerFailure?: string | undefined
  /** Called as a step begins; throws when the work is not wanted any more. */
  note(step: string): (ports: ProvisionPorts) => Promise<void>
}

/** @throws {ProvisionFailure} and leaves the row for the caller to give up */
export async function orderMachine(work: DurableWork, order: MachineOrder): Promise<void> {
  const { machineId, agentId, label, note } = order
  await work.do(`record ${label}`, QUICK, async (ports) => {
    await note('record')(ports)
    const name = await instanceName(ports.config, machineId)
    await recordMachine(ports.database, { id: machineId, name, agentId, now: ports.now() })
  })
  // An image that no node knows is told late, or looks like an order that is pending for ever.
  const usePublishedImage = ['wrong_image', 'accept_timeout'].includes(order.formerFailure ?? '')
  const envelope = await work.do(`sign ${label}`, QUICK, (ports) =>
    signInstance(ports, machineId, { usePublishedImage }),
  )
  await work.do(`order ${label}`, QUICK, async (ports) => {
    await note('instance')(ports)
    await orderInstance(ports, machineId, envelope)
  })
  await work.poll(`accept ${label}`, { ms: ACCEPT_LIMIT_MS, code: 'accept_timeout' }, (ports) =>
    isAccepted(ports, envelope.item_hash),
  )
  await work.do(`forward ports ${label}`, QUICK, async (ports) => {
    await note('placement')(ports)
    await forwardPorts(ports, machineId)
  })
  await work.poll(
    `placement ${label}`,
    { ms: PLACEMENT_LIMIT_MS, code: 'placement_timeout' },
    (ports, waitedMs) => placeInstance(ports, machineId, waitedMs),
    SLOW,
  )
  await work.do(`placed ${label}`, QUICK, async (ports) => {
    await note('boot')(ports)
    await noteMachine(ports.database, machineId, {}, ports.now())
  })
}
