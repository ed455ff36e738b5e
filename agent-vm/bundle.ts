/**
 * Builds the agent server and its tool process into one ESM file that plain `node` runs: what a machine gets. Run as a script
 * it writes `dist/agent.mjs`.
 */
import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build } from 'esbuild'
import { versionOf } from './version.ts'

export interface AgentBundle {
  readonly path: string
  /** First 12 hex digits of its SHA-256; the running agent finds the same by itself. */
  readonly version: string
  readonly bytes: number
}

const here = dirname(fileURLToPath(import.meta.url))

const OPTIONS = {
  entryPoints: [join(here, 'main.ts')],
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  minify: true,
  // Stack traces keep their names.
  keepNames: true,
  legalComments: 'none',
  charset: 'utf8',
  // Packages in CommonJS inside an ES module still ask for built-ins by `require`.
  banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
  logLevel: 'error',
} as const satisfies BuildOptions

export async function buildAgentBundle(outFile: string): Promise<AgentBundle> {
  await mkdir(dirname(outFile), { recursive: true })
  await build({ ...OPTIONS, outfile: outFile })
  const bundle = await readFile(outFile)
  return { path: outFile, version: versionOf(bundle), bytes: bundle.length }
}

if (import.meta.main) {
  const { path, version, bytes } = await buildAgentBundle(join(dirname(here), 'dist', 'agent.mjs'))
  process.stdout.write(`${path} ${version} ${Math.round(bytes / 1024)} KB\n`)
}
