/** One SSH connection for one call: the host key pinned, every command bounded, everything counted. */
import type { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { NodeSSH } from 'node-ssh'
import type { RunnerLimits } from './limits.ts'
import type { SshTarget } from './protocol.ts'
import { RunnerFailure } from './runner-failure.ts'

const KEEPALIVE_MS = 10_000
const END_LIMIT_MS = 5_000
/** A machine that boots refuses connections at once: ask again after this. */
const RETRY_PAUSE_MS = 1_500
/** What a command prints beyond this is its problem: only the end is kept. */
const KEPT_OUTPUT_CHARS = 64_000

export interface CommandResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  /** Where an error belongs; a function where that changes while the command runs. */
  readonly step: string | (() => string)
  readonly limitMs?: number
  /** Ends the command with its reason, which is a `RunnerFailure`. */
  readonly signal?: AbortSignal
  readonly stdin?: Readable
  readonly onLine?: (line: string) => void
  /** Run when it has taken too long: left to itself, what hangs would go on holding the machine's lock. */
  readonly endWith?: string
}

export interface SshConnection {
  /** OpenSSH form of the key that the machine showed. */
  readonly hostKey: string
  readonly roundTrips: () => number
  /** @throws {RunnerFailure} disconnected, timeout; not for an exit code */
  run(command: string, options: CommandOptions): Promise<CommandResult>
  close(): void
}

export interface ConnectOptions {
  readonly target: SshTarget
  /** Tried in this order. */
  readonly privateKeys: readonly string[]
  readonly waitMs: number
  readonly limits: RunnerLimits
  readonly signal: AbortSignal
}

/** @throws {RunnerFailure} unreachable (after `waitMs`), host_key_mismatch, auth_failed */
export async function connect(options: ConnectOptions): Promise<SshConnection> {
  const { waitMs, limits, signal } = options
  const startedAt = Date.now()
  const waits: Readonly<Record<string, number>> = { unreachable: waitMs, auth_failed: Math.min(waitMs, limits.keysMs) }
  while (true) {
    const attempt = await tryKeys(options)
    if (!(attempt instanceof RunnerFailure)) return attempt
    const until = startedAt + (waits[attempt.code] ?? 0)
    if (signal.aborted || Date.now() + RETRY_PAUSE_MS > until) throw attempt
    await pause(RETRY_PAUSE_MS, undefined, { signal }).catch(() => undefined)
  }
}

async function tryKeys(options: ConnectOptions): Promise<SshConnection | RunnerFailure> {
  let attempt: SshConnection | RunnerFailure | undefined
  for (const privateKey of options.privateKeys) {
    attempt = await tryConnect(options, privateKey)
    if (!(attempt instanceof RunnerFailure) || attempt.code !== 'auth_failed') return attempt
  }
  return attempt ?? new RunnerFailure('auth_failed', 'connect', 'There is no key to try.')
}

async function tryConnect(
  { target, limits, signal }: ConnectOptions,
  privateKey: string,
): Promise<SshConnection | RunnerFailure> {
  if (signal.aborted) return new RunnerFailure('unreachable', 'connect', 'The caller has left.')
  const ssh = new NodeSSH()
  let hostKey = ''
  let refusedKey = false
  const aborted = Promise.withResolvers<never>()
  const abort = () => {
    ssh.dispose()
    aborted.reject(new Error('the caller has left'))
  }
  aborted.promise.catch(() => undefined)
  signal.addEventListener('abort', abort, { once: true })
  try {
    const connecting = ssh.connect({
      host: target.host,
      port: target.port,
      username: target.user,
      privateKey,
      readyTimeout: limits.handshakeMs,
      keepaliveInterval: KEEPALIVE_MS,
      keepaliveCountMax: 3,
      hostVerifier: (key: Buffer) => {
        hostKey = describeKey(key)
        refusedKey = target.host_key !== undefined && hostKey !== target.host_key
        return !refusedKey
      },
    })
    connecting.catch(() => undefined)
    // Many small packets that wait for each other: a delayed acknowledgement is 40 ms each time.
    ssh.connection?.setNoDelay(true)
    await Promise.race([connecting, aborted.promise])
  } catch (cause) {
    signal.removeEventListener('abort', abort)
    ssh.dispose()
    return describeFailure(cause, refusedKey)
  }
  return new Connected(ssh, hostKey, signal, abort)
}

class Connected implements SshConnection {
  readonly hostKey: string
  readonly #ssh: NodeSSH
  readonly #signal: AbortSignal
  readonly #abort: () => void
  #roundTrips = 0
  #lastError: Error | undefined

  constructor(ssh: NodeSSH, hostKey: string, signal: AbortSignal, abort: () => void) {
    this.#ssh = ssh
    this.hostKey = hostKey
    this.#signal = signal
    this.#abort = abort
    // A reset connection is an `error` event of the client; commands see the `close` that follows it.
    ssh.connection?.on('error', (error) => {
      this.#lastError = error
    })
  }

  roundTrips = () => this.#roundTrips

  async run(
    command: string,
    { step, limitMs, signal, stdin, onLine, endWith }: CommandOptions,
  ): Promise<CommandResult> {
    this.#roundTrips++
    const output = keepOutput(onLine)
    const stepName = () => (typeof step === 'string' ? step : step())
    const cut = (cause: unknown = this.#lastError) => {
      const why = cause instanceof Error ? ` (${cause.message})` : ''
      const text = [`The connection to the machine was cut${why}.`, output.tail()].filter(Boolean).join('\n')
      return new RunnerFailure('disconnected', stepName(), text, { cause })
    }
    const stopped = Promise.withResolvers<never>()
    stopped.promise.catch(() => undefined)
    const lose = () => stopped.reject(cut())
    let givenUp = false
    const giveUp = async ({ code, step: at, message }: RunnerFailure) => {
      givenUp = true
      if (endWith !== undefined) await this.#end(endWith)
      stopped.reject(new RunnerFailure(code, at, [message, output.tail()].filter(Boolean).join('\n')))
    }
    const overdue = () => giveUp(signal?.reason instanceof RunnerFailure ? signal.reason : cut(signal?.reason))
    const tooLong = () => giveUp(tookTooLong(stepName(), limitMs ?? 0))
    const timer = limitMs === undefined ? undefined : setTimeout(tooLong, limitMs)
    signal?.addEventListener('abort', overdue, { once: true })
    this.#ssh.connection?.once('close', lose)
    if (this.#signal.aborted) lose()
    // A source that ends early would leave the command waiting for the rest.
    stdin?.once('error', (error) => stopped.reject(cut(error)))
    try {
      const running = this.#ssh.execCommand(command, {
        ...(stdin === undefined ? {} : { stdin }),
        onChannel: (channel) => channel.on('error', () => undefined),
        onStdout: output.stdout,
        onStderr: output.stderr,
      })
      running.catch(() => undefined)
      const { code, signal: killedBy } = await Promise.race([running, stopped.promise])
      // It ended because it was ended: the reason for that is the one to tell.
      if (givenUp) await stopped.promise
      const { stdout, stderr } = output.kept()
      if (killedBy !== null) return { code: 128, stdout, stderr: `${stderr}\nended by ${killedBy}` }
      // No exit code: the channel closed without the command having ended, which is what a cut looks like from here.
      if (code === null) throw cut()
      return { code, stdout, stderr }
    } catch (cause) {
      throw cause instanceof RunnerFailure ? cause : cut(cause)
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', overdue)
      this.#ssh.connection?.off('close', lose)
      stdin?.destroy()
    }
  }

  /** Beside what hangs, on the same connection; whether or not it helps, the caller gets its answer soon. */
  async #end(command: string): Promise<void> {
    this.#roundTrips++
    const enough = new AbortController()
    const ending = this.#ssh.execCommand(command).catch(() => undefined)
    await Promise.race([ending, pause(END_LIMIT_MS, undefined, { signal: enough.signal }).catch(() => undefined)])
    enough.abort()
  }

  close(): void {
    this.#signal.removeEventListener('abort', this.#abort)
    this.#ssh.dispose()
  }
}

function keepOutput(onLine?: (line: string) => void) {
  let stdout = ''
  let stderr = ''
  let rest = ''
  const grow = (kept: string, chunk: Buffer) => (kept + chunk.toString('utf8')).slice(-KEPT_OUTPUT_CHARS)
  return {
    kept: () => ({ stdout, stderr }),
    tail: () => lastLines(`${stdout}\n${stderr}`.replace(/^@\w+ \w+$\n?/gm, '')),
    stderr: (chunk: Buffer) => {
      stderr = grow(stderr, chunk)
    },
    stdout: (chunk: Buffer) => {
      stdout = grow(stdout, chunk)
      const lines = (rest + chunk.toString('utf8')).split('\n')
      rest = (lines.pop() ?? '').slice(-KEPT_OUTPUT_CHARS)
      for (const line of lines) onLine?.(line)
    },
  }
}

export function tookTooLong(step: string, limitMs: number): RunnerFailure {
  return new RunnerFailure('timeout', step, `The step took more than ${Math.round(limitMs / 1000)} s.`)
}

/** The end of what a command printed: enough to see what went wrong. */
export function lastLines(output: string, count = 12): string {
  return output.trim().split('\n').slice(-count).join('\n').slice(-2_000)
}

/** An SSH key blob begins with the length and name of its type (RFC 4253, 6.6). */
function describeKey(blob: Buffer): string {
  const length = blob.readUInt32BE(0)
  return `${blob.subarray(4, 4 + length).toString('latin1')} ${blob.toString('base64')}`
}

function describeFailure(cause: unknown, refusedKey: boolean): RunnerFailure {
  const message = cause instanceof Error ? cause.message : String(cause)
  if (refusedKey) {
    return new RunnerFailure(
      'host_key_mismatch',
      'connect',
      'Another machine answers at this address: its host key differs. Nothing was sent.',
      { cause },
    )
  }
  if (/authentication methods failed/i.test(message)) {
    return new RunnerFailure('auth_failed', 'connect', 'The machine does not accept our SSH key.', { cause })
  }
  return new RunnerFailure('unreachable', 'connect', `SSH does not answer: ${message}`, { cause })
}
