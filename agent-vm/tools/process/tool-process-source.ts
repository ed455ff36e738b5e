/**
 * The tool process as one small script, for the bundle: `node` then need not load the whole agent (some 40 MB of memory and 200
 * ms of start) to run a command. Reading the web is left out; that process is started from the whole bundle and soon ends.
 */
import { join } from 'node:path'
import { build } from 'esbuild'

/** Linux takes 128 KB per argument. */
const MAX_BYTES = 120_000

/** Name under which the bundler puts the script into `launch.ts`. */
export const TOOL_PROCESS_DEFINE = 'BAAL_TOOL_PROCESS'

export async function buildToolProcessSource(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'run-from-sources.ts')],
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    minify: true,
    legalComments: 'none',
    charset: 'ascii',
    external: ['../web/read-page.ts'],
    write: false,
    logLevel: 'error',
  })
  const source = outputFiles[0]?.text ?? ''
  if (source === '' || source.length > MAX_BYTES) throw new Error(`the tool process has ${source.length} bytes`)
  return source
}
