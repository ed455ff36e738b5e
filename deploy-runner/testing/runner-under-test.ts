/** For tests: a runner over a real local machine (a real SSH server, a folder), with signed calls and a small real agent. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Hono } from 'hono'
import { importJWK, SignJWT } from 'jose'
import { type LocalMachine, powerOn } from '../../local/machine/power-on.ts'
import { freePort } from '../../local/sqld.ts'
import { createApp } from '../app.ts'
import { loadArtifacts } from '../artifacts.ts'
import { createAuthenticate } from '../authenticate.ts'
import { DEFAULT_LIMITS, type RunnerLimits } from '../limits.ts'
import { type DeployRequest, type MachineReport, type ProgressLine, type RunnerError, RunnerLine } from '../protocol.ts'
import { generateSshKeyPair } from '../ssh-key-pair.ts'

/**
 * Small enough to read, real enough to be deployed: it answers, knows its version, shows the environment it was given, and is
 * too busy to answer while there is a `.busy` beside its database.
 */
export const AGENT = (mark: string) => `
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
const version = createHash('sha256').update(readFileSync(new URL(import.meta.url))).digest('hex').slice(0, 12)
createServer(async (request, response) => {
  while (existsSync(process.env.DB_PATH + '.busy')) await pause(100)
  const body = request.url === '/env' ? { ...process.env, EXEC: process.execPath } : { status: 'ok', version, mark: '${mark}' }
  response.setHeader('content-type', 'application/json').end(JSON.stringify(body))
}).listen(Number(process.env.PORT), process.env.HOST)
`

export const ODD_PROMPT = `line one\nline "two" 'three' \`four\` $HOME $(id) \\ %s #\n${'🦊'.repeat(500)}${'x'.repeat(6_000)}`

export interface TokenChanges {
  readonly audience?: string
  readonly issuer?: string
  readonly issuedAt?: number
  readonly lifetimeS?: number
  readonly jti?: string
  readonly signedBody?: string
  readonly run?: string
  readonly key?: KeyObject
}

export interface Answer {
  readonly raw: string
  readonly lines: readonly ProgressLine[]
  /** @throws with the whole answer when it ended otherwise */
  readonly result: MachineReport
  readonly error: RunnerError
}

export interface BuildOptions {
  readonly agent?: string
  readonly runtime?: string
  /** With an SSH key that no machine knows. */
  readonly stranger?: boolean
  /** Others than those that its machines are made with. */
  readonly sshKeys?: { readonly current: string; readonly former?: string }
  readonly limits?: Partial<RunnerLimits>
  /** Long ago, unless a test is about a runner that has just started. */
  readonly startedAt?: number
}

export interface CallOptions {
  readonly to?: Hono
  readonly onLine?: (line: ProgressLine) => void
}

export class RunnerUnderTest {
  readonly logged: string[] = []
  readonly folder: string
  readonly templates: string
  /** Those that its machines are made with. */
  readonly sshKeys = generateSshKeyPair()
  readonly #signing = generateKeyPairSync('ed25519')
  readonly #machines: LocalMachine[] = []
  #app: Hono | undefined

  static async start(): Promise<RunnerUnderTest> {
    const runner = new RunnerUnderTest(await mkdtemp(join(tmpdir(), 'baal-runner-')))
    await mkdir(join(runner.templates, 'memory'), { recursive: true })
    await writeFile(join(runner.templates, 'memory', 'MEMORY.md'), '# Memory\n')
    runner.#app = await runner.build()
    return runner
  }

  private constructor(folder: string) {
    this.folder = folder
    this.templates = join(folder, 'workspace')
  }

  get app(): Hono {
    if (!this.#app) throw new Error('not started')
    return this.#app
  }

  get publicKey(): JsonWebKey {
    return this.#signing.publicKey.export({ format: 'jwk' })
  }

  /** Another runner for the same machines: with other code, another runtime, or an SSH key that no machine knows. */
  async build({
    agent = AGENT('1'),
    runtime = process.execPath,
    stranger = false,
    sshKeys = { current: stranger ? generateSshKeyPair().private : this.sshKeys.private },
    limits = {},
    startedAt = 0,
  }: BuildOptions = {}): Promise<Hono> {
    const bundle = join(this.folder, `${randomUUID()}.mjs`)
    // Ballast that does not compress: a parcel that takes more than one packet.
    await writeFile(bundle, `${agent}\n// ${randomBytes(60_000).toString('base64')}\n`)
    return createApp({
      artifacts: await loadArtifacts({ bundle, templates: this.templates, runtime }),
      authenticate: await createAuthenticate(this.publicKey, { startedAt }),
      sshPrivateKey: sshKeys.current,
      formerSshPrivateKey: sshKeys.former,
      limits: { ...DEFAULT_LIMITS, healthMs: 30_000, formerHealthMs: 30_000, stepMs: 30_000, ...limits },
      log: (event, fields) => this.logged.push(JSON.stringify({ event, ...fields })),
    })
  }

  async powerOn(folder?: string, port?: number): Promise<TestMachine> {
    const machine = await powerOn({
      id: randomUUID().slice(0, 8),
      folder: folder ?? (await mkdtemp(join(this.folder, 'machine-'))),
      authorizedKeys: [this.sshKeys.public],
    })
    this.#machines.push(machine)
    return new TestMachine(machine, port ?? (await freePort()))
  }

  async token(body: string, changes: TokenChanges = {}): Promise<string> {
    const issuedAt = changes.issuedAt ?? Math.floor(Date.now() / 1000)
    const signed = createHash('sha256').update(changes.signedBody ?? body)
    const key = await importJWK((changes.key ?? this.#signing.privateKey).export({ format: 'jwk' }), 'EdDSA')
    return new SignJWT({ body: signed.digest('base64url'), ...(changes.run ? { run: changes.run } : {}) })
      .setProtectedHeader({ alg: 'EdDSA' })
      .setIssuer(changes.issuer ?? 'baal-worker')
      .setAudience(changes.audience ?? 'deploy-runner')
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + (changes.lifetimeS ?? 60))
      .setJti(changes.jti ?? randomUUID())
      .sign(key)
  }

  async post(path: string, body: string, changes: TokenChanges = {}, to = this.app): Promise<Response> {
    const headers = { authorization: `Bearer ${await this.token(body, changes)}` }
    return to.request(path, { method: 'POST', body, headers })
  }

  async call(path: string, body: object, { to, onLine }: CallOptions = {}): Promise<Answer> {
    const response = await this.post(path, JSON.stringify(body), {}, to)
    return readAnswer(response, onLine)
  }

  async stop(): Promise<void> {
    for (const machine of this.#machines) await machine.powerOff()
    await rm(this.folder, { recursive: true, force: true })
  }
}

export class TestMachine {
  readonly machine: LocalMachine
  readonly port: number

  constructor(machine: LocalMachine, port: number) {
    this.machine = machine
    this.port = port
  }

  get home(): string {
    return this.machine.home
  }

  target(port = this.machine.sshPort) {
    return { host: '127.0.0.1', port, user: 'root', host_key: this.machine.hostKey }
  }

  deployment(changes: Partial<DeployRequest['agent']> = {}): DeployRequest {
    return {
      target: this.target(),
      ingress: { kind: 'direct', host: '127.0.0.1', port: this.port },
      agent: {
        agent_id: 'a1',
        name: 'Rosa "the\nfox"',
        system_prompt: ODD_PROMPT,
        model: 'glm-4.7',
        owner_chat_id: '42',
        libertai_base_url: 'http://127.0.0.1:1/v1',
        callback_url: 'http://127.0.0.1:1/agents/a1/pending',
        ...changes,
      },
      secrets: { agent_secret: 'planted-agent-secret', libertai_api_key: 'bk-planted-inference-key' },
    }
  }

  /** What the agent on it answers. @throws when nothing listens */
  async ask(path: '/health' | '/env'): Promise<Record<string, string>> {
    return (await fetch(`http://127.0.0.1:${this.port}${path}`)).json() as Promise<Record<string, string>>
  }
}

async function readAnswer(response: Response, onLine?: (line: ProgressLine) => void): Promise<Answer> {
  const decoder = new TextDecoder()
  let raw = ''
  let read = 0
  const lines: ProgressLine[] = []
  let last: RunnerLine | undefined
  for await (const chunk of response.body ?? []) {
    raw += decoder.decode(chunk, { stream: true })
    for (let end = raw.indexOf('\n', read); end >= 0; end = raw.indexOf('\n', read)) {
      last = RunnerLine.parse(JSON.parse(raw.slice(read, end)))
      read = end + 1
      if ('step' in last) {
        lines.push(last)
        onLine?.(last)
      }
    }
  }
  return {
    raw,
    lines,
    get result() {
      if (!last || !('result' in last)) throw new Error(raw)
      return last.result
    },
    get error() {
      if (!last || !('error' in last)) throw new Error(raw)
      return last.error
    },
  }
}
