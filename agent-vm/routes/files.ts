/** Workspace files over HTTP. */
import { Readable } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import { type Context, Hono } from 'hono'
import type { WorkspaceFiles } from '../files.ts'
import { refuse } from './json-body.ts'

export interface FileRoutePorts {
  readonly files: WorkspaceFiles
}

const TYPES: Readonly<Record<string, string>> = {
  txt: 'text/plain; charset=utf-8',
  md: 'text/markdown; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  json: 'application/json',
  pdf: 'application/pdf',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  svg: 'image/svg+xml',
  mp3: 'audio/mpeg',
  ogg: 'audio/ogg',
  wav: 'audio/wav',
  mp4: 'video/mp4',
  zip: 'application/zip',
  gz: 'application/gzip',
}

export function fileRoutes({ files }: FileRoutePorts): Hono {
  const app = new Hono()
  app.get('/files', async (c) => c.json({ entries: await files.list(c.req.query('dir') ?? '') }))
  app.get('/files/*', async (c) => {
    const path = pathOf(c)
    const file = await files.read(path)
    return c.body(Readable.toWeb(file.stream()) as ReadableStream, 200, {
      'content-type': TYPES[path.split('.').at(-1)?.toLowerCase() ?? ''] ?? 'application/octet-stream',
      'content-length': String(file.bytes),
      'last-modified': file.modifiedAt.toUTCString(),
    })
  })
  app.put('/files/*', async (c) => {
    const body = c.req.raw.body as NodeReadableStream | null
    await files.write(pathOf(c), body ? Readable.fromWeb(body) : Readable.from([]))
    return c.json({ status: 'ok' }, 201)
  })
  return app
}

function pathOf(c: Context): string {
  try {
    return decodeURIComponent(new URL(c.req.url).pathname.slice('/files/'.length))
  } catch (error) {
    throw refuse(400, { error: 'invalid_request', message: 'The path is not encoded correctly.' }, error)
  }
}
