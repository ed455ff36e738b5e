import { createClient } from '@libsql/client/web'
import type { LibSQLDatabase } from 'drizzle-orm/libsql'
import { drizzle } from 'drizzle-orm/libsql/web'
import * as schema from './schema.ts'

export type Database = LibSQLDatabase<typeof schema>

/**
 * A client for one request, alarm or Workflow step: workerd does not let I/O objects outlive the event that made them.
 * Every statement is one HTTP round trip; use `batch` for several writes, never interactive transactions (sqld holds a
 * writer's lock for up to 5 s).
 */
export function openDatabase(config: { url: string; authToken?: string | undefined }): Database {
  const client = createClient({ url: config.url, ...(config.authToken ? { authToken: config.authToken } : {}) })
  return drizzle(client, { schema, casing: 'snake_case' })
}
