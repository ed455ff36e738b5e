/** How the runner reaches a machine: where SSH answers, and who must answer there. */
import type { SshTarget } from '../../deploy-runner/protocol.ts'
import type { Machine } from '../database/machines.ts'
import { ProvisionFailure } from './provision-failure.ts'

export function targetOf(machine: Machine): SshTarget {
  if (!machine.sshHost || !machine.sshPort)
    throw new ProvisionFailure('unreachable', `machine ${machine.id} has no SSH address`)
  return {
    host: machine.sshHost,
    port: machine.sshPort,
    user: machine.sshUser,
    ...(machine.hostKey ? { host_key: machine.hostKey } : {}),
  }
}
