/** Workspace files over HTTP. */
import type { WorkspaceFiles } from '../files.ts'
import { json, openBody, type Route } from './route.ts'

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

export function fileRoutes({ files }: FileRoutePorts): Route[] {
  return [
    {
      method: 'GET',
      path: '/files',
      handle: async ({ query }) => json({ entries: await files.list(query.get('dir') ?? '') }),
    },
    {
      method: 'GET',
      path: '/files/*',
      handle: async ({ params }) => {
        const path = params['*'] ?? ''
        const file = await files.read(path)
        return {
          status: 200,
          headers: {
            'content-type': TYPES[path.split('.').at(-1)?.toLowerCase() ?? ''] ?? 'application/octet-stream',
            'content-length': String(file.bytes),
            'last-modified': file.modifiedAt.toUTCString(),
          },
          body: file.stream(),
        }
      },
    },
    {
      method: 'PUT',
      path: '/files/*',
      handle: async (call) => {
        await files.write(call.params['*'] ?? '', openBody(call))
        return json({ status: 'ok' }, 201)
      },
    },
  ]
}
