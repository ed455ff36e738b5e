/** The deploy-runner and agents' servers over machines that exist only as their disks. */

import type { DeployRequest, MachineReport, SshTarget } from '../../deploy-runner/protocol.ts'
import { ProvisionFailure } from '../../functions/provision/provision-failure.ts'
import type { AgentServers, Runner, Snapshots } from '../../functions/provision/provision-ports.ts'
import type { FakeMachine, FakePark } from './fake-machines.ts'

export interface RunnerTroubles {
  /** Drawn before a call has any effect. */
  before(call: string): string | undefined
  /** Drawn when half of it is done. */
  halfway(call: string): string | undefined
  /** Settings with which no agent comes up, or a version that never does. */
  isBad(settings: DeployRequest['agent']): boolean
  /** What is found at the public address of a machine once this is deployed to it. */
  leaves(settings: DeployRequest['agent']): FakeMachine['outside']
  /** Version of the agent server that it installs. */
  readonly version: string
}

export const NO_TROUBLE: RunnerTroubles = {
  before: () => undefined,
  halfway: () => undefined,
  isBad: () => false,
  leaves: () => 'its agent',
  version: 'v2',
}

/** @param violations what must never happen, told as it does */
export function fakeRunner(park: FakePark, troubles: () => RunnerTroubles, violations: string[]): Runner {
  function connect(
    call: string,
    target: SshTarget | { host: string; port: number; host_key?: string | undefined },
  ): FakeMachine {
    const trouble = troubles().before(call)
    if (trouble) throw new ProvisionFailure(trouble, `${call}: struck`)
    const machine = park.at(target.port)
    if (!machine?.isOn) throw new ProvisionFailure('unreachable', `connect: nothing answers at ${target.port}`)
    if (target.host_key && target.host_key !== machine.hostKey) {
      throw new ProvisionFailure('host_key_mismatch', 'connect: another machine answers')
    }
    return machine
  }

  function halfway(call: string): void {
    const trouble = troubles().halfway(call)
    if (trouble) throw new ProvisionFailure(trouble, `${call}: cut in the middle`)
  }

  return {
    probe: async ({ target }) => report(connect('probe', target as SshTarget)),
    async prepare({ target }) {
      const machine = connect('prepare', target as SshTarget)
      if (machine.agentId) violations.push(`a machine with the secrets of ${machine.agentId} was prepared for others`)
      halfway('prepare')
      machine.isPrepared = true
      return report(machine)
    },
    async deploy({ target, agent, trial }, onStep) {
      const machine = connect('deploy', target as SshTarget)
      onStep('secrets')
      if (machine.agentId && machine.agentId !== agent.agent_id) {
        violations.push(`the machine of ${machine.agentId} was given to ${agent.agent_id}`)
      }
      machine.agentId = agent.agent_id
      machine.isServing = false
      halfway('deploy')
      onStep('service')
      machine.isPrepared = true
      machine.settings = JSON.stringify(agent)
      if (troubles().isBad(agent)) {
        if (!machine.good) throw new ProvisionFailure('unhealthy', 'health: the agent does not answer')
        machine.settings = machine.good
        machine.isServing = true
        throw new ProvisionFailure('rolled_back', `unhealthy at health, version ${machine.version} runs again`)
      }
      if (trial === undefined || machine.onTrial !== trial) {
        const { good, version, outside } = machine
        Object.assign(machine, { onTrial: trial, former: trial && good ? { good, version, outside } : undefined })
      }
      const { version } = troubles()
      Object.assign(machine, { good: machine.settings, version, isServing: true, outside: troubles().leaves(agent) })
      return report(machine)
    },
    async settle({ target, trial, verdict }) {
      const machine = connect('settle', target as SshTarget)
      halfway('settle')
      const { former } = machine
      if (machine.onTrial !== trial || !former) return report(machine)
      Object.assign(machine, { former: verdict === 'bad' ? former : undefined })
      if (verdict === 'good') return report(machine)
      Object.assign(machine, { ...former, settings: former.good })
      return { ...report(machine), rolled_back_to: former.version }
    },
    async wipe({ target }) {
      const machine = connect('wipe', target as SshTarget)
      halfway('wipe')
      Object.assign(machine, {
        agentId: undefined,
        settings: undefined,
        good: undefined,
        version: '',
        memory: '',
        isServing: false,
        isPrepared: false,
        outside: 'its agent',
        onTrial: undefined,
        former: undefined,
      })
      return report(machine)
    },
  }
}

function report({ hostKey, version }: FakeMachine): MachineReport {
  return { reachable: true, host_key: hostKey, os: 'Debian', mode: 'systemd', agent_version: version, changed: [] }
}

export function fakeAgents(park: FakePark): AgentServers {
  const at = (url: string) => {
    const machine = park.at(Number(new URL(url).port))
    return machine?.isOn && machine.isServing && machine.outside === 'its agent' ? machine : undefined
  }
  return {
    async health(url) {
      const outside = park.at(Number(new URL(url).port))?.outside
      return typeof outside === 'object' ? outside : at(url)
    },
    async export({ url }) {
      const machine = at(url)
      return machine && new Response(machine.memory).body !== null
        ? (new Response(machine.memory || ' ').body ?? undefined)
        : undefined
    },
    async import({ url }, archive) {
      const machine = at(url)
      if (!machine) throw new Error('nobody answers')
      machine.memory = (await new Response(archive).text()).trim()
    },
    async configure({ url }, settings) {
      const machine = at(url)
      if (!machine) throw new Error('nobody answers')
      machine.settings = JSON.stringify({ ...JSON.parse(machine.settings ?? '{}'), ...settings })
    },
  }
}

export function fakeSnapshots(): Snapshots & { readonly kept: Map<string, string> } {
  const kept = new Map<string, string>()
  return {
    kept,
    async save(agentId, archive) {
      const text = await new Response(archive).text()
      kept.set(agentId, text)
      return { bytes: text.length }
    },
    open: async (agentId) => (kept.has(agentId) ? (new Response(kept.get(agentId)).body ?? undefined) : undefined),
    async erase(agentId) {
      kept.delete(agentId)
    },
  }
}
