/**
 * Builds what the container runs into `dist/runner/`: the runner as one file, the agent bundle, the workspace templates, and
 * the Node runtime packed for the wire. Run as a script, after `agent-vm/bundle.ts` has written `dist/agent.mjs`.
 */
import { cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build } from 'esbuild'
import { packRuntime } from './runtime-member.ts'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const BEST_COMPRESSION = 9

const OPTIONS = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  keepNames: true,
  legalComments: 'none',
  // Native parts of ssh2 are optional: it falls back to Node's own crypto.
  external: ['cpu-features', '*.node'],
  banner: {
    js: "import{createRequire as __cr}from'node:module';import{dirname as __dn}from'node:path';const require=__cr(import.meta.url),__filename=import.meta.filename,__dirname=__dn(__filename);",
  },
  logLevel: 'error',
} as const satisfies BuildOptions

export interface RunnerParts {
  /** The `node` binary that goes onto machines. */
  readonly runtime: string
  /** The same, packed already; packing it takes half a minute. */
  readonly packedRuntime?: string
  /** The agent server in one file. */
  readonly bundle: string
}

export async function buildRunner(outFolder: string, { runtime, packedRuntime, bundle }: RunnerParts): Promise<void> {
  await rm(outFolder, { recursive: true, force: true })
  await mkdir(outFolder, { recursive: true })
  await build({
    ...OPTIONS,
    entryPoints: [join(ROOT, 'deploy-runner/main.ts')],
    outfile: join(outFolder, 'runner.mjs'),
  })
  await cp(bundle, join(outFolder, 'agent.mjs'))
  await cp(join(ROOT, 'workspace'), join(outFolder, 'workspace'), { recursive: true })
  await cp(runtime, join(outFolder, 'node'))
  const packed = join(outFolder, 'node.tar.gz')
  if (packedRuntime) await cp(packedRuntime, packed)
  else await writeFile(packed, await packRuntime(runtime, BEST_COMPRESSION))
}

if (import.meta.main) {
  // The Node that builds is the one that goes onto machines: run this on Linux with the version that is meant.
  await buildRunner(join(ROOT, 'dist/runner'), { runtime: process.execPath, bundle: join(ROOT, 'dist/agent.mjs') })
}
