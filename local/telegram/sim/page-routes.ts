/** The chat page's files. Its TypeScript is served with the types taken out, so there is nothing to build. */
import { readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { fileURLToPath } from 'node:url'
import { Hono } from 'hono'

const FOLDER = new URL('../page/', import.meta.url)

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  ts: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
}

const HEADERS = {
  'content-security-policy':
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
  'x-content-type-options': 'nosniff',
}

export function pageRoutes(): Hono {
  const app = new Hono()
  app.get('/', (context) => serve('index.html', context))
  app.get('/page/:file{[a-z0-9-]+\\.(css|ts|svg)}', (context) => serve(context.req.param('file'), context))
  return app
}

interface Answering {
  body(data: string, status: 200, headers: Record<string, string>): Response
  notFound(): Response | Promise<Response>
}

async function serve(file: string, context: Answering): Promise<Response> {
  const extension = file.split('.').at(-1) ?? ''
  try {
    const source = await readFile(fileURLToPath(new URL(file, FOLDER)), 'utf8')
    const text = extension === 'ts' ? stripTypeScriptTypes(source) : source
    return context.body(text, 200, { ...HEADERS, 'content-type': TYPES[extension] ?? 'text/plain' })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return context.notFound()
    throw error
  }
}
