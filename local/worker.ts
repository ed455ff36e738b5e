/** The Worker in workerd, through `wrangler dev`: the same code and configuration that `wrangler deploy` uploads. */
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ServiceOptions } from './service.ts'
import { ROOT } from './settings.ts'

export interface WorkerOptions {
  readonly port: number
  readonly dataDir: string
  /** Variables and secrets as the Worker sees them. */
  readonly variables: Readonly<Record<string, string>>
  readonly onLine?: (line: string) => void
}

export async function workerService({ port, dataDir, variables, onLine }: WorkerOptions): Promise<ServiceOptions> {
  return {
    name: 'the Worker',
    ...(await wranglerDev({ port, dataDir, variables, logLevel: 'warn' })),
    ready: { ask: () => answers(`http://127.0.0.1:${port}/health`) },
    ...(onLine ? { onLine } : {}),
  }
}

export interface WranglerDevOptions extends Pick<WorkerOptions, 'port' | 'dataDir' | 'variables'> {
  readonly logLevel: 'warn' | 'log'
  /** Another than the project's own. */
  readonly config?: string
  /** Where a debugger finds it; 0 takes a free one. */
  readonly inspectorPort?: number
}

/** @returns how wrangler is started, so that all it writes is below `dataDir` */
export async function wranglerDev(options: WranglerDevOptions) {
  const { port, dataDir, variables, logLevel, config, inspectorPort = 0 } = options
  const stateDir = join(dataDir, 'worker')
  await mkdir(stateDir, { recursive: true })
  // What wrangler could not remove itself, because it was killed.
  const temporaryDir = join(dataDir, 'tmp')
  await rm(temporaryDir, { recursive: true, force: true })
  await mkdir(temporaryDir)
  const envFile = join(dataDir, 'worker.env')
  await writeFile(envFile, renderEnvFile(variables), { mode: 0o600 })
  await chmod(envFile, 0o600)
  return {
    command: process.execPath,
    args: [
      join(ROOT, 'node_modules/wrangler/bin/wrangler.js'),
      'dev',
      ...(config ? ['--config', config] : []),
      ...['--ip', '127.0.0.1', '--port', String(port), '--inspector-port', String(inspectorPort)],
      ...['--persist-to', stateDir, '--env-file', envFile, '--log-level', logLevel],
      '--show-interactive-dev-session=false',
    ],
    cwd: ROOT,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      TMPDIR: temporaryDir,
      CI: '1',
      NO_COLOR: '1',
      WRANGLER_SEND_METRICS: 'false',
      WRANGLER_LOG_PATH: join(dataDir, 'logs'),
      WRANGLER_REGISTRY_PATH: join(dataDir, 'registry'),
      MINIFLARE_REGISTRY_PATH: join(dataDir, 'registry'),
      // Without it wrangler looks up its edge's request data at every start, which needs the internet.
      CLOUDFLARE_CF_FETCH_ENABLED: 'false',
    },
  }
}

/** Single quotes keep `$`, `"` and `#` as they are; no value of ours holds a single quote or a newline. */
export function renderEnvFile(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => {
      if (/['\n\r]/.test(value)) throw new TypeError(`${name} holds a quote or a line break`)
      return `${name}='${value}'\n`
    })
    .join('')
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) })
    await response.body?.cancel()
    // "degraded" is an answer too: what is missing is for the person to read. A wrong configuration is not.
    return response.ok
  } catch {
    return false
  }
}
