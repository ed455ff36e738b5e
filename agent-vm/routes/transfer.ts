/** The agent as one archive: out and in. What packs and unpacks is loaded when it is asked for. */
import type { Readable } from 'node:stream'
import { ArchiveRefused, type TransferPorts } from '../transfer/archive.ts'
import type { Turns } from '../turn/turns.ts'
import { json, openBody, Refused, type Reply, type Route } from './route.ts'

export interface TransferRoutePorts extends TransferPorts {
  readonly turns: Turns
  readonly onConfigChanged: () => void
}

export function transferRoutes(ports: TransferRoutePorts): Route[] {
  return [
    {
      method: 'GET',
      path: '/export',
      handle: async () => {
        const { exportAgent } = await import('../transfer/export.ts')
        const headers = {
          'content-type': 'application/gzip',
          'content-disposition': 'attachment; filename="agent.tar.gz"',
        }
        return { status: 200, headers, body: exportAgent(ports) }
      },
    },
    { method: 'POST', path: '/import', handle: (call) => takeArchive(openBody(call), ports) },
  ]
}

async function takeArchive(archive: Readable, ports: TransferRoutePorts): Promise<Reply> {
  const beforeApplying = () => {
    if (ports.turns.running > 0)
      throw new Refused(409, { error: 'turn_running', message: 'The agent is at work: try again later.' })
  }
  beforeApplying()
  const { importAgent } = await import('../transfer/import.ts')
  try {
    const imported = await importAgent(archive, ports, { beforeApplying })
    ports.onConfigChanged()
    return json({ status: 'ok', ...imported })
  } catch (error) {
    if (error instanceof ArchiveRefused)
      throw new Refused(400, { error: 'invalid_archive', message: error.message }, error)
    throw error
  }
}
