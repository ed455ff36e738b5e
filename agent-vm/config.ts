/**
 * The agent server's configuration: its environment, parsed once by the entry and handed down.
 * A missing or malformed variable is one line that names it and never shows a value.
 */
import { z } from 'zod'

const required = z.string().min(1)
const count = (fallback: number) => z.coerce.number().int().min(0).default(fallback)

const Variables = z.object({
  AGENT_NAME: required.max(64),
  SYSTEM_PROMPT: required,
  MODEL: z.string().default('qwen3-coder-next'),
  LIBERTAI_API_KEY: required,
  LIBERTAI_BASE_URL: z.url().default('https://api.libertai.io/v1'),
  /** Bearer of every request but `/health`. */
  AGENT_SECRET: required,
  PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
  HOST: z.string().default('127.0.0.1'),
  /** Absent: `agent.db` in a private folder beside the workspace, never inside it: the tools can read the workspace. */
  DB_PATH: z.string().optional(),
  WORKSPACE_PATH: required,
  /** The chat that heartbeat results go to. Without it the heartbeat is off. */
  OWNER_CHAT_ID: z.string().optional(),
  /** Seconds between heartbeats; 0 turns them off. */
  HEARTBEAT_INTERVAL: count(1800),
  /** 0: what the model is known to take. */
  MAX_CONTEXT_TOKENS: count(0),
  GENERATION_RESERVE: count(4096),
  COMPACTION_KEEP_MESSAGES: count(20),
  MAX_TOOL_ITERATIONS: count(50).pipe(z.number().min(1)),
  /** Full address that is told when something waits, `…/agents/<id>/pending`. Web search lives at the same origin. */
  CALLBACK_URL: z.url().optional(),
  /** The unprivileged user that tools run as. */
  TOOL_USER: z.string().optional(),
  MODEL_FIRST_TOKEN_TIMEOUT_MS: count(120_000),
  MODEL_IDLE_TIMEOUT_MS: count(60_000),
  /** First pause before a failed request to the model is repeated; doubles each time. */
  MODEL_RETRY_BASE_MS: count(1000),
})

export type Config = Readonly<z.infer<typeof Variables>>

export class ConfigError extends Error {
  readonly code = 'config'
}

/**
 * @param env the environment; what is not a known variable is ignored, an empty value counts as not set
 * @throws {ConfigError} with one line that names every wrong variable
 */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  const result = Variables.safeParse(given)
  if (result.success) return result.data
  throw new ConfigError(
    result.error.issues.map((issue) => `${issue.path.join('.')} ${describe(issue, given)}`).join('; '),
  )
}

/** For the entry alone. */
export function readEnvironment(): Readonly<Record<string, string | undefined>> {
  return process.env
}

function describe(issue: z.core.$ZodIssue, given: Record<string, unknown>): string {
  return given[String(issue.path[0])] === undefined ? 'is not set' : `is not valid: ${issue.message}`
}
