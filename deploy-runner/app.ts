/** The runner's HTTP side: authenticate, parse, hold the machine, and tell line by line what happens. */
import { Hono } from 'hono'
import { stream } from 'hono/streaming'
import type { z } from 'zod'
import type { Artifacts } from './artifacts.ts'
import type { Authenticate } from './authenticate.ts'
import { deploy, type Progress, probe, wipe } from './deployment.ts'
import { DEFAULT_LIMITS, type RunnerLimits } from './limits.ts'
import { createMachineLock } from './machine-lock.ts'
import { createProgressStream } from './progress-stream.ts'
import {
  type AgentSecrets,
  DeployRequest,
  type MachineReport,
  PrepareRequest,
  ProbeRequest,
  RekeyRequest,
  RUNNER_CONTENT_TYPE,
  RUNNER_PROTOCOL_VERSION,
  type RunnerHealth,
  type RunnerRefusal,
  SettleRequest,
  type SshTarget,
  WipeRequest,
} from './protocol.ts'
import { rekey } from './rekey.ts'
import { RunnerFailure } from './runner-failure.ts'
import { settle } from './settle.ts'
import { connect, type SshConnection } from './ssh-connection.ts'
import { publicHalfOf } from './ssh-key-pair.ts'

/** A prompt of 32 KB and a few keys fit many times. */
const MAX_BODY_BYTES = 256 * 1024

export interface AppPorts {
  readonly authenticate: Authenticate
  readonly artifacts: Artifacts
  readonly sshPrivateKey: string
  /** Still opens the machines that do not let the other in yet. */
  readonly formerSshPrivateKey?: string | undefined
  readonly limits?: RunnerLimits
  readonly log: (event: string, fields: Readonly<Record<string, string | number>>) => void
}

interface Request {
  readonly target: SshTarget
  readonly wait_ms: number
  readonly secrets?: AgentSecrets
}

/** What a call does on its machine. `login` opens it once more, with one key. */
type Work<B> = (
  body: B,
  ssh: SshConnection,
  progress: Progress,
  login: (privateKey: string) => Promise<SshConnection>,
) => Promise<MachineReport>

export function createApp(ports: AppPorts): Hono {
  const { artifacts, limits = DEFAULT_LIMITS } = ports
  const locks = createMachineLock()
  const { sshPrivateKey: current, formerSshPrivateKey: former } = ports
  const keys = former === undefined ? [current] : [current, former]
  const publicKey = publicHalfOf(current)
  const app = new Hono()
  app.use(async (c, next) => {
    await next()
    c.header('x-content-type-options', 'nosniff')
    c.header('cache-control', 'no-store')
  })

  app.get('/health', (c) =>
    c.json({
      status: 'ok',
      protocol: RUNNER_PROTOCOL_VERSION,
      agent_version: artifacts.agentVersion,
      node_version: artifacts.runtime.version,
      ssh_public_key: publicKey,
    } satisfies RunnerHealth),
  )
  route('/machines/probe', ProbeRequest, (_body, ssh, progress) => probe(ssh, progress, limits))
  route('/machines/prepare', PrepareRequest, (body, ssh, progress) =>
    deploy(ssh, { ingress: body.ingress }, artifacts, progress, limits),
  )
  route('/machines/deploy', DeployRequest, ({ ingress, agent, secrets, trial }, ssh, progress) =>
    deploy(ssh, { ingress, agent: { settings: agent, secrets }, trial }, artifacts, progress, limits),
  )
  route('/machines/settle', SettleRequest, (body, ssh, progress) => settle(ssh, body, progress, limits))
  route('/machines/wipe', WipeRequest, (_body, ssh, progress) => wipe(ssh, progress, limits))
  route('/machines/rekey', RekeyRequest, ({ public_key: wanted }, ssh, progress, login) =>
    rekey(ssh, { wanted, current, former, login }, progress, limits),
  )
  app.notFound((c) => c.json({ error: 'not_found' }, 404))
  return app

  function route<S extends z.ZodType<Request>>(path: string, schema: S, work: Work<z.infer<S>>): void {
    app.post(path, async (c) => {
      const authorization = c.req.header('authorization')
      const standing = await ports.authenticate.look(authorization)
      if (standing === 'unclear')
        return c.json({ error: 'unauthorized', run: ports.authenticate.run } satisfies RunnerRefusal, 401)
      if (standing === 'bad') return c.json({ error: 'unauthorized' } satisfies RunnerRefusal, 401)
      const raw = await readBody(c.req.raw)
      // The length is refused like a bad signature: nothing of an unsigned body is looked at.
      if (!raw || !(await ports.authenticate(authorization, raw)))
        return c.json({ error: 'unauthorized' } satisfies RunnerRefusal, 401)
      c.header('content-type', RUNNER_CONTENT_TYPE)
      return stream(c, async (out) => {
        const gone = new AbortController()
        out.onAbort(() => gone.abort())
        const lines = createProgressStream((text) => out.write(text))
        const startedAt = Date.now()
        let secrets: readonly string[] = []
        try {
          const body = parseBody(schema, raw)
          secrets = Object.values(body.secrets ?? {})
          const result = await locks.hold(body.target, () => onMachine(body, gone.signal, lines.progress, work))
          ports.log('call_done', { path, ms: Date.now() - startedAt, changed: result.changed.join(',') })
          await lines.close({ result })
        } catch (error) {
          const failure =
            error instanceof RunnerFailure
              ? error
              : new RunnerFailure('internal', 'internal', 'The runner failed.', { cause: error })
          const { code, step, cause, rolledBackTo } = failure
          const why = without(secrets, String(cause ?? ''))
          ports.log('call_failed', {
            ...{ path, ms: Date.now() - startedAt, code, step, cause: why },
            ...(rolledBackTo ? { rolled_back_to: rolledBackTo } : {}),
          })
          const message = without(secrets, failure.message)
          await lines.close({
            error: { code, step, message, ...(rolledBackTo ? { rolled_back_to: rolledBackTo } : {}) },
          })
        }
      })
    })
  }

  async function onMachine<B extends Request>(
    body: B,
    signal: AbortSignal,
    progress: Progress,
    work: Work<B>,
  ): Promise<MachineReport> {
    const startedAt = Date.now()
    progress({ step: 'connect', status: 'start', ms: 0 })
    const { target, wait_ms: waitMs } = body
    const ssh = await connect({ target, privateKeys: keys, waitMs, limits, signal }).catch((error: unknown) => {
      progress({ step: 'connect', status: 'error', ms: Date.now() - startedAt })
      throw error
    })
    progress({ step: 'connect', status: 'ok', ms: Date.now() - startedAt })
    try {
      // It showed its host key a moment ago: nobody else may answer now.
      const same = { ...target, host_key: ssh.hostKey }
      const login = (privateKey: string) =>
        connect({ target: same, privateKeys: [privateKey], waitMs: 0, limits, signal })
      return await work(body, ssh, progress, login)
    } finally {
      ssh.close()
    }
  }
}

/** The last words of an agent are its own choice; its secrets are not to be among them. */
function without(secrets: readonly string[], text: string): string {
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, '…'), text)
}

/** @returns `undefined` when there is more than is taken; the rest is not read */
async function readBody(request: globalThis.Request): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of request.body ?? []) {
    bytes += part.length
    if (bytes > MAX_BODY_BYTES) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function parseBody<S extends z.ZodType>(schema: S, raw: Uint8Array): z.infer<S> {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder().decode(raw))
  } catch (cause) {
    throw new RunnerFailure('bad_request', 'connect', 'The body is not JSON.', { cause })
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  // Paths only: a value may be a secret.
  const paths = parsed.error.issues.map((issue) => issue.path.join('.') || issue.code)
  throw new RunnerFailure('bad_request', 'connect', `Wrong or missing: ${paths.join(', ')}`)
}
