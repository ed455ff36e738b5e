/** Brings a libSQL database to the newest schema. Safe to repeat and to run twice at once: one atomic batch. */
import { fileURLToPath } from 'node:url'
import { createClient } from '@libsql/client/web'
import { migrate } from 'drizzle-orm/libsql/migrator'
import { drizzle } from 'drizzle-orm/libsql/web'

const MIGRATIONS = fileURLToPath(new URL('../migrations', import.meta.url))

export async function migrateDatabase(url: string, authToken?: string): Promise<void> {
  const client = createClient({ url, ...(authToken ? { authToken } : {}) })
  try {
    await migrate(drizzle(client), { migrationsFolder: MIGRATIONS })
  } finally {
    client.close()
  }
}
