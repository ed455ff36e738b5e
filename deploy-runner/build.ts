/**
 * Builds what the container runs into `dist/runner/`: the runner as one file, the agent bundle, the workspace templates, and
 * the Node runtime packed for the wire. Run as a script, after `agent-vm/bundle.ts` has written `dist/agent.mjs`.
 */
import { cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build } from 'esbuild'
import { packRuntime } from './runtime-member.ts'

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

export async function buildRunner(outFolder: string, runtime: string): Promise<void> {
  const root = dirname(dirname(fileURLToPath(import.meta.url)))
  await rm(outFolder, { recursive: true, force: true })
  await mkdir(outFolder, { recursive: true })
  await build({
    ...OPTIONS,
    entryPoints: [join(root, 'deploy-runner/main.ts')],
    outfile: join(outFolder, 'runner.mjs'),
  })
  await cp(join(root, 'dist/agent.mjs'), join(outFolder, 'agent.mjs'))
  await cp(join(root, 'workspace'), join(outFolder, 'workspace'), { recursive: true })
  await cp(runtime, join(outFolder, 'node'))
  await writeFile(join(outFolder, 'node.tar.gz'), await packRuntime(runtime, BEST_COMPRESSION))
}

if (import.meta.main) {
  // The Node that builds is the one that goes onto machines: run this on Linux with the version that is meant.
  await buildRunner(join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist', 'runner'), process.execPath)
}
