/** The agent as one archive: out and in. */
import { Readable } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import { Hono } from 'hono'
import type { TransferPorts } from '../transfer/archive.ts'
import { ArchiveRefused } from '../transfer/archive.ts'
import { exportAgent } from '../transfer/export.ts'
import { importAgent } from '../transfer/import.ts'
import type { Turns } from '../turn/turns.ts'
import { refuse } from './json-body.ts'

export interface TransferRoutePorts extends TransferPorts {
  readonly turns: Turns
  readonly onConfigChanged: () => void
}

export function transferRoutes(ports: TransferRoutePorts): Hono {
  const app = new Hono()
  app.get('/export', (c) =>
    c.body(Readable.toWeb(exportAgent(ports)) as ReadableStream, 200, {
      'content-type': 'application/gzip',
      'content-disposition': 'attachment; filename="agent.tar.gz"',
    }),
  )
  app.post('/import', async (c) => {
    const beforeApplying = () => {
      if (ports.turns.running > 0)
        throw refuse(409, { error: 'turn_running', message: 'The agent is at work: try again later.' })
    }
    beforeApplying()
    const body = c.req.raw.body as NodeReadableStream | null
    try {
      const imported = await importAgent(body ? Readable.fromWeb(body) : Readable.from([]), ports, {
        beforeApplying,
      })
      ports.onConfigChanged()
      return c.json({ status: 'ok', ...imported })
    } catch (error) {
      if (error instanceof ArchiveRefused)
        throw refuse(400, { error: 'invalid_archive', message: error.message }, error)
      throw error
    }
  })
  return app
}
