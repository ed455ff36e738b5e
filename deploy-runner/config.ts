/** The runner's configuration: parsed once from the environment; a wrong value stops with one line that names it. */
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** What only verifies: a private key has no business here. */
const PublicJwk = z.looseObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string(),
  d: z.undefined({ error: 'must be the public key' }).optional(),
})

const PublicKey = z
  .string()
  .min(1)
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown
    } catch {
      context.addIssue({ code: 'custom', message: 'is not JSON' })
      return z.NEVER
    }
  })
  .pipe(z.union([PublicJwk, z.looseObject({ keys: z.array(PublicJwk).min(1) })]))

const PrivateKey = z
  .string()
  .min(1)
  // Some secret stores do not keep line breaks: base64 of the whole key is welcome too.
  .transform((text) => (text.includes('PRIVATE KEY') ? text : Buffer.from(text, 'base64').toString('utf8')))
  .refine((text) => text.includes('PRIVATE KEY'), 'is not a private key in OpenSSH or PEM form')
  .transform((text) => `${text.trim()}\n`)

const Environment = z.object({
  HOST: z.string().default('0.0.0.0'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
  SSH_PRIVATE_KEY: PrivateKey,
  /** Still opens the machines that were made with it, while keys are rotated. */
  SSH_PRIVATE_KEY_FORMER: z.preprocess((value) => value || undefined, PrivateKey.optional()),
  WORKER_PUBLIC_KEY: PublicKey,
  AGENT_BUNDLE: z.string().default(here('../dist/agent.mjs')),
  WORKSPACE_TEMPLATES: z.string().default(here('../workspace')),
  NODE_RUNTIME: z.string().default(here('../node_modules/node/bin/node')),
})

export type Config = Readonly<z.infer<typeof Environment>>

export class ConfigError extends Error {
  readonly code = 'config'
}

/** @throws {ConfigError} one line per wrong variable, without its value */
export function parseConfig(environment: NodeJS.ProcessEnv): Config {
  const result = Environment.safeParse(environment)
  if (result.success) return result.data
  throw new ConfigError(
    result.error.issues
      .map(
        (issue) =>
          `${issue.path[0]?.toString() ?? 'environment'}: ${issue.code === 'invalid_type' ? 'is not set' : issue.message}`,
      )
      .join('\n'),
  )
}
