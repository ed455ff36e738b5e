/**
 * Builds the agent server and its tool processes into one ESM file that plain `node` runs: what a machine gets. Run as a script
 * it writes `dist/agent.mjs`.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { type BuildOptions, build } from 'esbuild'
import { leanImports } from './bundle-imports.ts'
import { PROGRAM_MARK, type ProgramName } from './tools/process/packed-programs.ts'
import { versionOf } from './version.ts'

export interface AgentBundle {
  readonly path: string
  /** First 12 hex digits of its SHA-256; the running agent finds the same by itself. */
  readonly version: string
  readonly bytes: number
}

const here = dirname(fileURLToPath(import.meta.url))
const TOOL_PROCESS = join(here, 'tools/process/run-from-sources.ts')

const OPTIONS = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  minify: true,
  legalComments: 'none',
  // One character beyond Latin-1 would double what the source takes in memory.
  charset: 'ascii',
  write: false,
  logLevel: 'error',
} as const satisfies BuildOptions

export async function buildAgentBundle(outFile: string): Promise<AgentBundle> {
  const [server, tools, web] = await Promise.all([
    bundleServer(join(here, 'main.ts')),
    bundle({ entryPoints: [TOOL_PROCESS], format: 'cjs', external: ['../web/read-page.ts'] }),
    bundle({ entryPoints: [TOOL_PROCESS], format: 'cjs' }),
  ])
  const file = Buffer.from(server + packProgram('tools', tools) + packProgram('web', web))
  await mkdir(dirname(outFile), { recursive: true })
  await writeFile(outFile, file)
  return { path: outFile, version: versionOf(file), bytes: file.length }
}

/** A server as one ES module, without its tool processes. */
export function bundleServer(entryPoint: string): Promise<string> {
  return bundle({
    entryPoints: [entryPoint],
    format: 'esm',
    // Packages in CommonJS inside an ES module still ask for built-ins by `require`.
    banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
    plugins: [leanImports],
  })
}

async function bundle(options: BuildOptions): Promise<string> {
  const { outputFiles } = await build({ ...OPTIONS, ...options, write: false })
  return outputFiles[0]?.text ?? ''
}

function packProgram(name: ProgramName, source: string): string {
  return `${PROGRAM_MARK}${name} ${gzipSync(source, { level: 9 }).toString('base64')}`
}

if (import.meta.main) {
  const { path, version, bytes } = await buildAgentBundle(join(dirname(here), 'dist', 'agent.mjs'))
  process.stdout.write(`${path} ${version} ${Math.round(bytes / 1024)} KB\n`)
}
