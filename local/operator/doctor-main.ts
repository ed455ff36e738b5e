/**
 * `npm run doctor`: is everything as Baal needs it? Exit code 0: yes, 1: something fails.
 *
 * npm run doctor -- [--json] [--file .prod.vars]
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { parseArgs, parseEnv } from 'node:util'
import { ROOT } from '../settings.ts'
import { examine, render } from './doctor/doctor.ts'
import { OperatorError } from './operator-error.ts'
import { DEFAULT_FILE, loadValues } from './production-file.ts'
import type { Values } from './production-values.ts'
import { reportFailure } from './report-failure.ts'

const { values: flags } = parseArgs({
  options: { json: { type: 'boolean', default: false }, file: { type: 'string' } },
})
try {
  const { values, source } = await chooseValues(flags.file)
  const findings = await examine(values, source)
  console.log(flags.json ? JSON.stringify(findings, null, 2) : render(findings))
  if (findings.some(({ status }) => status === 'fail')) process.exitCode = 1
} catch (error) {
  reportFailure(error)
}

/** Production where it is set up from here, else what `npm start` runs on this machine. */
async function chooseValues(file: string | undefined): Promise<{ values: Values; source: string }> {
  if (file || existsSync(DEFAULT_FILE)) {
    const path = resolve(file ?? DEFAULT_FILE)
    return { values: await loadValues(path), source: relative(process.cwd(), path) }
  }
  const local = join(process.env.BAAL_DATA_DIR ?? join(ROOT, '.data'), 'worker.env')
  if (!existsSync(local)) {
    throw new OperatorError(
      'Nothing is set up here yet.',
      'npm start runs everything on this machine; npm run deploy goes to production.',
    )
  }
  return { values: parseEnv(await readFile(local, 'utf8')) as Values, source: 'npm start' }
}
