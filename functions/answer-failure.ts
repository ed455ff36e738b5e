/** What callers hear of failures that no route answered itself: a word; the log hears the rest, without secrets. */
import type { Context, Hono } from 'hono'
import { ConfigError } from './config.ts'
import { describeError, log } from './log.ts'

/** @param error thrown by a route */
export function answerError(error: Error, c: Context): Response {
  if (error instanceof ConfigError) {
    for (const line of error.message.split('\n')) log('error', 'misconfigured', { variable: line })
    return c.json({ error: 'misconfigured' }, 500)
  }
  log('error', 'request_failed', { path: c.req.path, error: describeError(error) })
  return c.json({ error: 'internal' }, 500)
}

/** @param app whose routes are looked at when something is asked that none of them answers: nothing here, or not this way */
export function answerNotFound(app: Pick<Hono, 'routes'>): (c: Context) => Response {
  return (c) => {
    const allowed = app.routes
      // What is for all methods is a guard in front of routes.
      .filter(({ method, path }) => method !== 'ALL' && isAt(path, c.req.path))
      .map(({ method }) => method)
    if (allowed.length === 0 || allowed.includes(c.req.method)) return c.json({ error: 'not_found' }, 404)
    return c.json({ error: 'method_not_allowed' }, 405, { allow: [...new Set(allowed)].join(', ') })
  }
}

function isAt(route: string, path: string): boolean {
  const parts = path.split('/')
  const wanted = route.split('/')
  return parts.length === wanted.length && wanted.every((part, index) => part.startsWith(':') || part === parts[index])
}
