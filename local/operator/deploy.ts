/**
 * Production in one command: values asked for once, keys made once, then only what differs is changed. What was done is
 * remembered after each change, so that a run that is cut, or fails, goes on where it stopped.
 */
import { spawn } from 'node:child_process'
import { relative } from 'node:path'
import { Api, GrammyError } from 'grammy'
import { ConfigError, parseConfig } from '../../functions/config.ts'
import { askForMissing, type Terminal } from './ask.ts'
import {
  type Change,
  type Deployment,
  databaseChange,
  profileChange,
  secretsChange,
  webhookChange,
  workerChange,
} from './changes.ts'
import { OperatorError } from './operator-error.ts'
import {
  type DeployedState,
  loadState,
  loadValues,
  runnerEnvironmentOf,
  saveRunnerEnvironment,
  saveState,
  saveValues,
} from './production-file.ts'
import { makeMissing, type Values } from './production-values.ts'
import { requireRunnerWithNewPair } from './runner-key.ts'
import { selfTest } from './self-test.ts'
import type { Wrangler } from './wrangler.ts'

/** Stands in while a first deployment has not told the address yet. */
const UNKNOWN_URL = 'https://not-known-yet.workers.dev'

export interface DeployOptions {
  readonly file: string
  readonly dryRun: boolean
  readonly terminal: Terminal
  readonly wrangler: Wrangler
  say(line: string): void
  /** Whether images can be built here. */
  hasDocker?(): Promise<boolean>
}

/** @throws {OperatorError} with what to do */
export async function deploy(options: DeployOptions): Promise<void> {
  const { file, dryRun, wrangler, say } = options
  const values = await prepareValues(options)
  const api = new Api(values.TELEGRAM_BOT_TOKEN ?? '', {
    apiRoot: values.TELEGRAM_API_ROOT ?? 'https://api.telegram.org',
  })
  const bot = await findBot(api)
  const state = await loadState(file)
  const deployment: Deployment = {
    values,
    state,
    wrangler,
    api,
    held: await heldSecrets(options, state),
    async remember(change) {
      if (change.values) {
        deployment.values = change.values
        await saveValues(file, change.values)
      }
      if (change.state) {
        deployment.state = change.state
        await saveState(file, change.state)
      }
    },
  }
  const changes = await findChanges(deployment)
  say(changes.length === 0 ? 'Nothing differs.' : dryRun ? 'Would change:' : 'Changes:')
  for (const { part, detail } of changes) say(`  ${part.padEnd(10)}${detail}`)
  if (dryRun) return
  await requireRunnerWithNewPair(values)
  await requireDocker(options, deployment, changes)
  for (const { part, apply } of changes) {
    say(`${part} …`)
    await apply()
  }
  if (values.DEPLOY_RUNNER_URL) await keepRunnerEnvironment(options, deployment.values)
  say('Trying it through its public address …')
  await selfTest(deployment.values, { say })
  say(`\nBaal is up: https://t.me/${bot}`)
}

async function prepareValues(options: DeployOptions): Promise<Values> {
  const { file, dryRun, terminal, say } = options
  const known = await loadValues(file)
  const isFirst = !known.BOT_ENCRYPTION_KEY
  const { values, made } = makeMissing(await askForMissing(known, terminal, isFirst))
  checkValues(values, relative(process.cwd(), file))
  if (made.length > 0) say(`${dryRun ? 'Would make' : 'Made'} ${made.join(', ')}${dryRun ? '' : ` (kept in ${file})`}.`)
  if (!dryRun) await saveValues(file, values)
  return values
}

/** @throws {OperatorError} naming each wrong value, never showing it */
function checkValues(values: Values, file: string): void {
  try {
    parseConfig({ ...values, PUBLIC_URL: values.PUBLIC_URL ?? UNKNOWN_URL })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new OperatorError(error.message, `Correct it in ${file} (.dev.vars.example says what each is for).`)
  }
}

async function findBot(api: Api): Promise<string> {
  try {
    return (await api.getMe()).username
  } catch (error) {
    if (error instanceof GrammyError && [401, 404].includes(error.error_code)) {
      throw new OperatorError(
        'Telegram refuses the bot token.',
        'Ask @BotFather for /token and put it into .prod.vars.',
      )
    }
    throw new OperatorError('Telegram does not answer.', 'Check the network, and TELEGRAM_API_ROOT if it is set.')
  }
}

async function heldSecrets(
  { wrangler, dryRun, say }: DeployOptions,
  state: DeployedState,
): Promise<ReadonlySet<string>> {
  if (await wrangler.isLoggedIn()) return wrangler.secretNames()
  if (!dryRun) {
    throw new OperatorError('Nobody is logged in at Cloudflare.', 'npx wrangler login, or set CLOUDFLARE_API_TOKEN.')
  }
  say('Nobody is logged in at Cloudflare (npx wrangler login): comparing with what was deployed from here last.')
  return new Set(Object.keys(state.secrets))
}

async function findChanges(deployment: Deployment): Promise<Change[]> {
  const changes = [
    await databaseChange(deployment),
    secretsChange(deployment),
    await workerChange(deployment),
    await webhookChange(deployment),
    await profileChange(deployment),
  ]
  return changes.filter((change) => change !== undefined)
}

async function requireDocker(
  { hasDocker = askDocker }: DeployOptions,
  { values }: Deployment,
  changes: readonly Change[],
) {
  if (values.DEPLOY_RUNNER_URL || !changes.some(({ part }) => part === 'worker') || (await hasDocker())) return
  throw new OperatorError(
    'The runner image cannot be built: Docker does not answer.',
    'Start Docker, or run the deploy-runner elsewhere (deploy-runner/README.md) and set DEPLOY_RUNNER_URL.',
  )
}

function askDocker(): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(process.env.WRANGLER_DOCKER_BIN ?? 'docker', ['info'], { stdio: 'ignore', timeout: 20_000 })
    child.once('error', () => resolve(false))
    child.once('close', (code) => resolve(code === 0))
  })
}

/** A runner of one's own is given its keys by whoever runs it. */
async function keepRunnerEnvironment({ file, say }: DeployOptions, values: Values): Promise<void> {
  const path = await saveRunnerEnvironment(file, runnerEnvironmentOf(values))
  say(`The deploy-runner's environment is in ${path}.`)
}
