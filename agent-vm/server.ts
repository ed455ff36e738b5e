/** The HTTP edge: who may call, what is too large, how failures look. The routes are in `routes/`. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { HTTPException } from 'hono/http-exception'
import { FileRefused } from './files.ts'
import { describeError, type Log } from './log.ts'
import { type AgentRoutePorts, agentRoutes } from './routes/agent.ts'
import { type ChatRoutePorts, chatRoutes } from './routes/chat.ts'
import { type FileRoutePorts, fileRoutes } from './routes/files.ts'
import { describeHealth } from './routes/health.ts'
import { type PendingRoutePorts, pendingRoutes } from './routes/pending.ts'
import { type ScheduleRoutePorts, scheduleRoutes } from './routes/schedules.ts'
import { type TransferRoutePorts, transferRoutes } from './routes/transfer.ts'

/** JSON of the longest allowed message, every character escaped. */
const MAX_JSON_BYTES = 8 * 1024 * 1024

export interface ServerPorts
  extends AgentRoutePorts,
    ChatRoutePorts,
    FileRoutePorts,
    PendingRoutePorts,
    ScheduleRoutePorts,
    TransferRoutePorts {
  readonly secret: string
  readonly log: Log
}

export function createApp(ports: ServerPorts): Hono {
  const app = new Hono()
  const isOurs = compareSecret(ports.secret)
  app.use(async (c, next) => {
    await next()
    c.header('x-content-type-options', 'nosniff')
    // What an agent holds is its owner's: nothing on the way may keep it.
    if (!c.res.headers.has('cache-control')) c.header('cache-control', 'no-store')
  })
  // Other spellings of it (a query, HEAD) than the edge answers by itself.
  app.get('/health', (c) => c.json(describeHealth(ports)))
  app.use(async (c, next) => {
    if (!isOurs(c.req.header('authorization') ?? '')) return c.json({ error: 'unauthorized' }, 401)
    return next()
  })
  const limit = bodyLimit({
    maxSize: MAX_JSON_BYTES,
    onError: (c) => c.json({ error: 'too_large', message: 'This is too long.' }, 413),
  })
  for (const path of ['/chat', '/chat/*', '/pending/*', '/config']) app.use(path, limit)
  app.route('/', chatRoutes(ports))
  app.route('/', pendingRoutes(ports))
  app.route('/', scheduleRoutes(ports))
  app.route('/', fileRoutes(ports))
  app.route('/', agentRoutes(ports))
  app.route('/', transferRoutes(ports))
  app.notFound((c) => c.json({ error: 'not_found' }, 404))
  app.onError((error, c) => {
    if (error instanceof FileRefused) return c.json(...describeRefusal(error))
    if (error instanceof HTTPException) return error.getResponse()
    const id = isStorageFailure(error) ? 'storage' : 'internal'
    ports.log('error', 'request_failed', { route: c.req.routePath, reason: describeError(error) })
    return c.json({ error: id }, 500)
  })
  return app
}

/** Hashed first, so that lengths are equal and nothing about the secret shows in the time it takes. */
function compareSecret(secret: string): (authorization: string) => boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const expected = digest(`Bearer ${secret}`)
  return (authorization) => timingSafeEqual(digest(authorization), expected)
}

function isStorageFailure(error: Error): boolean {
  return 'code' in error && error.code === 'ERR_SQLITE_ERROR'
}

function describeRefusal(refused: FileRefused): [{ error: string; message: string }, 403 | 404 | 400 | 413 | 409] {
  switch (refused.code) {
    case 'forbidden':
      return [{ error: 'forbidden', message: 'This path is outside of the workspace or protected.' }, 403]
    case 'not_found':
      return [{ error: 'not_found', message: 'There is no such file.' }, 404]
    case 'not_a_file':
      return [{ error: 'not_a_file', message: 'This is not a file.' }, 400]
    case 'too_large':
      return [{ error: 'too_large', message: 'This file is too large.' }, 413]
    case 'disk_full':
      return [{ error: 'disk_full', message: 'The disk of the agent is full.' }, 413]
    case 'folder_full':
      return [{ error: 'folder_full', message: 'The folder of this visitor is full.' }, 413]
    case 'read_only':
      return [{ error: 'read_only', message: 'The agent may not write there.' }, 409]
  }
}
