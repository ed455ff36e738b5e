/**
 * The listening socket. Health is answered from here; the framework behind all other routes is loaded with the first of them.
 * It brings Node's own `fetch` along, 12 MB and a fifth of a cold start that an agent which only waits need not spend.
 */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { Config } from './config.ts'
import { describeError } from './log.ts'
import { describeHealth } from './routes/health.ts'
import type { ServerPorts } from './server.ts'

export interface HttpEdge {
  readonly port: number
  /** Ends streams that are still read, too. */
  close(): Promise<void>
}

/** @throws when the port is taken */
export async function openHttpEdge(place: Pick<Config, 'HOST' | 'PORT'>, ports: ServerPorts): Promise<HttpEdge> {
  let routes: Promise<RequestListener> | undefined
  const server = createServer((request, response) => {
    if (request.method === 'GET' && request.url === '/health') {
      response
        .writeHead(200, {
          'content-type': 'application/json',
          'cache-control': 'no-store',
          'x-content-type-options': 'nosniff',
        })
        .end(JSON.stringify(describeHealth(ports)))
      return
    }
    routes ??= loadRoutes(ports)
    routes
      .then((handle) => handle(request, response))
      .catch((error: unknown) => {
        ports.log('error', 'routes_broke', { reason: describeError(error) })
        response.destroy()
      })
  })
  await listen(server, place)
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : place.PORT,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function loadRoutes(ports: ServerPorts): Promise<RequestListener> {
  const [{ getRequestListener }, { createApp }] = await Promise.all([
    import('@hono/node-server'),
    import('./server.ts'),
  ])
  return getRequestListener(createApp(ports).fetch)
}

function listen(server: Server, { HOST, PORT }: Pick<Config, 'HOST' | 'PORT'>): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(PORT, HOST, () => resolve())
  })
}
