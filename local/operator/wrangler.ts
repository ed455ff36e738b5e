/**
 * What an operator's commands ask of Cloudflare, through wrangler's own program: it has the account, the upload and the
 * image. Secrets go in on standard input, never in a command line or a file.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { ROOT } from '../settings.ts'
import { OperatorError } from './operator-error.ts'
import type { Values } from './production-values.ts'

const CALL_LIMIT_MS = 15 * 60_000

export interface Wrangler {
  /** @returns false when nobody is logged in */
  isLoggedIn(): Promise<boolean>
  /** @returns names only; empty when there is no such Worker yet */
  secretNames(): Promise<ReadonlySet<string>>
  /** `null` takes a secret away. Makes the Worker if there is none. */
  putSecrets(secrets: Readonly<Record<string, string | null>>): Promise<void>
  /** Builds what `deploy` would upload. @returns a hash of it */
  buildHash(): Promise<string>
  /** @returns addresses under which the Worker answers now */
  deploy(options: { readonly variables: Values; readonly withContainer: boolean }): Promise<readonly string[]>
}

const Secrets = z.array(z.looseObject({ name: z.string() }))
const OutputLine = z.looseObject({ type: z.string(), targets: z.array(z.string()).nullish() })

/** @param program another wrangler than the project's own */
export function createWrangler(program = join(ROOT, 'node_modules/wrangler/bin/wrangler.js')): Wrangler {
  const run = (args: readonly string[], options: RunOptions = {}) => runProgram(program, args, options)
  return {
    async isLoggedIn() {
      return (await run(['whoami', '--json'])).code === 0
    },
    async secretNames() {
      const { code, stdout, output } = await run(['secret', 'list', '--format', 'json'])
      if (code === 0) return new Set(Secrets.parse(JSON.parse(stdout)).map(({ name }) => name))
      // 10007: there is no Worker of that name.
      if (/10007|does not exist/i.test(output)) return new Set()
      throw failed('secret list', output)
    },
    async putSecrets(secrets) {
      const { code, output } = await run(['secret', 'bulk'], { stdin: JSON.stringify(secrets) })
      if (code !== 0) throw failed('secret bulk', hide(output, Object.values(secrets)))
    },
    buildHash: () =>
      inFolder(async (folder) => {
        const { code, output } = await run(['deploy', '--dry-run', '--containers-rollout=none', '--outdir', folder])
        if (code !== 0) throw failed('deploy --dry-run', output)
        return hashOf(folder)
      }),
    deploy: ({ variables, withContainer }) =>
      inFolder(async (folder) => {
        const outputFile = join(folder, 'output.ndjson')
        const given = Object.entries(variables).flatMap(([name, value]) => ['--var', `${name}:${value}`])
        const rollout = withContainer ? [] : ['--containers-rollout=none']
        const { code, output } = await run(['deploy', ...given, ...rollout], {
          environment: { WRANGLER_OUTPUT_FILE_PATH: outputFile },
        })
        if (code !== 0) throw failed('deploy', output)
        return targetsIn(await readFile(outputFile, 'utf8').catch(() => ''))
      }),
  }
}

interface RunOptions {
  readonly stdin?: string
  readonly environment?: Readonly<Record<string, string>>
}

interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly output: string
}

function runProgram(program: string, args: readonly string[], { stdin = '', environment }: RunOptions): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], {
      cwd: ROOT,
      env: { ...process.env, CI: '1', NO_COLOR: '1', WRANGLER_SEND_METRICS: 'false', ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: CALL_LIMIT_MS,
    })
    let stdout = ''
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk
      output += chunk
    })
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk
    })
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, stdout, output }))
    // A program that ends without reading is judged by its exit code.
    child.stdin.on('error', () => child.stdin.destroy())
    child.stdin.end(stdin)
  })
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'baal-wrangler-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Maps and notes beside the code name folders of this machine. */
async function hashOf(folder: string): Promise<string> {
  const hash = createHash('sha256')
  for (const name of (await readdir(folder)).toSorted()) {
    if (!/\.(js|mjs|wasm)$/.test(name)) continue
    hash.update(name).update(await readFile(join(folder, name)))
  }
  return hash.digest('hex')
}

function targetsIn(ndjson: string): string[] {
  return ndjson.split('\n').flatMap((line) => {
    const parsed = line ? OutputLine.safeParse(JSON.parse(line)) : undefined
    const targets = parsed?.success && parsed.data.type === 'deploy' ? (parsed.data.targets ?? []) : []
    return targets.filter((target) => target.startsWith('https://') || target.startsWith('http://'))
  })
}

function failed(command: string, output: string): OperatorError {
  const lines = output.trim().split('\n').slice(-15).join('\n')
  return new OperatorError(
    `wrangler ${command} failed:\n${lines}`,
    `Mend what wrangler says and run npm run deploy again: it goes on where it stopped.`,
  )
}

function hide(text: string, secrets: readonly (string | null)[]): string {
  return secrets.reduce<string>((hidden, secret) => (secret ? hidden.replaceAll(secret, '[hidden]') : hidden), text)
}
