/** What the runner carries onto machines: read and hashed once, at start. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { VERSION_DIGITS } from './inspect.ts'
import { packRuntime } from './runtime-member.ts'

const run = promisify(execFile)

const MACHINE_NAMES: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' }

export interface Template {
  /** Relative to the workspace. */
  readonly path: string
  readonly content: Buffer
}

export interface Artifacts {
  readonly bundle: Buffer
  readonly agentVersion: string
  readonly templates: readonly Template[]
  readonly templatesHash: string
  readonly runtime: {
    readonly version: string
    /** As `uname -m` says it. */
    readonly arch: string
    /** The last gzip member of a parcel that brings the runtime; made when first asked for. */
    member(): Promise<Buffer>
  }
}

export interface ArtifactPaths {
  readonly bundle: string
  readonly templates: string
  /** The `node` binary; `<file>.tar.gz` beside it, where there is one, was packed when the runner was built. */
  readonly runtime: string
}

export async function loadArtifacts(paths: ArtifactPaths): Promise<Artifacts> {
  const bundle = await readFile(paths.bundle)
  const templates = await readTemplates(paths.templates)
  const { stdout } = await run(paths.runtime, ['-p', 'process.version + " " + process.arch'])
  const [version = '', arch = ''] = stdout.trim().split(' ')
  let packed: Promise<Buffer> | undefined
  return {
    bundle,
    agentVersion: sha256(bundle).slice(0, VERSION_DIGITS),
    templates,
    templatesHash: sha256(Buffer.concat(templates.flatMap(({ path, content }) => [Buffer.from(`${path}\0`), content]))),
    runtime: {
      version,
      arch: MACHINE_NAMES[arch] ?? arch,
      member: () => {
        packed ??= loadRuntime(paths.runtime)
        return packed
      },
    },
  }
}

export function sha256(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex')
}

async function loadRuntime(file: string): Promise<Buffer> {
  const packed = `${file}.tar.gz`
  return existsSync(packed) ? readFile(packed) : packRuntime(file)
}

async function readTemplates(folder: string): Promise<Template[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return Promise.all(
    files
      .toSorted()
      .map(async (file) => ({ path: file.slice(folder.length).replace(/^\/+/, ''), content: await readFile(file) })),
  )
}
