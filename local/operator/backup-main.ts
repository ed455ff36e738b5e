/**
 * `npm run backup`: a copy of the database of `.prod.vars`, or of LIBSQL_URL and LIBSQL_AUTH_TOKEN in the environment.
 *
 * npm run backup -- [--to baal-<time>.sql.gz] [--file .prod.vars]
 */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { backUp } from './backup/backup.ts'
import { chooseDatabase } from './choose-database.ts'
import { DEFAULT_FILE } from './production-file.ts'
import { reportFailure } from './report-failure.ts'

const { values: flags } = parseArgs({
  options: { to: { type: 'string' }, file: { type: 'string', default: DEFAULT_FILE } },
})
try {
  const to = resolve(flags.to ?? `baal-${new Date().toISOString().replace(/[:.]/g, '-')}.sql.gz`)
  const bytes = await backUp(await chooseDatabase(resolve(flags.file), process.env), to)
  console.log(`${to}: ${(bytes / 1024).toFixed(0)} KiB. Keep it as safe as BOT_ENCRYPTION_KEY, and elsewhere.`)
} catch (error) {
  reportFailure(error)
}
