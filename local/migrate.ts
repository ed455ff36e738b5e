/** Brings a libSQL database to the newest schema. Safe to repeat and to run twice at once: one atomic batch. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { createClient } from '@libsql/client/web'
import { migrate } from 'drizzle-orm/libsql/migrator'
import { drizzle } from 'drizzle-orm/libsql/web'
import { z } from 'zod'

const MIGRATIONS = fileURLToPath(new URL('../migrations', import.meta.url))

/** What drizzle-kit writes about its migrations. */
const Journal = z.object({ entries: z.array(z.object({ tag: z.string(), when: z.number() })) })

export async function migrateDatabase(url: string, authToken?: string): Promise<void> {
  const client = createClient({ url, ...(authToken ? { authToken } : {}) })
  try {
    await migrate(drizzle(client), { migrationsFolder: MIGRATIONS })
  } finally {
    client.close()
  }
}

/** @returns names of the migrations that the database does not have yet, in their order */
export async function pendingMigrations(url: string, authToken?: string): Promise<string[]> {
  const client = createClient({ url, ...(authToken ? { authToken } : {}) })
  try {
    const { entries } = Journal.parse(JSON.parse(await readFile(`${MIGRATIONS}/meta/_journal.json`, 'utf8')))
    const { rows } = await client.execute("SELECT 1 FROM sqlite_master WHERE name = '__drizzle_migrations'")
    const applied =
      rows.length > 0 ? await client.execute('SELECT max(created_at) AS last FROM __drizzle_migrations') : undefined
    const last = Number(applied?.rows[0]?.last ?? 0)
    // As drizzle decides: whatever is newer than the newest that was applied.
    return entries.filter(({ when }) => when > last).map(({ tag }) => tag)
  } finally {
    client.close()
  }
}
