/**
 * What the deploy-runner serves over HTTP: schemas and types, nothing else. Callers import this file alone.
 *
 * Every call is a POST of JSON with `Authorization: Bearer <JWT>`: EdDSA, `iss` baal-worker, `aud` deploy-runner, `exp` at
 * most 60 s ahead, `jti` used once, `body` = base64url SHA-256 of the raw body. Answers are NDJSON `RunnerLine`s.
 *
 * A runner that has just started cannot know which tokens were used before: to one whose `iat` lies before its start it answers
 * 401 with its `run`, and takes the call when that is signed anew with `run` among its claims. `iat` may be left out.
 */
import { z } from 'zod'

export const RUNNER_PROTOCOL_VERSION = 1
export const RUNNER_ISSUER = 'baal-worker'
export const RUNNER_AUDIENCE = 'deploy-runner'
/** Longest life of a call's token, in seconds. */
export const RUNNER_TOKEN_LIFETIME_S = 60
export const RUNNER_CONTENT_TYPE = 'application/x-ndjson'

/** The body of a 401. With `run`: sign the same call again, with this claim. */
export const RunnerRefusal = z.object({ error: z.literal('unauthorized'), run: z.string().max(64).optional() })
export type RunnerRefusal = z.infer<typeof RunnerRefusal>

/** Where SSH answers, and who must answer. `host_key` is `undefined` on first contact: the runner returns the one it saw. */
export const SshTarget = z.object({
  host: z.string().min(1).max(255),
  port: z.int().min(1).max(65_535),
  user: z.string().min(1).max(64).default('root'),
  /** OpenSSH form of the public host key without comment: `ssh-ed25519 AAAA…`. */
  host_key: z.string().max(4096).optional(),
})
export type SshTarget = z.infer<typeof SshTarget>

/** How the world reaches the agent. `caddy`: TLS for `domain` by Caddy on the machine. `direct`: the agent listens itself. */
export const Ingress = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('caddy'), domain: z.string().min(3).max(253) }),
  z.object({ kind: z.literal('direct'), host: z.string().max(255), port: z.int().min(1).max(65_535) }),
])
export type Ingress = z.infer<typeof Ingress>

/** The agent's environment without secrets. Values arrive on the machine unchanged, newlines and quotes included. */
export const AgentSettings = z.object({
  agent_id: z.string().min(1).max(64),
  name: z.string().min(1).max(64),
  system_prompt: z.string().min(1).max(32_768),
  model: z.string().min(1).max(128),
  owner_chat_id: z.string().max(96),
  libertai_base_url: z.url(),
  callback_url: z.url(),
  heartbeat_interval: z.int().min(0).optional(),
  max_context_tokens: z.int().min(0).optional(),
})
export type AgentSettings = z.infer<typeof AgentSettings>

/** Both end in root-only files; neither may appear in a command line, a log or a progress line. */
export const AgentSecrets = z.object({ agent_secret: z.string().min(16), libertai_api_key: z.string().min(8) })
export type AgentSecrets = z.infer<typeof AgentSecrets>

/** `wait_ms`: how long to keep trying while SSH does not answer yet (a machine that boots). 0 = one try. */
const wait_ms = z
  .int()
  .min(0)
  .max(15 * 60_000)
  .default(0)

export const ProbeRequest = z.object({ target: SshTarget, wait_ms })
export const PrepareRequest = z.object({ target: SshTarget, wait_ms, ingress: Ingress.optional() })
/** Names a deployment that is not over when the agent answers on its machine: `/machines/settle` ends it. */
const trial = z.string().regex(/^[\w-]{1,128}$/)

export const DeployRequest = z.object({
  target: SshTarget,
  wait_ms,
  ingress: Ingress,
  agent: AgentSettings,
  secrets: AgentSecrets,
  /** What ran before stays on the machine until this trial is settled. A runner that does not know it keeps nothing. */
  trial: trial.optional(),
})
/** How a trial looked from outside. `bad`: what ran before runs again, if there was anything; `good`: it goes. */
export const SettleRequest = z.object({ target: SshTarget, wait_ms, trial, verdict: z.enum(['good', 'bad']) })
export const WipeRequest = z.object({ target: SshTarget, wait_ms })
/** The machine is to be opened by this key alone. Refused unless it is the one that the runner itself logs in with. */
export const RekeyRequest = z.object({ target: SshTarget, wait_ms, public_key: z.string().min(1).max(4096) })
export type ProbeRequest = z.input<typeof ProbeRequest>
export type PrepareRequest = z.input<typeof PrepareRequest>
export type DeployRequest = z.input<typeof DeployRequest>
export type WipeRequest = z.input<typeof WipeRequest>
export type SettleRequest = z.input<typeof SettleRequest>
export type RekeyRequest = z.input<typeof RekeyRequest>

export const StepName = z.enum([
  'connect',
  'inspect',
  'packages',
  'users',
  'runtime',
  'bundle',
  'workspace',
  'secrets',
  'service',
  'ingress',
  'health',
  'rollback',
  'settle',
  'wipe',
  'key',
])
export type StepName = z.infer<typeof StepName>

/** One progress line. A newer runner may name steps this Worker does not know: they are strings on the reading side. */
export const ProgressLine = z.object({
  step: z.string(),
  status: z.enum(['start', 'ok', 'skip', 'error']),
  /** Milliseconds this step has taken so far. */
  ms: z.number(),
  detail: z.string().optional(),
})
export type ProgressLine = z.infer<typeof ProgressLine>

export const MachineReport = z.object({
  reachable: z.boolean(),
  /** What the machine showed; to be pinned by the caller. */
  host_key: z.string(),
  os: z.string(),
  /** `systemd`: root and systemd; `plain`: the installer supervises the process itself. */
  mode: z.enum(['systemd', 'plain']),
  /** Version of the agent bundle on the machine, when there is one. */
  agent_version: z.string().optional(),
  node_version: z.string().optional(),
  /** Steps that had to change something. Empty: everything already was as it should be. */
  changed: z.array(z.string()),
  /** After a trial that was bad: version of the agent server that runs again. Absent: there was nothing to go back to. */
  rolled_back_to: z.string().optional(),
  round_trips: z.int().optional(),
  bytes_sent: z.int().optional(),
})
export type MachineReport = z.infer<typeof MachineReport>

/**
 * `unreachable` SSH did not answer in time · `host_key_mismatch` another machine answers: nothing was sent ·
 * `auth_failed` our SSH key is refused · `busy` another call works on this machine · `disconnected` cut in the middle ·
 * `step_failed` a command failed, `message` ends with its last lines · `unhealthy` the agent does not answer `/health` ·
 * `timeout` a step took too long · `bad_request` the body is not as it should be.
 */
export const RunnerErrorCode = z.enum([
  'unreachable',
  'host_key_mismatch',
  'auth_failed',
  'busy',
  'disconnected',
  'step_failed',
  'unhealthy',
  'timeout',
  'bad_request',
  'internal',
])
export type RunnerErrorCode = z.infer<typeof RunnerErrorCode>

export const RunnerError = z.object({
  code: RunnerErrorCode.catch('internal'),
  step: z.string(),
  message: z.string(),
  /** Version of the agent server that runs again, with what it had before the deployment. Absent: nothing good runs. */
  rolled_back_to: z.string().optional(),
})
export type RunnerError = z.infer<typeof RunnerError>

/** The stream ends with exactly one `result` or `error` line; a stream without one was cut. */
export const RunnerLine = z.union([z.object({ result: MachineReport }), z.object({ error: RunnerError }), ProgressLine])
export type RunnerLine = z.infer<typeof RunnerLine>

export const RunnerHealth = z.object({
  status: z.literal('ok'),
  protocol: z.int(),
  /** Version of the agent bundle this runner installs. */
  agent_version: z.string(),
  node_version: z.string(),
  /** What machines must let in for this runner, as `ssh-ed25519 AAAA…`. Absent: an older runner. */
  ssh_public_key: z.string().optional(),
})
export type RunnerHealth = z.infer<typeof RunnerHealth>
