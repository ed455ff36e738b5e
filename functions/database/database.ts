import { createClient } from '@libsql/client/web'
import type { LibSQLDatabase } from 'drizzle-orm/libsql'
import { drizzle } from 'drizzle-orm/libsql/web'
import * as schema from './schema.ts'

/** Far above what a statement takes: whoever waits holds up a chat's messages, or a webhook. */
const TIMEOUT_MS = 15_000

export type Database = LibSQLDatabase<typeof schema>

/**
 * A client for one request, alarm or Workflow step: workerd does not let I/O objects outlive the event that made them.
 * Every statement is one HTTP round trip; use `batch` for several writes, never interactive transactions (sqld holds a
 * writer's lock for up to 5 s).
 */
export function openDatabase({
  url,
  authToken,
  timeoutMs = TIMEOUT_MS,
}: {
  url: string
  authToken?: string | undefined
  timeoutMs?: number
}): Database {
  const client = createClient({
    url,
    ...(authToken ? { authToken } : {}),
    fetch: (request: Request) => fetch(request, { signal: AbortSignal.timeout(timeoutMs) }),
  })
  return drizzle(client, { schema, casing: 'snake_case' })
}
