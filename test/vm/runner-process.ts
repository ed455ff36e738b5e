/** The real deploy-runner, laid out and run as in its container (one file, no root), and signed calls to it. */
import { generateKeyPairSync } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildAgentBundle } from '../../agent-vm/bundle.ts'
import { versionOf } from '../../agent-vm/version.ts'
import { buildRunner } from '../../deploy-runner/build.ts'
import { type MachineReport, type ProgressLine, type RunnerError, RunnerLine } from '../../deploy-runner/protocol.ts'
import { sendSigned } from '../../functions/provision/sign-call.ts'
import { startProcess } from '../../local/child-process.ts'
import { freePort } from '../../local/sqld.ts'

/** As in the Dockerfile. */
const RUNNER_UID = '10001'

export interface Answer {
  readonly raw: string
  readonly lines: readonly ProgressLine[]
  readonly result?: MachineReport
  readonly error?: RunnerError
}

export interface RunnerProcess {
  readonly agentVersion: string
  /** As the Worker is configured for it. */
  readonly variables: { readonly DEPLOY_RUNNER_URL: string; readonly WORKER_SIGNING_KEY: string }
  call(path: string, body: object, onLine?: (line: ProgressLine) => void): Promise<Answer>
  output(): string
  stop(): Promise<void>
}

export interface RunnerOptions {
  readonly sshPrivateKey: string
  readonly packedRuntime: string
  /** Makes another version of the agent. */
  readonly alter?: (bundle: string) => string
}

export async function startRunner({ sshPrivateKey, packedRuntime, alter }: RunnerOptions): Promise<RunnerProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'baal-vm-runner-'))
  await chmod(folder, 0o755)
  const bundle = join(folder, 'built-agent.mjs')
  await buildAgentBundle(bundle)
  if (alter) await writeFile(bundle, alter(await readFile(bundle, 'utf8')))
  const runnerFolder = join(folder, 'runner')
  await buildRunner(runnerFolder, { runtime: process.execPath, packedRuntime, bundle })
  const signing = generateKeyPairSync('ed25519')
  const signingKey = JSON.stringify(signing.privateKey.export({ format: 'jwk' }))
  const port = await freePort()
  const printed: string[] = []
  const listening = Promise.withResolvers<void>()
  const runner = startProcess({
    name: 'runner',
    command: 'setpriv',
    args: [
      ...[`--reuid=${RUNNER_UID}`, `--regid=${RUNNER_UID}`, '--clear-groups', '--no-new-privs', '--pdeathsig', 'KILL'],
      ...[join(runnerFolder, 'node'), join(runnerFolder, 'runner.mjs')],
    ],
    cwd: '/',
    env: {
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PORT: String(port),
      SSH_PRIVATE_KEY: sshPrivateKey,
      WORKER_PUBLIC_KEY: JSON.stringify(signing.publicKey.export({ format: 'jwk' })),
      AGENT_BUNDLE: join(runnerFolder, 'agent.mjs'),
      WORKSPACE_TEMPLATES: join(runnerFolder, 'workspace'),
      NODE_RUNTIME: join(runnerFolder, 'node'),
    },
    onLine: (line) => {
      printed.push(line)
      if (line.includes('"listening"')) listening.resolve()
    },
  })
  void runner.ended.then(() => listening.reject(new Error(`the runner ended:\n${runner.lastOutput()}`)))
  await listening.promise
  return {
    agentVersion: versionOf(await readFile(bundle)),
    variables: { DEPLOY_RUNNER_URL: `http://127.0.0.1:${port}`, WORKER_SIGNING_KEY: signingKey },
    async call(path, body, onLine) {
      const text = JSON.stringify(body)
      const response = await sendSigned({ signingKey, body: text }, (authorization) =>
        fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body: text, headers: { authorization } }),
      )
      if (!response.ok || !response.body) throw new Error(`${path}: ${response.status}`)
      return readAnswer(response.body, onLine)
    },
    output: () => printed.join('\n'),
    stop: async () => {
      await runner.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function readAnswer(body: ReadableStream<Uint8Array>, onLine?: (line: ProgressLine) => void): Promise<Answer> {
  let raw = ''
  let rest = ''
  const lines: ProgressLine[] = []
  let last: Pick<Answer, 'result' | 'error'> = {}
  const decoder = new TextDecoder()
  for await (const chunk of body) {
    const text = decoder.decode(chunk, { stream: true })
    raw += text
    const parts = (rest + text).split('\n')
    rest = parts.pop() ?? ''
    for (const part of parts) {
      const line = RunnerLine.parse(JSON.parse(part))
      if ('result' in line || 'error' in line) last = line
      else {
        lines.push(line)
        onLine?.(line)
      }
    }
  }
  return { raw, lines, ...last }
}
