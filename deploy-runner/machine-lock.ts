/** One call at a time per machine: a second one is told at once instead of waiting behind the first. */
import type { SshTarget } from './protocol.ts'
import { RunnerFailure } from './runner-failure.ts'

export interface MachineLock {
  /** @throws {RunnerFailure} busy */
  hold<T>(target: SshTarget, work: () => Promise<T>): Promise<T>
}

export function createMachineLock(): MachineLock {
  const held = new Set<string>()
  return {
    async hold(target, work) {
      const machine = `${target.host}:${target.port}`
      if (held.has(machine)) throw new RunnerFailure('busy', 'connect', 'Another call is working on this machine.')
      held.add(machine)
      try {
        return await work()
      } finally {
        held.delete(machine)
      }
    },
  }
}
