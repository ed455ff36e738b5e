/**
 * `npm run deploy`: brings Baal to Cloudflare, or up to date there.
 *
 * npm run deploy -- [--dry-run] [--file .prod.vars]
 */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { processTerminal } from './ask.ts'
import { deploy } from './deploy.ts'
import { DEFAULT_FILE } from './production-file.ts'
import { reportFailure } from './report-failure.ts'
import { createWrangler } from './wrangler.ts'

const { values } = parseArgs({
  options: { 'dry-run': { type: 'boolean', default: false }, file: { type: 'string', default: DEFAULT_FILE } },
})
try {
  await deploy({
    file: resolve(values.file),
    dryRun: values['dry-run'],
    terminal: processTerminal(),
    wrangler: createWrangler(process.env.BAAL_WRANGLER),
    say: (line) => console.log(line),
  })
} catch (error) {
  reportFailure(error)
}
