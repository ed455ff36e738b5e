/**
 * Every value of a production set-up: what it is for, where to get it, and where it goes. The Worker's own schema
 * (`functions/config.ts`) says what each must look like.
 */
import { VARIABLE_NAMES } from '../../functions/config.ts'
import { makeAdminToken, makeEncryptionKey, makeSigningKey, makeSshPair, makeWebhookSecret } from '../made-keys.ts'

export interface ProductionValue {
  readonly name: string
  readonly purpose: string
  /** Where a person gets it; absent for what is made or has a good default. */
  readonly source?: string
  /** `asked`: needed, only a person has it · `offered`: asked once, may stay empty · `made`: made once · `set`: only if given. */
  readonly kind: 'asked' | 'offered' | 'made' | 'set'
  /** Not shown while it is typed. */
  readonly secret?: boolean
}

const NAMED: readonly ProductionValue[] = [
  {
    name: 'TELEGRAM_BOT_TOKEN',
    purpose: 'The bot that people talk to.',
    source: 'write /newbot to @BotFather in Telegram',
    kind: 'asked',
    secret: true,
  },
  {
    name: 'LIBERTAI_API_KEY',
    purpose: 'Pays for the models of everybody without a key of their own.',
    source: 'https://console.libertai.io',
    kind: 'asked',
    secret: true,
  },
  {
    name: 'ALEPH_PRIVATE_KEY',
    purpose: 'The Ethereum account that pays for machines with Aleph credits.',
    source: 'a fresh wallet of its own, 64 hexadecimal digits; credits at https://app.aleph.cloud',
    kind: 'asked',
    secret: true,
  },
  {
    name: 'LIBSQL_URL',
    purpose: 'The database.',
    source: 'https://turso.tech: turso db create baal; turso db show baal --url',
    kind: 'asked',
  },
  {
    name: 'LIBSQL_AUTH_TOKEN',
    purpose: "The database's token.",
    source: 'turso db tokens create baal',
    kind: 'offered',
    secret: true,
  },
  {
    name: 'PUBLIC_URL',
    purpose: 'Where Telegram and the agents reach the Worker. Empty: its address under workers.dev.',
    source: 'a domain of yours at Cloudflare, as https://baal.example.com',
    kind: 'offered',
  },
  {
    name: 'DEPLOY_RUNNER_URL',
    purpose: 'Where your own deploy-runner answers. Empty: a container at Cloudflare, which needs Docker here.',
    source: 'docker build -f deploy-runner/Dockerfile .',
    kind: 'offered',
  },
  {
    name: 'ADMIN_IDS',
    purpose: 'Telegram ids of the operators, separated by commas: they may use /dashboard and /pool.',
    source: 'write to @userinfobot in Telegram',
    kind: 'offered',
  },
  {
    name: 'BRAVE_API_KEY',
    purpose: "The agents' web search. Empty: they have none.",
    source: 'https://brave.com/search/api',
    kind: 'offered',
    secret: true,
  },
  {
    name: 'TELEGRAM_WEBHOOK_SECRET',
    purpose: 'Proves that an update comes from Telegram.',
    kind: 'made',
    secret: true,
  },
  { name: 'BOT_ENCRYPTION_KEY', purpose: 'Seals every key at rest.', kind: 'made', secret: true },
  {
    name: 'BOT_ENCRYPTION_KEY_FORMER',
    purpose: 'Former keys that still open old records, until npm run rotate -- encryption.',
    kind: 'set',
    secret: true,
  },
  { name: 'WORKER_SIGNING_KEY', purpose: 'Signs the calls to the deploy-runner.', kind: 'made', secret: true },
  { name: 'SSH_PRIVATE_KEY', purpose: 'Opens the machines to the deploy-runner.', kind: 'made', secret: true },
  {
    name: 'SSH_PRIVATE_KEY_FORMER',
    purpose: 'The one before: still opens machines that npm run rotate -- ssh has not reached yet.',
    kind: 'set',
    secret: true,
  },
  { name: 'ALEPH_SSH_PUBKEY', purpose: 'Its public half, put on new machines.', kind: 'made' },
  { name: 'ADMIN_TOKEN', purpose: 'Opens GET /admin/metrics.', kind: 'made', secret: true },
]

/** Everything that the Worker reads: what has no words of its own here is in `.dev.vars.example`. */
export const PRODUCTION_VALUES: readonly ProductionValue[] = [
  ...NAMED,
  ...VARIABLE_NAMES.filter((name) => NAMED.every((value) => value.name !== name)).map((name) => ({
    name,
    purpose: 'See .dev.vars.example.',
    kind: 'set' as const,
  })),
]

/** The `[vars]` of wrangler.toml: a secret may not have the name of a variable. */
export const WRANGLER_VARIABLES: ReadonlySet<string> = new Set([
  'DEFAULT_MODEL',
  'FREE_TIER_DAILY_MESSAGES',
  'MAX_AGENTS_PER_USER',
  'POOL_MIN_SIZE',
  'POOL_MAX_SIZE',
  'POOL_MAX_AGE_HOURS',
])

export type Values = Readonly<Record<string, string>>

/** @returns the values with every key that was missing, and the names of those that were made */
export function makeMissing(values: Values): { values: Values; made: string[] } {
  const fresh: Record<string, string> = {}
  const need = (name: string, make: () => string) => {
    if (!values[name]) fresh[name] = make()
  }
  need('TELEGRAM_WEBHOOK_SECRET', makeWebhookSecret)
  need('BOT_ENCRYPTION_KEY', makeEncryptionKey)
  need('WORKER_SIGNING_KEY', makeSigningKey)
  need('ADMIN_TOKEN', makeAdminToken)
  // One half without the other fits no machine: both or neither are made.
  if (!values.SSH_PRIVATE_KEY && !values.ALEPH_SSH_PUBKEY) {
    const pair = makeSshPair()
    fresh.SSH_PRIVATE_KEY = Buffer.from(pair.private).toString('base64')
    fresh.ALEPH_SSH_PUBKEY = pair.public
  }
  return { values: { ...values, ...fresh }, made: Object.keys(fresh) }
}

/** What the Worker is given as secrets: they outlive every `wrangler deploy`, which variables outside wrangler.toml do not. */
export function secretsOf(values: Values): Record<string, string> {
  const ownRunner = Boolean(values.DEPLOY_RUNNER_URL)
  return Object.fromEntries(
    PRODUCTION_VALUES.filter(({ name }) => !WRANGLER_VARIABLES.has(name))
      // A runner elsewhere has the SSH key itself: what the Worker does not hold it cannot lose.
      .filter(({ name }) => !name.startsWith('SSH_PRIVATE_KEY') || !ownRunner)
      .flatMap(({ name }) => (values[name] ? [[name, values[name]]] : [])),
  )
}

export function variablesOf(values: Values): Record<string, string> {
  return Object.fromEntries([...WRANGLER_VARIABLES].flatMap((name) => (values[name] ? [[name, values[name]]] : [])))
}
