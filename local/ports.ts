/** The addresses of the local set-up: the Worker where the person says, the others right after it. All on loopback. */
import { createServer } from 'node:net'

export const DEFAULT_WORKER_PORT = 8787
const OFFSETS = { worker: 0, telegram: 1, aleph: 2, model: 3, runner: 4, database: 5 } as const
/** First port for local machines' SSH and agents: 24000 as on a real compute node, elsewhere for a second set-up. */
const MACHINE_PORTS_FROM = 24_000
const MACHINE_PORTS_SPREAD = 100

export type PortName = keyof typeof OFFSETS
export type Ports = Readonly<Record<PortName | 'machines', number>>

export class PortInUse extends Error {
  readonly code = 'port_in_use'
}

export function choosePorts(workerPort: number): Ports {
  const named = (name: PortName) => workerPort + OFFSETS[name]
  const distance = (Math.abs(workerPort - DEFAULT_WORKER_PORT) % 300) * MACHINE_PORTS_SPREAD
  return {
    worker: named('worker'),
    telegram: named('telegram'),
    aleph: named('aleph'),
    model: named('model'),
    runner: named('runner'),
    database: named('database'),
    machines: MACHINE_PORTS_FROM + distance,
  }
}

/** @throws {PortInUse} with what to do */
export async function requireFree(port: number, what: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (cause: NodeJS.ErrnoException) => {
      reject(
        new PortInUse(
          `Port ${port} (${what}) is in use by another program. Stop that program, or choose other ports: PORT=${port + 1000} npm start`,
          { cause },
        ),
      )
    })
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve()))
  })
}
