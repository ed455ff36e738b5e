/**
 * What `npm start` runs with: `.dev.vars` and the environment (which wins), and, for whatever is not given, keys made once
 * into the data directory. Which stand-ins are needed follows from what is given.
 */
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'
import { z } from 'zod'
import { makeEncryptionKey, makeSigningKey, makeSshPair, makeWebhookSecret } from './made-keys.ts'
import { DEFAULT_WORKER_PORT } from './ports.ts'

export const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Keys that exist only on this machine. Losing the file loses every sealed secret in the local database. */
const MadeOnce = z.object({
  TELEGRAM_BOT_TOKEN: z.string(),
  TELEGRAM_WEBHOOK_SECRET: z.string(),
  BOT_ENCRYPTION_KEY: z.string(),
  WORKER_SIGNING_KEY: z.string(),
  SSH_PRIVATE_KEY: z.string(),
  ALEPH_SSH_PUBKEY: z.string(),
  ALEPH_PRIVATE_KEY: z.string(),
  LIBERTAI_API_KEY: z.string(),
})
export type MadeOnce = z.infer<typeof MadeOnce>

const Given = z.object({
  PORT: z.coerce.number().int().min(1).max(65_000).default(DEFAULT_WORKER_PORT),
  BAAL_DATA_DIR: z.string().default(join(ROOT, '.data')),
})

export class SettingsError extends Error {
  readonly code = 'settings'
}

export interface LocalSettings {
  readonly dataDir: string
  readonly workerPort: number
  /** Everything that was given by the person, empty values dropped. */
  readonly given: Readonly<Record<string, string>>
  readonly made: MadeOnce
  /** True where a stand-in must take the place of the real service. */
  readonly standIns: {
    readonly telegram: boolean
    readonly model: boolean
    readonly aleph: boolean
    readonly libsql: boolean
    readonly runner: boolean
  }
}

/** @throws {SettingsError} one line per wrong value, naming the variable and never showing it */
export async function loadSettings(
  environment: NodeJS.ProcessEnv = process.env,
  root: string = ROOT,
): Promise<LocalSettings> {
  const given = dropEmpty({ ...(await readDevVars(join(root, '.dev.vars'))), ...environment })
  const parsed = Given.safeParse(given)
  if (!parsed.success) {
    throw new SettingsError(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('\n'))
  }
  const dataDir = parsed.data.BAAL_DATA_DIR
  await mkdir(dataDir, { recursive: true })
  return {
    dataDir,
    workerPort: parsed.data.PORT,
    given,
    made: await loadOrMakeKeys(join(dataDir, 'keys.json')),
    standIns: {
      telegram: !given.TELEGRAM_BOT_TOKEN,
      model: !given.LIBERTAI_API_KEY,
      aleph: !given.ALEPH_PRIVATE_KEY,
      libsql: !given.LIBSQL_URL,
      runner: !given.DEPLOY_RUNNER_URL,
    },
  }
}

async function readDevVars(path: string): Promise<Record<string, string | undefined>> {
  try {
    return parseEnv(await readFile(path, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new SettingsError(`.dev.vars cannot be read: ${(error as Error).message}`, { cause: error })
  }
}

function dropEmpty(values: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => Boolean(entry[1])))
}

async function loadOrMakeKeys(path: string): Promise<MadeOnce> {
  try {
    return MadeOnce.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw new SettingsError(`${path} is damaged. Restore it, or remove the whole data directory to begin anew.`, {
        cause: error,
      })
    }
  }
  const keys = makeKeys()
  // Written aside and renamed: a crash never leaves half a key file behind.
  await writeFile(`${path}.new`, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600 })
  await chmod(`${path}.new`, 0o600)
  await rename(`${path}.new`, path)
  return keys
}

function makeKeys(): MadeOnce {
  const ssh = makeSshPair()
  return {
    TELEGRAM_BOT_TOKEN: `7000000001:${randomBytes(26).toString('base64url')}`,
    TELEGRAM_WEBHOOK_SECRET: makeWebhookSecret(),
    BOT_ENCRYPTION_KEY: makeEncryptionKey(),
    WORKER_SIGNING_KEY: makeSigningKey(),
    SSH_PRIVATE_KEY: ssh.private,
    ALEPH_SSH_PUBKEY: ssh.public,
    ALEPH_PRIVATE_KEY: randomBytes(32).toString('hex'),
    LIBERTAI_API_KEY: `local-${randomBytes(18).toString('base64url')}`,
  }
}
