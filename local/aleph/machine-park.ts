/** The machines behind the instances: powered on when an instance is placed, off and erased when it is forgotten. */
import { rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type LocalMachine, powerOn } from '../machine/power-on.ts'

export interface MachinePark {
  /** Two ports that no machine of ours and no other program uses. */
  reservePorts(taken: readonly number[]): Promise<{ ssh: number; agent: number }>
  start(itemHash: string, ports: { ssh: number }, authorizedKeys: readonly string[]): Promise<void>
  isRunning(itemHash: string): boolean
  /** Loses power without warning; its folder stays. */
  cut(itemHash: string): Promise<void>
  erase(itemHash: string): Promise<void>
  stop(): Promise<void>
}

export function createMachinePark(folder: string, firstPort: number): MachinePark {
  const running = new Map<string, LocalMachine>()
  const folderOf = (itemHash: string) => join(folder, itemHash.slice(0, 16))

  async function cut(itemHash: string): Promise<void> {
    const machine = running.get(itemHash)
    running.delete(itemHash)
    await machine?.powerOff()
  }

  return {
    async reservePorts(taken) {
      const free: number[] = []
      for (let port = firstPort; free.length < 2; port++) {
        if (port > 65_000) throw new Error('there are no free ports for another machine')
        if (!taken.includes(port) && (await isFree(port))) free.push(port)
      }
      const [ssh = 0, agent = 0] = free
      return { ssh, agent }
    },
    async start(itemHash, ports, authorizedKeys) {
      if (running.has(itemHash)) return
      const id = itemHash.slice(0, 16)
      running.set(itemHash, await powerOn({ id, folder: folderOf(itemHash), sshPort: ports.ssh, authorizedKeys }))
    },
    isRunning: (itemHash) => running.has(itemHash),
    cut,
    async erase(itemHash) {
      await cut(itemHash)
      await rm(folderOf(itemHash), { recursive: true, force: true })
    },
    async stop() {
      await Promise.all([...running.keys()].map(cut))
    },
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}
