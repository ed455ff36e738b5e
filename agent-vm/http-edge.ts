/** The HTTP edge: the listening socket, who may call, how failures look. What is served is in `routes/`. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream'
import type { Config } from './config.ts'
import { FileRefused } from './files.ts'
import { describeError, type Log } from './log.ts'
import { json, Refused, type Reply } from './routes/route.ts'
import { createRouter } from './routes/router.ts'
import { guardedRoutes, openRoutes, type RoutePorts } from './routes/routes.ts'

export interface EdgePorts extends RoutePorts {
  readonly secret: string
  readonly log: Log
}

export interface HttpEdge {
  readonly port: number
  /** Ends streams that are still read, too. */
  close(): Promise<void>
}

/** @throws when the port is taken */
export async function openHttpEdge(place: Pick<Config, 'HOST' | 'PORT'>, ports: EdgePorts): Promise<HttpEdge> {
  const answer = createAnswerer(ports)
  const server = createServer((request, response) => {
    // A reader that has gone away is not an event.
    request.on('error', () => undefined)
    response.on('error', () => undefined)
    answer(request)
      .then((reply) => send(reply, request, response))
      .catch((error: unknown) => {
        ports.log('error', 'reply_broke', { reason: describeError(error) })
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

/** Never rejects. */
function createAnswerer(ports: EdgePorts): (request: IncomingMessage) => Promise<Reply> {
  const isOurs = compareSecret(ports.secret)
  const findOpen = createRouter(openRoutes(ports))
  const findGuarded = createRouter(guardedRoutes(ports))
  return async (request) => {
    const { path, query } = splitAddress(request.url ?? '/')
    const method = request.method ?? ''
    let route = ''
    try {
      const isOpen = findOpen(method, path) !== undefined
      if (!isOpen && !isOurs(request.headers.authorization ?? '')) return json({ error: 'unauthorized' }, 401)
      const found = (isOpen ? findOpen : findGuarded)(method, path)
      if (!found) return json({ error: 'not_found' }, 404)
      route = found.route.path
      return await found.route.handle({ params: found.params, query, request })
    } catch (error) {
      if (error instanceof FileRefused) return describeRefusal(error)
      if (error instanceof Refused) return error.reply
      ports.log('error', 'request_failed', { route, reason: describeError(error) })
      if (!isStorageFailure(error)) return json({ error: 'internal' }, 500)
      return json({ error: 'storage', message: 'The agent could not write to its disk.' }, 507)
    }
  }
}

/** An address as it came: nothing in it is tidied, so what is looked at is what is used. */
function splitAddress(url: string): { path: string; query: URLSearchParams } {
  const at = url.indexOf('?')
  return at === -1
    ? { path: url, query: new URLSearchParams() }
    : { path: url.slice(0, at), query: new URLSearchParams(url.slice(at)) }
}

async function send(
  { status, headers, body }: Reply,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // What an agent holds is its owner's: nothing on the way may keep it.
  response.writeHead(status, { 'x-content-type-options': 'nosniff', 'cache-control': 'no-store', ...headers })
  if (typeof body === 'string') return void response.end(body)
  if (request.method === 'HEAD') {
    if (typeof body !== 'function') body.destroy()
    return void response.end()
  }
  if (typeof body === 'function') return body(response)
  await new Promise<void>((resolve) => pipeline(body, response, () => resolve()))
}

/** Hashed first, so that lengths are equal and nothing about the secret shows in the time it takes. */
function compareSecret(secret: string): (authorization: string) => boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const expected = digest(`Bearer ${secret}`)
  return (authorization) => timingSafeEqual(digest(authorization), expected)
}

function isStorageFailure(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR'
}

function describeRefusal(refused: FileRefused): Reply {
  switch (refused.code) {
    case 'forbidden':
      return json({ error: 'forbidden', message: 'This path is outside of the workspace or protected.' }, 403)
    case 'not_found':
      return json({ error: 'not_found', message: 'There is no such file.' }, 404)
    case 'not_a_file':
      return json({ error: 'not_a_file', message: 'This is not a file.' }, 400)
    case 'too_large':
      return json({ error: 'too_large', message: 'This file is too large.' }, 413)
    case 'disk_full':
      return json({ error: 'disk_full', message: 'The disk of the agent is full.' }, 413)
    case 'folder_full':
      return json({ error: 'folder_full', message: 'The folder of this visitor is full.' }, 413)
    case 'read_only':
      return json({ error: 'read_only', message: 'The agent may not write there.' }, 409)
  }
}

function listen(server: Server, { HOST, PORT }: Pick<Config, 'HOST' | 'PORT'>): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(PORT, HOST, () => resolve())
  })
}
