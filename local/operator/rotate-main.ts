/** `npm run rotate -- webhook|admin|signing|ssh|encryption`: a new key in the place of an old one. */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { DEFAULT_FILE } from './production-file.ts'
import { reportFailure } from './report-failure.ts'
import { rotate } from './rotate.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { file: { type: 'string', default: DEFAULT_FILE } },
})
try {
  console.log(await rotate(positionals[0] ?? '', resolve(values.file), (line) => console.log(line)))
} catch (error) {
  reportFailure(error)
}
