/** Machines' part of the Worker's scheduled work. */
import type { Bindings } from '../bindings.ts'
import { openProvisionPorts } from './open-ports.ts'
import { tendMachines } from './tend-machines.ts'

export async function runScheduled(cron: string, env: Bindings): Promise<void> {
  await tendMachines(cron, openProvisionPorts(env))
}
