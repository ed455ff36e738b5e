/** What callers hear of failures that no route answered itself: a word; the log hears the rest, without secrets. */
import type { Context } from 'hono'
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

const KNOWN_PATHS: readonly (readonly [RegExp, string])[] = [
  [/^\/telegram\/[^/]+$/, 'POST'],
  [/^\/agents\/[^/]+\/pending$/, 'POST'],
  [/^\/v1\/(chat\/completions|search)$/, 'POST'],
  [/^\/v1\/models(\/[^/]+)?$/, 'GET'],
  [/^\/health$/, 'GET'],
]

/** Nothing here, or not this way. */
export function answerNotFound(c: Context): Response {
  const allowed = KNOWN_PATHS.find(([path]) => path.test(c.req.path))?.[1]
  if (!allowed || allowed === c.req.method) return c.json({ error: 'not_found' }, 404)
  return c.json({ error: 'method_not_allowed' }, 405, { allow: allowed })
}
