/**
 * The whole of Baal on one machine: what is not configured is taken over by a stand-in, everything else is the same code as
 * in production. Started in order of need, stopped in reverse.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Api } from 'grammy'
import { buildAgentBundle } from '../agent-vm/bundle.ts'
import { ALLOWED_UPDATES, applyBotProfile, registerBot } from '../functions/chat/bot-profile.ts'
import { startCron } from './cron.ts'
import { startLongPolling } from './long-polling.ts'
import { publicHalfOf } from './made-keys.ts'
import { migrateDatabase } from './migrate.ts'
import { choosePorts, type PortName, type Ports, requireFree } from './ports.ts'
import { type Service, type ServiceFailed, startService } from './service.ts'
import { type LocalSettings, ROOT } from './settings.ts'
import { startSqld } from './sqld.ts'
import { workerService } from './worker.ts'

/** As in wrangler.toml. */
const CRONS = ['* * * * *', '*/15 * * * *'] as const

export interface BaalOptions {
  readonly settings: LocalSettings
  /** One line of progress, for the terminal. */
  readonly onProgress?: (line: string) => void
  /** A line that a part printed. */
  readonly onOutput?: (part: string, line: string) => void
  /** A part died and was started again, or gave up for good. */
  readonly onTrouble?: (line: string) => void
  readonly onFailure?: (error: ServiceFailed) => void
  /** Gives up the start and stops whatever already runs. */
  readonly signal?: AbortSignal
}

export interface Baal {
  readonly workerUrl: string
  /** The chat page, when Telegram is a stand-in; else the bot's link. */
  readonly pageUrl: string
  readonly standIns: LocalSettings['standIns']
  readonly dataDir: string
  /** Process ids by part, for tests that kill one. */
  pids(): Readonly<Record<string, number>>
  stop(): Promise<void>
}

export async function startBaal(options: BaalOptions): Promise<Baal> {
  const { settings } = options
  const ports = choosePorts(settings.workerPort)
  await requirePorts(settings, ports)
  const started: { name: string; pid(): number; stop(): Promise<void> }[] = []
  const add = <S extends { name: string; pid(): number; stop(): Promise<void> }>(service: S): S => {
    started.unshift(service)
    return service
  }
  const stop = async () => {
    for (const service of started) await service.stop()
  }
  try {
    const addresses = await startDependencies(options, ports, add)
    const workerUrl = `http://127.0.0.1:${ports.worker}`
    const variables = workerVariables(settings, addresses, workerUrl)
    options.onProgress?.('Starting the Worker')
    const worker = await workerService({
      port: ports.worker,
      dataDir: settings.dataDir,
      variables,
      ...(options.onOutput ? { onLine: (line: string) => options.onOutput?.('worker', line) } : {}),
    })
    add(await startService({ ...worker, ...troubleOf('The Worker', options) }))
    const pageUrl = await connectTelegram(options, variables, workerUrl, add)
    add(cronService(workerUrl, options))
    return {
      workerUrl,
      pageUrl,
      standIns: settings.standIns,
      dataDir: settings.dataDir,
      pids: () => Object.fromEntries(started.map((service) => [service.name, service.pid()])),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

type Add = <S extends { name: string; pid(): number; stop(): Promise<void> }>(service: S) => S

interface Addresses {
  readonly libsql?: string
  readonly telegram?: string
  readonly aleph?: string
  readonly model?: string
  readonly runner?: string
}

async function requirePorts({ standIns }: LocalSettings, ports: Ports): Promise<void> {
  const needed: [PortName, string, boolean][] = [
    ['worker', 'the Worker', true],
    ['telegram', 'the Telegram stand-in', standIns.telegram],
    ['aleph', 'the Aleph Cloud stand-in', standIns.aleph],
    ['model', 'the model stand-in', standIns.model],
    ['runner', 'the deploy-runner', standIns.runner],
    ['database', 'the database', standIns.libsql],
  ]
  for (const [name, what, isNeeded] of needed) if (isNeeded) await requireFree(ports[name], what)
}

async function startDependencies(options: BaalOptions, ports: Ports, add: Add): Promise<Addresses> {
  const { settings } = options
  const { dataDir, made, standIns } = settings
  const standIn = async (part: Exclude<PortName, 'worker' | 'database' | 'runner'>, args: string[]) => {
    const port = ports[part]
    add(
      await startService({
        name: part,
        command: process.execPath,
        args: [
          '--disable-warning=ExperimentalWarning',
          join(ROOT, 'local', part, 'main.ts'),
          '--port',
          String(port),
          ...args,
        ],
        cwd: ROOT,
        env: { PATH: process.env.PATH, HOME: process.env.HOME },
        ready: { line: (line) => line.startsWith('{"ready"') },
        onLine: (line) => options.onOutput?.(part, line),
        ...troubleOf(part, options),
      }),
    )
    return `http://127.0.0.1:${port}`
  }
  options.onProgress?.('Starting the database and what stands in for the world outside')
  const [libsql, telegram, aleph, model, runner] = await Promise.all([
    standIns.libsql ? startDatabase(options, ports.database, add) : migrateGiven(settings),
    standIns.telegram
      ? standIn('telegram', ['--data', join(dataDir, 'telegram'), '--token', made.TELEGRAM_BOT_TOKEN])
      : undefined,
    standIns.aleph
      ? standIn('aleph', ['--data', join(dataDir, 'aleph'), '--machine-ports', String(ports.machines)])
      : undefined,
    standIns.model ? standIn('model', ['--key', made.LIBERTAI_API_KEY, ...modelPace(settings)]) : undefined,
    standIns.runner ? startRunner(options, ports.runner, add) : undefined,
  ])
  return {
    ...(libsql ? { libsql } : {}),
    ...(telegram ? { telegram } : {}),
    ...(aleph ? { aleph } : {}),
    ...(model ? { model } : {}),
    ...(runner ? { runner } : {}),
  }
}

/** `MODEL_TOKEN_DELAY_MS`: how fast the stand-in for a model speaks; its own pace when unset. */
function modelPace({ given }: LocalSettings): string[] {
  return given.MODEL_TOKEN_DELAY_MS ? ['--token-delay', given.MODEL_TOKEN_DELAY_MS] : []
}

async function startDatabase({ settings, signal }: BaalOptions, port: number, add: Add): Promise<string> {
  const sqld = await startSqld({ dataDir: join(settings.dataDir, 'database'), port, ...(signal ? { signal } : {}) })
  add({ name: 'database', pid: () => sqld.pid, stop: () => sqld.close() })
  await migrateDatabase(sqld.url)
  return sqld.url
}

async function migrateGiven({ given }: LocalSettings): Promise<undefined> {
  if (given.LIBSQL_URL) await migrateDatabase(given.LIBSQL_URL, given.LIBSQL_AUTH_TOKEN)
}

async function startRunner(options: BaalOptions, port: number, add: Add): Promise<string> {
  const { dataDir, given, made } = options.settings
  const bundle = join(dataDir, 'build', 'agent.mjs')
  await mkdir(join(dataDir, 'build'), { recursive: true })
  await buildAgentBundle(bundle)
  add(
    await startService({
      name: 'runner',
      command: process.execPath,
      args: ['--disable-warning=ExperimentalWarning', join(ROOT, 'deploy-runner/main.ts')],
      cwd: ROOT,
      env: {
        PATH: process.env.PATH,
        HOST: '127.0.0.1',
        PORT: String(port),
        SSH_PRIVATE_KEY: given.SSH_PRIVATE_KEY ?? made.SSH_PRIVATE_KEY,
        SSH_PRIVATE_KEY_FORMER: given.SSH_PRIVATE_KEY_FORMER,
        WORKER_PUBLIC_KEY: JSON.stringify(publicHalfOf(given.WORKER_SIGNING_KEY ?? made.WORKER_SIGNING_KEY)),
        AGENT_BUNDLE: bundle,
        WORKSPACE_TEMPLATES: join(ROOT, 'workspace'),
        NODE_RUNTIME: process.execPath,
      },
      ready: { ask: () => isHealthy(`http://127.0.0.1:${port}/health`) },
      onLine: (line) => options.onOutput?.('runner', line),
      ...troubleOf('The deploy-runner', options),
    }),
  )
  return `http://127.0.0.1:${port}`
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(2_000) })).ok
  } catch {
    return false
  }
}

function workerVariables(
  { given, made }: LocalSettings,
  addresses: Addresses,
  workerUrl: string,
): Record<string, string> {
  return {
    PUBLIC_URL: workerUrl,
    TELEGRAM_BOT_TOKEN: made.TELEGRAM_BOT_TOKEN,
    TELEGRAM_WEBHOOK_SECRET: made.TELEGRAM_WEBHOOK_SECRET,
    BOT_ENCRYPTION_KEY: made.BOT_ENCRYPTION_KEY,
    WORKER_SIGNING_KEY: made.WORKER_SIGNING_KEY,
    ALEPH_SSH_PUBKEY: made.ALEPH_SSH_PUBKEY,
    ...(addresses.libsql ? { LIBSQL_URL: addresses.libsql } : {}),
    ...(addresses.telegram ? { TELEGRAM_API_ROOT: addresses.telegram } : {}),
    ...(addresses.model ? { LIBERTAI_BASE_URL: `${addresses.model}/v1`, LIBERTAI_API_KEY: made.LIBERTAI_API_KEY } : {}),
    ...(addresses.runner ? { DEPLOY_RUNNER_URL: addresses.runner } : {}),
    ...onlyWorkerVariables(given),
    // After what was given: these stand-ins run because their real service has no key, whatever its address says.
    ...(addresses.aleph
      ? {
          ALEPH_PRIVATE_KEY: made.ALEPH_PRIVATE_KEY,
          ALEPH_API_URLS: addresses.aleph,
          ALEPH_SCHEDULER_URL: addresses.aleph,
          ALEPH_GATEWAY_URL: addresses.aleph,
          ALEPH_CRN_LIST_URL: `${addresses.aleph}/crns.json`,
        }
      : {}),
  }
}

const WORKER_VARIABLE =
  /^(PUBLIC_URL|TELEGRAM_|LIBERTAI_|BRAVE_|ALEPH_|LIBSQL_|DEPLOY_RUNNER_URL$|BOT_ENCRYPTION_KEY|WORKER_SIGNING_KEY|FREE_TIER_|MAX_AGENTS_|DEFAULT_MODEL$|MODEL_PRICES$|POOL_|ADMIN_)/

function onlyWorkerVariables(given: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(given).filter(([name]) => WORKER_VARIABLE.test(name)))
}

/** Webhook where Telegram can reach us (the stand-in, or a public address); long polling otherwise. */
async function connectTelegram(
  options: BaalOptions,
  variables: Readonly<Record<string, string>>,
  workerUrl: string,
  add: Add,
): Promise<string> {
  const { settings } = options
  const token = variables.TELEGRAM_BOT_TOKEN ?? ''
  const apiRoot = variables.TELEGRAM_API_ROOT ?? 'https://api.telegram.org'
  const secret = variables.TELEGRAM_WEBHOOK_SECRET ?? ''
  const api = new Api(token, { apiRoot })
  const me = await api.getMe()
  const botPath = `/telegram/${me.id}`
  const reachable = settings.standIns.telegram || Boolean(settings.given.PUBLIC_URL)
  if (reachable) {
    await registerBot({ api, publicUrl: variables.PUBLIC_URL ?? workerUrl, botPath, secret })
  } else {
    options.onProgress?.('No PUBLIC_URL: fetching updates by long polling')
    await api.deleteWebhook()
    await applyBotProfile(api)
    const polling = startLongPolling({
      api,
      webhookUrl: `${workerUrl}${botPath}`,
      secret,
      allowedUpdates: ALLOWED_UPDATES,
      onProblem: (problem) => options.onTrouble?.(problem),
    })
    add({ name: 'polling', pid: () => process.pid, stop: () => polling.stop() })
  }
  return settings.standIns.telegram ? apiRoot : `https://t.me/${me.username}`
}

function cronService(workerUrl: string, options: BaalOptions): Service {
  const cron = startCron(workerUrl, CRONS, (name) => options.onTrouble?.(`The scheduled work ${name} failed.`))
  return { name: 'cron', pid: () => process.pid, stop: async () => cron.stop() }
}

function troubleOf(name: string, { onTrouble, onFailure, signal }: BaalOptions) {
  return {
    ...(signal ? { signal } : {}),
    onRestart: (reason: string) => onTrouble?.(`${name} ${reason}; started again.`),
    onFailure: (error: ServiceFailed) => onFailure?.(error),
  }
}
