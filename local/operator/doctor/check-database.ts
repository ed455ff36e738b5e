import { pendingMigrations } from '../../migrate.ts'
import { databaseUnreachable } from '../changes.ts'
import type { Values } from '../production-values.ts'
import { type Finding, findingsOf } from './finding.ts'

const { ok, fail } = findingsOf('database')

export async function checkDatabase({ LIBSQL_URL, LIBSQL_AUTH_TOKEN }: Values): Promise<Finding[]> {
  if (!LIBSQL_URL) return [fail('LIBSQL_URL is not set', 'npm run deploy asks for it.')]
  const startedAt = Date.now()
  try {
    const pending = await pendingMigrations(LIBSQL_URL, LIBSQL_AUTH_TOKEN)
    const answer = `answers in ${Date.now() - startedAt} ms`
    if (pending.length === 0) return [ok(`${answer}, has the newest schema`)]
    return [
      fail(`${answer}, lacks ${pending.join(', ')}`, 'npm run deploy migrates it (npm run db:migrate does only that).'),
    ]
  } catch (error) {
    const { message, whatToDo } = databaseUnreachable(error)
    return [fail(message, whatToDo)]
  }
}
