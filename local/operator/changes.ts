/**
 * What differs between what should be and what is, one change per part, each with a way to make it so. The order in which
 * they are made: tables before the code that reads them, secrets before the code that needs them, the bot last.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Api } from 'grammy'
import { botIdOf } from '../../functions/bot-id.ts'
import { findProfileDifferences, isWebhookAsWanted, setWebhook } from '../../functions/chat/bot-profile.ts'
import { migrateDatabase, pendingMigrations } from '../migrate.ts'
import { ROOT } from '../settings.ts'
import { imageHash } from './image-sources.ts'
import { OperatorError } from './operator-error.ts'
import { type DeployedState, fingerprint } from './production-file.ts'
import { secretsOf, type Values, variablesOf } from './production-values.ts'
import type { Wrangler } from './wrangler.ts'

export interface Change {
  readonly part: string
  /** One line of what would be done, without values. */
  readonly detail: string
  apply(): Promise<void>
}

/** What a deployment knows and learns. */
export interface Deployment {
  values: Values
  state: DeployedState
  readonly wrangler: Wrangler
  readonly api: Api
  /** Secrets that Cloudflare holds now. */
  readonly held: ReadonlySet<string>
  /** Keeps what was learned, so that a run that is cut goes on from there. */
  remember(change: { values?: Values; state?: DeployedState }): Promise<void>
}

export async function databaseChange({ values }: Deployment): Promise<Change | undefined> {
  const [url = '', token] = [values.LIBSQL_URL, values.LIBSQL_AUTH_TOKEN]
  const pending = await pendingMigrations(url, token).catch((cause: unknown) => {
    throw databaseUnreachable(cause)
  })
  if (pending.length === 0) return undefined
  return {
    part: 'database',
    detail: `apply ${pending.length === 1 ? 'the migration' : `${pending.length} migrations:`} ${pending.join(', ')}`,
    apply: () => migrateDatabase(url, token),
  }
}

export function databaseUnreachable(cause: unknown): OperatorError {
  const refused = cause instanceof Error && /40[13]|unauthorized|SERVER_ERROR/i.test(`${cause.message}`)
  return refused
    ? new OperatorError('The database refuses the token.', 'Make a new LIBSQL_AUTH_TOKEN (turso db tokens create).', {
        cause,
      })
    : new OperatorError('The database does not answer.', 'Check LIBSQL_URL and that the database runs.', { cause })
}

export function secretsChange(deployment: Deployment): Change | undefined {
  const { state, held } = deployment
  const wanted = secretsOf(deployment.values)
  const differing = Object.entries(wanted).filter(
    ([name, value]) => !held.has(name) || state.secrets[name] !== fingerprint(name, value),
  )
  const gone = Object.keys(state.secrets).filter((name) => !(name in wanted) && held.has(name))
  if (differing.length + gone.length === 0) return undefined
  const names = [...differing.map(([name]) => name), ...gone.map((name) => `${name} (taken away)`)]
  return {
    part: 'secrets',
    detail: `set ${names.join(', ')}`,
    async apply() {
      await deployment.wrangler.putSecrets(
        Object.fromEntries([...differing, ...gone.map((name) => [name, null] as const)]),
      )
      const kept = Object.entries(state.secrets).filter(([name]) => !gone.includes(name))
      const set = differing.map(([name, value]) => [name, fingerprint(name, value)])
      await deployment.remember({ state: { ...deployment.state, secrets: Object.fromEntries([...kept, ...set]) } })
    },
  }
}

export async function workerChange(deployment: Deployment): Promise<Change | undefined> {
  const { values, state, held, wrangler } = deployment
  const withContainer = !values.DEPLOY_RUNNER_URL
  const variables = variablesOf(values)
  const hash = fingerprint(
    await wrangler.buildHash(),
    await readFile(join(ROOT, 'wrangler.toml'), 'utf8'),
    JSON.stringify(variables),
    withContainer ? await imageHash() : 'runner elsewhere',
  )
  // A Worker without secrets was never deployed, or deleted since.
  if (state.worker === hash && held.size > 0) return undefined
  return {
    part: 'worker',
    detail: withContainer ? 'upload the Worker, build and roll out the runner image' : 'upload the Worker',
    async apply() {
      const [address] = await wrangler.deploy({ variables, withContainer })
      if (!deployment.values.PUBLIC_URL) await learnAddress(deployment, address)
      await deployment.remember({ state: { ...deployment.state, worker: hash } })
    },
  }
}

/** The first deployment under workers.dev: only now is it known where that is. */
async function learnAddress(deployment: Deployment, address: string | undefined): Promise<void> {
  if (!address) {
    throw new OperatorError(
      'The Worker is deployed, but wrangler did not say where it answers.',
      'Put its address into .prod.vars as PUBLIC_URL and run npm run deploy again.',
    )
  }
  await deployment.remember({ values: { ...deployment.values, PUBLIC_URL: address.replace(/\/$/, '') } })
  await secretsChange(deployment)?.apply()
}

export async function webhookChange(deployment: Deployment): Promise<Change | undefined> {
  const { api, values, state } = deployment
  const isAsWanted = state.webhook === webhookMark(values) && (await isWebhookAsWanted(registrationOf(deployment)))
  if (isAsWanted) return undefined
  return {
    part: 'webhook',
    detail: values.PUBLIC_URL
      ? `send updates to ${registrationOf(deployment).publicUrl}`
      : "send updates to the Worker's address",
    async apply() {
      await setWebhook({ ...registrationOf(deployment), api })
      await deployment.remember({ state: { ...deployment.state, webhook: webhookMark(deployment.values) } })
    },
  }
}

function webhookMark({ PUBLIC_URL = '', TELEGRAM_WEBHOOK_SECRET = '' }: Values): string {
  return fingerprint(PUBLIC_URL, TELEGRAM_WEBHOOK_SECRET)
}

function registrationOf({ api, values }: Deployment) {
  return {
    api,
    publicUrl: values.PUBLIC_URL ?? '',
    botPath: `/telegram/${botIdOf(values.TELEGRAM_BOT_TOKEN ?? '')}`,
    secret: values.TELEGRAM_WEBHOOK_SECRET ?? '',
  }
}

export async function profileChange({ api }: Deployment): Promise<Change | undefined> {
  const differences = await findProfileDifferences(api)
  if (differences.length === 0) return undefined
  const counts = Map.groupBy(differences, ({ what }) => what)
  return {
    part: 'profile',
    detail: `set ${[...counts].map(([what, list]) => `${list.length} ${what}`).join(', ')}`,
    async apply() {
      for (const { set } of differences) await set()
    },
  }
}
