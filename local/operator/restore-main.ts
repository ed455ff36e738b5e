/**
 * `npm run restore`: fills the database of `.prod.vars`, or of LIBSQL_URL and LIBSQL_AUTH_TOKEN in the environment.
 *
 * npm run restore -- --from baal-….sql.gz [--replace] [--file .prod.vars]
 */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { restore } from './backup/restore.ts'
import { chooseDatabase } from './choose-database.ts'
import { OperatorError } from './operator-error.ts'
import { DEFAULT_FILE } from './production-file.ts'
import { reportFailure } from './report-failure.ts'

const { values: flags } = parseArgs({
  options: {
    from: { type: 'string' },
    replace: { type: 'boolean', default: false },
    file: { type: 'string', default: DEFAULT_FILE },
  },
})
try {
  if (!flags.from) throw new OperatorError('There is no file to restore from.', 'npm run restore -- --from <file>')
  const target = await chooseDatabase(resolve(flags.file), process.env)
  const { tables, rows } = await restore(resolve(flags.from), target, { replace: flags.replace })
  console.log(`Restored ${rows} rows in ${tables} tables. npm run doctor says whether the schema is the newest.`)
} catch (error) {
  reportFailure(error)
}
