/**
 * The Worker's configuration: parsed once per isolate from its variables and secrets, handed down from the entry.
 * A missing or malformed value is one line that names the variable and never shows a value.
 */
import { z } from 'zod'
import { isOfferedModel } from './models.ts'

const required = z.string().min(1)
const count = (fallback: number) => z.coerce.number().int().min(0).default(fallback)
const address = (fallback: string) => z.url().default(fallback)
const addresses = (fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((list) => list.split(',').map((item) => item.trim()))
    .pipe(z.array(z.url()).min(1))

const encryptionKey = z.string().regex(/^[\w-]{43}=?$/, 'must be 32 bytes as base64url')

const Variables = z.object({
  PUBLIC_URL: z.url(),

  TELEGRAM_BOT_TOKEN: z.string().regex(/^\d+:[\w-]{20,}$/, 'is not a bot token (digits, a colon, letters)'),
  TELEGRAM_API_ROOT: address('https://api.telegram.org'),
  TELEGRAM_WEBHOOK_SECRET: z.string().regex(/^[\w-]{16,256}$/, 'must be 16 to 256 letters, digits, _ or -'),

  LIBERTAI_API_KEY: required,
  LIBERTAI_BASE_URL: address('https://api.libertai.io/v1'),
  /** Where a request goes that failed at the address above before anything was answered; the same keys must hold there. */
  LIBERTAI_FALLBACK_URL: z.url().optional(),
  /** Until an answer begins: a long prompt is read before its first word. */
  LIBERTAI_TIMEOUT_S: count(180),
  BRAVE_API_KEY: z.string().optional(),
  BRAVE_SEARCH_URL: address('https://api.search.brave.com'),

  /** Without it only `ssh` machines can carry agents. */
  ALEPH_PRIVATE_KEY: z
    .string()
    .regex(/^(0x)?[0-9a-fA-F]{64}$/, 'must be 64 hexadecimal digits')
    .optional(),
  ALEPH_API_URLS: addresses('https://api2.aleph.im,https://api.aleph.im,https://api3.aleph.im'),
  ALEPH_SCHEDULER_URL: address('https://scheduler.api.aleph.cloud'),
  ALEPH_CRN_LIST_URL: address('https://crns-list.aleph.sh/crns.json'),
  /** `pinned`: we choose the node, and another one when it fails; by default Aleph's scheduler does. */
  ALEPH_PLACEMENT: z.enum(['scheduler', 'pinned']).default('scheduler'),
  ALEPH_GATEWAY_URL: address('https://api.2n6.me'),
  ALEPH_SSH_PUBKEY: z.string().regex(/^ssh-\S+ \S+/, 'must be an OpenSSH public key'),

  LIBSQL_URL: z.string().regex(/^(https?|libsql|wss?):\/\//, 'must be a libSQL address'),
  LIBSQL_AUTH_TOKEN: z.string().optional(),

  /** Unset in production: the container binding is used. */
  DEPLOY_RUNNER_URL: z.url().optional(),

  BOT_ENCRYPTION_KEY: encryptionKey,
  /** Keys that records may still be sealed with, newest first, until `npm run rotate -- encryption` has gone through them. */
  BOT_ENCRYPTION_KEY_FORMER: z
    .string()
    .default('')
    .transform((list) => list.split(',').flatMap((key) => key.trim() || []))
    .pipe(z.array(encryptionKey)),
  WORKER_SIGNING_KEY: required,

  FREE_TIER_DAILY_MESSAGES: count(50),
  MAX_AGENTS_PER_USER: count(3),
  /** What one agent may ask of models in a UTC day, whoever or whatever set it to work. */
  AGENT_DAILY_REQUESTS: count(2_000),
  AGENT_DAILY_TOKENS: count(20_000_000),
  DEFAULT_MODEL: z.string().default('qwen3-coder-next').refine(isOfferedModel, 'is not an offered model'),
  POOL_MIN_SIZE: count(0),
  POOL_MAX_SIZE: count(0),
  POOL_MAX_AGE_HOURS: count(24),
  /** Dollars per million tokens read and written, as `model=0.20/0.80,…`: the metrics then tell what models cost. */
  MODEL_PRICES: z
    .string()
    .default('')
    .transform((list) => list.split(',').flatMap((item) => item.trim() || []))
    .pipe(z.array(z.string().regex(/^[^=]+=\d+(\.\d+)?\/\d+(\.\d+)?$/, 'must look like model=0.20/0.80,other=1/2')))
    .transform((items) => new Map(items.map(readPrice))),
  /** Opens `GET /admin/metrics`; without it that address does not exist. */
  ADMIN_TOKEN: z
    .string()
    .regex(/^[\w-]{16,256}$/, 'must be 16 to 256 letters, digits, _ or -')
    .optional(),
  ADMIN_IDS: z
    .string()
    .default('')
    .transform((list) =>
      list
        .split(',')
        .map((id) => id.trim())
        .filter(Boolean),
    )
    .pipe(z.array(z.string().regex(/^\d+$/, 'must be numeric Telegram ids').transform(Number))),
})

/** Every name that is read, for who sets the Worker up. */
export const VARIABLE_NAMES: readonly string[] = Object.keys(Variables.shape)

export type Config = Readonly<z.infer<typeof Variables>>

export class ConfigError extends Error {
  readonly code = 'config'
}

const parsed = new WeakMap<object, Config>()

/**
 * @param env the Worker's bindings; anything that is not a configured variable is ignored
 * @throws {ConfigError} with one line per wrong variable
 */
export function parseConfig(env: object): Config {
  const known = parsed.get(env)
  if (known) return known
  const result = Variables.safeParse(dropEmpty(env))
  if (!result.success) {
    throw new ConfigError(result.error.issues.map((issue) => `${issue.path.join('.')}: ${describe(issue)}`).join('\n'))
  }
  parsed.set(env, result.data)
  return result.data
}

function readPrice(item: string): [string, { readonly read: number; readonly written: number }] {
  const [model = '', prices = ''] = item.split('=')
  const [read, written] = prices.split('/').map(Number)
  return [model, { read: read ?? 0, written: written ?? 0 }]
}

/** An empty line in `.dev.vars` means "not set", so that defaults and stand-ins apply. */
function dropEmpty(env: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => typeof value === 'string' && value !== ''))
}

function describe(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'invalid_type') return issue.message
  // A number has a default: one that is missing is none.
  return issue.expected === 'number' ? 'must be a number' : 'is not set'
}
