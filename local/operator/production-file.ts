/**
 * What an operator's commands remember on the operator's machine, readable by its owner alone: the values of production
 * (`.prod.vars`, in the form of `.dev.vars`), hashes of what was deployed last (`.prod.state.json`), and, for a runner of
 * one's own, its environment (`.prod.runner.env`).
 */
import { createHash } from 'node:crypto'
import { chmod, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseEnv } from 'node:util'
import { z } from 'zod'
import { publicHalfOf } from '../made-keys.ts'
import { ROOT } from '../settings.ts'
import { renderEnvFile } from '../worker.ts'
import { OperatorError } from './operator-error.ts'
import { PRODUCTION_VALUES, type Values } from './production-values.ts'

export const DEFAULT_FILE = join(ROOT, '.prod.vars')
const STATE_NAME = '.prod.state.json'
export const RUNNER_ENVIRONMENT_NAME = '.prod.runner.env'

const State = z.object({
  /** Code, wrangler.toml, variables and the image's sources. */
  worker: z.string().optional(),
  secrets: z.record(z.string(), z.string()).default({}),
  /** Address and secret that Telegram was told: it does not tell the secret back. */
  webhook: z.string().optional(),
})
export type DeployedState = z.infer<typeof State>

/** @throws {OperatorError} for a name that nothing reads, or a file that others can read */
export async function loadValues(file: string): Promise<Values> {
  const text = await readIfThere(file)
  if (text === undefined) return {}
  if (((await stat(file)).mode & 0o077) !== 0) {
    throw new OperatorError(`${file} holds keys and can be read by others.`, `chmod 600 ${file}`)
  }
  const values = Object.fromEntries(Object.entries(parseEnv(text)).filter(([, value]) => value))
  const known = new Set(PRODUCTION_VALUES.map(({ name }) => name))
  const strange = Object.keys(values).find((name) => !known.has(name) && !name.endsWith('_NEXT'))
  if (strange) {
    throw new OperatorError(`${file}: nothing reads ${strange}.`, 'Correct its name (.dev.vars.example has them all).')
  }
  return values as Values
}

export async function saveValues(file: string, values: Values): Promise<void> {
  const head =
    '# Values and keys of production. Keep a copy in a safe place: without BOT_ENCRYPTION_KEY every sealed key is lost.\n'
  await writePrivately(file, head + renderEnvFile(values))
}

export async function loadState(file: string): Promise<DeployedState> {
  const text = await readIfThere(stateFile(file))
  if (text === undefined) return { secrets: {} }
  const parsed = State.safeParse(parseJson(text))
  // Only a memory of what was done: without it everything is done once more.
  return parsed.success ? parsed.data : { secrets: {} }
}

export async function saveState(file: string, state: DeployedState): Promise<void> {
  await writePrivately(stateFile(file), `${JSON.stringify(state, null, 2)}\n`)
}

export async function saveRunnerEnvironment(file: string, environment: Values): Promise<string> {
  const path = join(dirname(file), RUNNER_ENVIRONMENT_NAME)
  // For `docker run --env-file`, which takes values as they are, quotes included.
  await writePrivately(
    path,
    `${Object.entries(environment)
      .map(([name, value]) => `${name}=${value}`)
      .join('\n')}\n`,
  )
  return path
}

/** What a runner of one's own is started with. */
export function runnerEnvironmentOf(values: Values): Values {
  const { SSH_PRIVATE_KEY = '', SSH_PRIVATE_KEY_FORMER, WORKER_SIGNING_KEY = '', WORKER_SIGNING_KEY_NEXT } = values
  const present = publicHalfOf(WORKER_SIGNING_KEY)
  const verifying = WORKER_SIGNING_KEY_NEXT ? { keys: [present, publicHalfOf(WORKER_SIGNING_KEY_NEXT)] } : present
  return {
    SSH_PRIVATE_KEY,
    ...(SSH_PRIVATE_KEY_FORMER ? { SSH_PRIVATE_KEY_FORMER } : {}),
    WORKER_PUBLIC_KEY: JSON.stringify(verifying),
  }
}

export function fingerprint(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)
}

function stateFile(file: string): string {
  return join(dirname(file), STATE_NAME)
}

/** Written aside and renamed: a crash never leaves half a key file behind. */
async function writePrivately(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600 })
  await chmod(`${file}.new`, 0o600)
  await rename(`${file}.new`, file)
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new OperatorError(`${file} cannot be read.`, 'Check its owner and rights.', { cause: error })
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
