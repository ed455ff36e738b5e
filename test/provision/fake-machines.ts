/** Machines that exist only as what is on their disks: behind the stand-in's instances, the runner's SSH and agents' addresses. */
import type { MachinePark } from '../../local/aleph/machine-park.ts'

const FIRST_PORT = 20_000

export interface FakeMachine {
  readonly itemHash: string
  readonly ssh: number
  readonly agent: number
  readonly hostKey: string
  isOn: boolean
  isPrepared: boolean
  /** Whose secrets are on its disk. */
  agentId: string | undefined
  settings: string | undefined
  /** What its agent last came up with; to that it goes back. */
  good: string | undefined
  /** Of the agent server that runs. */
  version: string
  memory: string
  isServing: boolean
  /** What somebody at its public address finds: its agent, nobody, or an agent of that version elsewhere. */
  outside: 'its agent' | 'nobody' | { readonly version: string }
  /** The deployment that may still be taken back, and to what. */
  onTrial: string | undefined
  former: Pick<FakeMachine, 'good' | 'version' | 'outside'> | undefined
}

export interface FakePark extends MachinePark {
  readonly machines: Map<string, FakeMachine>
  at(port: number): FakeMachine | undefined
  /** A host of the operator's own. */
  addHost(name: string): FakeMachine
}

export function fakePark(): FakePark {
  const machines = new Map<string, FakeMachine>()
  let nextPort = FIRST_PORT

  function build(itemHash: string, ssh: number): FakeMachine {
    return {
      itemHash,
      ssh,
      agent: ssh + 1,
      hostKey: `ssh-ed25519 ${itemHash.slice(0, 12)}`,
      isOn: true,
      isPrepared: false,
      agentId: undefined,
      settings: undefined,
      good: undefined,
      version: '',
      memory: '',
      isServing: false,
      outside: 'its agent',
      onTrial: undefined,
      former: undefined,
    }
  }

  return {
    machines,
    at: (port) => [...machines.values()].find(({ ssh, agent }) => ssh === port || agent === port),
    addHost(name) {
      const machine = build(name, nextPort)
      nextPort += 2
      machines.set(name, machine)
      return machine
    },
    async reservePorts() {
      nextPort += 2
      return { ssh: nextPort - 2, agent: nextPort - 1 }
    },
    async start(itemHash, { ssh }) {
      if (!machines.has(itemHash)) machines.set(itemHash, build(itemHash, ssh))
    },
    isRunning: (itemHash) => machines.get(itemHash)?.isOn ?? false,
    async cut(itemHash) {
      const machine = machines.get(itemHash)
      if (machine) machine.isOn = false
    },
    async erase(itemHash) {
      machines.delete(itemHash)
    },
    async stop() {
      machines.clear()
    },
  }
}
