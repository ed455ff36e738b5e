/** For tests: a database with all tables and no rows, in a folder of its own. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrateDatabase } from '../../../local/migrate.ts'
import { startSqld } from '../../../local/sqld.ts'
import { type Database, openDatabase } from '../database.ts'

export interface TestDatabase {
  readonly url: string
  readonly database: Database
  close(): Promise<void>
}

export async function startTestDatabase(): Promise<TestDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'baal-database-'))
  const sqld = await startSqld({ dataDir: folder })
  await migrateDatabase(sqld.url)
  return {
    url: sqld.url,
    database: openDatabase({ url: sqld.url }),
    async close() {
      await sqld.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
