/** Calls to the deploy-runner: signed for one minute, one use and one body; answers read line by line as they come. */
import {
  type MachineReport,
  type ProgressLine,
  type RunnerError,
  RunnerHealth,
  RunnerLine,
} from '../../deploy-runner/protocol.ts'
import type { Bindings } from '../bindings.ts'
import type { Config } from '../config.ts'
import { ProvisionFailure } from './provision-failure.ts'
import type { Runner } from './provision-ports.ts'
import { sendSigned } from './sign-call.ts'

/** The longest call: a bare machine that still boots. */
const CALL_LIMIT_MS = 25 * 60_000
const HEALTH_LIMIT_MS = 5_000
const MAX_LINE_CHARS = 64_000

export type RunnerCall = 'probe' | 'prepare' | 'deploy' | 'wipe' | 'settle' | 'rekey'

export function openRunner(ports: { config: Config; env: Bindings }): Runner {
  return {
    probe: (request) => callRunner(ports, 'probe', request),
    prepare: (request) => callRunner(ports, 'prepare', request),
    deploy: (request, onStep) =>
      callRunner(ports, 'deploy', request, ({ step, status }) => {
        if (status === 'start') onStep(step)
      }),
    wipe: (request) => callRunner(ports, 'wipe', request),
    settle: (request) => callRunner(ports, 'settle', request),
  }
}

/** @throws {ProvisionFailure} with the runner's own code, or `runner_unreachable` */
export async function callRunner(
  ports: { config: Config; env: Bindings },
  call: RunnerCall,
  request: object,
  onProgress: (line: ProgressLine) => void = () => undefined,
): Promise<MachineReport> {
  const body = JSON.stringify(request)
  let response: Response
  try {
    response = await sendSigned({ signingKey: ports.config.WORKER_SIGNING_KEY, body }, (authorization) =>
      runnerFetch(ports, `/machines/${call}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization },
        body,
        signal: AbortSignal.timeout(CALL_LIMIT_MS),
      }),
    )
  } catch (cause) {
    throw new ProvisionFailure('runner_unreachable', 'the deploy-runner does not answer', { cause })
  }
  if (response.status === 404) throw new ProvisionFailure('runner_outdated', `the deploy-runner does not know ${call}`)
  if (response.status === 401)
    throw new ProvisionFailure('runner_unreachable', 'the deploy-runner refuses our signature: keys or clocks differ')
  if (!response.ok || !response.body)
    throw new ProvisionFailure('runner_unreachable', `the deploy-runner answered ${response.status}`)
  for await (const line of runnerLines(response.body)) {
    if ('result' in line) return line.result
    if ('error' in line) throw failureOf(line.error)
    onProgress(line)
  }
  throw new ProvisionFailure('disconnected', 'the deploy-runner ended without a result')
}

/** With `rolled_back` the agent runs again with what it had: neither another try nor another machine would help. */
function failureOf({ code, step, message, rolled_back_to: version }: RunnerError): ProvisionFailure {
  return version
    ? new ProvisionFailure('rolled_back', `${code} at ${step}, version ${version} runs again: ${message}`)
    : new ProvisionFailure(code, `${step}: ${message}`)
}

export async function runnerHealth(config: Config, env: Bindings): Promise<RunnerHealth> {
  const response = await runnerFetch({ config, env }, '/health', { signal: AbortSignal.timeout(HEALTH_LIMIT_MS) })
  return RunnerHealth.parse(await response.json())
}

async function runnerFetch(
  { config, env }: { config: Config; env: Bindings },
  path: string,
  init: RequestInit,
): Promise<Response> {
  if (config.DEPLOY_RUNNER_URL) return fetch(new URL(path, config.DEPLOY_RUNNER_URL), init)
  if (!env.RUNNER)
    throw new ProvisionFailure('runner_unreachable', 'neither DEPLOY_RUNNER_URL nor a container is configured')
  return env.RUNNER.getByName(await containerName(config)).fetch(new Request(`http://runner${path}`, init))
}

/** A container keeps the keys that it was started with: with other keys it is another container. */
async function containerName({ WORKER_SIGNING_KEY, ALEPH_SSH_PUBKEY }: Config): Promise<string> {
  const { x } = JSON.parse(WORKER_SIGNING_KEY)
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(`${x} ${ALEPH_SSH_PUBKEY}`))
  const digits = [...new Uint8Array(hash).subarray(0, 6)].map((byte) => byte.toString(16).padStart(2, '0'))
  return `deploy-runner-${digits.join('')}`
}

/** Lines of a kind that this Worker does not know are skipped: the runner may be newer. */
export async function* runnerLines(body: ReadableStream<Uint8Array>): AsyncGenerator<RunnerLine> {
  const decoder = new TextDecoder()
  let open: string[] = []
  let openChars = 0
  for await (const chunk of body) {
    const parts = decoder.decode(chunk, { stream: true }).split('\n')
    for (const [index, part] of parts.entries()) {
      open.push(part)
      openChars += part.length
      if (openChars > MAX_LINE_CHARS)
        throw new ProvisionFailure('disconnected', 'the deploy-runner sent an endless line')
      if (index === parts.length - 1) break
      const parsed = RunnerLine.safeParse(parseJson(open.join('')))
      open = []
      openChars = 0
      if (parsed.success) yield parsed.data
    }
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
