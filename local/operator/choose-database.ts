import type { DatabaseAddress } from './backup/backup.ts'
import { OperatorError } from './operator-error.ts'
import { loadValues } from './production-file.ts'

/** The environment wins: a restore is tried into another database than production's. */
export async function chooseDatabase(file: string, environment: NodeJS.ProcessEnv): Promise<DatabaseAddress> {
  if (environment.LIBSQL_URL) return { url: environment.LIBSQL_URL, authToken: environment.LIBSQL_AUTH_TOKEN }
  const { LIBSQL_URL, LIBSQL_AUTH_TOKEN } = await loadValues(file)
  if (LIBSQL_URL) return { url: LIBSQL_URL, authToken: LIBSQL_AUTH_TOKEN }
  throw new OperatorError('There is no database.', `Set LIBSQL_URL, or have ${file} made by npm run deploy.`)
}
