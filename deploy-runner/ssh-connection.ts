/** One SSH connection for one call: the host key pinned, every command bounded, everything counted. */

import type { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { NodeSSH } from 'node-ssh'
import type { SshTarget } from './protocol.ts'
import { RunnerFailure } from './runner-failure.ts'

const HANDSHAKE_LIMIT_MS = 20_000
const KEEPALIVE_MS = 10_000
/** A machine that boots refuses connections at once: ask again after this. */
const RETRY_PAUSE_MS = 1_500
const KEPT_OUTPUT_CHARS = 64_000

export interface CommandResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly step: string
  readonly limitMs: number
  readonly stdin?: Readable | string
  readonly onLine?: (line: string) => void
}

export interface SshConnection {
  /** OpenSSH form of the key that the machine showed. */
  readonly hostKey: string
  readonly roundTrips: () => number
  run(command: string, options: CommandOptions): Promise<CommandResult>
  close(): void
}

export interface ConnectOptions {
  readonly target: SshTarget
  readonly privateKey: string
  readonly waitMs: number
  readonly signal: AbortSignal
}

/** @throws {RunnerFailure} unreachable (after `waitMs`), host_key_mismatch, auth_failed */
export async function connect({ target, privateKey, waitMs, signal }: ConnectOptions): Promise<SshConnection> {
  const deadline = Date.now() + waitMs
  while (true) {
    const attempt = await tryConnect(target, privateKey, signal)
    if (!(attempt instanceof RunnerFailure)) return attempt
    if (attempt.code !== 'unreachable' || signal.aborted || Date.now() + RETRY_PAUSE_MS > deadline) throw attempt
    await pause(RETRY_PAUSE_MS, undefined, { signal }).catch(() => undefined)
  }
}

async function tryConnect(
  target: SshTarget,
  privateKey: string,
  signal: AbortSignal,
): Promise<SshConnection | RunnerFailure> {
  const ssh = new NodeSSH()
  let hostKey = ''
  let refusedKey = false
  const abort = () => ssh.dispose()
  signal.addEventListener('abort', abort, { once: true })
  try {
    await ssh.connect({
      host: target.host,
      port: target.port,
      username: target.user,
      privateKey,
      readyTimeout: HANDSHAKE_LIMIT_MS,
      keepaliveInterval: KEEPALIVE_MS,
      keepaliveCountMax: 3,
      hostVerifier: (key: Buffer) => {
        hostKey = describeKey(key)
        refusedKey = target.host_key !== undefined && hostKey !== target.host_key
        return !refusedKey
      },
    })
  } catch (cause) {
    signal.removeEventListener('abort', abort)
    ssh.dispose()
    return describeFailure(cause, refusedKey)
  }
  // What breaks between two commands shows at the next one; without a listener it would end the process.
  ssh.connection?.on('error', () => undefined)
  return new Connected(ssh, hostKey, signal, abort)
}

class Connected implements SshConnection {
  readonly hostKey: string
  readonly #ssh: NodeSSH
  readonly #signal: AbortSignal
  readonly #abort: () => void
  #roundTrips = 0

  constructor(ssh: NodeSSH, hostKey: string, signal: AbortSignal, abort: () => void) {
    this.#ssh = ssh
    this.hostKey = hostKey
    this.#signal = signal
    this.#abort = abort
  }

  roundTrips = () => this.#roundTrips

  async run(command: string, { step, limitMs, stdin, onLine }: CommandOptions): Promise<CommandResult> {
    this.#roundTrips++
    const output = createOutput(onLine)
    const lost = Promise.withResolvers<never>()
    const lose = () => lost.reject(new RunnerFailure('disconnected', step, 'The connection to the machine was cut.'))
    const timer = setTimeout(() => {
      lost.reject(new RunnerFailure('timeout', step, `The step took more than ${limitMs / 1000} s. ${output.tail()}`))
    }, limitMs)
    this.#ssh.connection?.once('close', lose)
    if (this.#signal.aborted) lose()
    try {
      const result = await Promise.race([
        this.#ssh.execCommand(command, {
          ...(stdin === undefined ? {} : { stdin }),
          onStdout: output.stdout,
          onStderr: output.stderr,
        }),
        lost.promise,
      ])
      // No exit code: the channel closed without the command having ended, which is what a cut looks like from here.
      if (result.code === null) throw new RunnerFailure('disconnected', step, 'The connection to the machine was cut.')
      return { code: result.code, stdout: result.stdout, stderr: result.stderr }
    } catch (cause) {
      if (cause instanceof RunnerFailure) throw cause
      throw new RunnerFailure('disconnected', step, 'The connection to the machine was cut.', { cause })
    } finally {
      clearTimeout(timer)
      this.#ssh.connection?.off('close', lose)
      lost.promise.catch(() => undefined)
    }
  }

  close(): void {
    this.#signal.removeEventListener('abort', this.#abort)
    this.#ssh.dispose()
  }
}

function createOutput(onLine?: (line: string) => void) {
  let tail = ''
  let rest = ''
  const keep = (chunk: Buffer) => {
    tail = (tail + chunk.toString('utf8')).slice(-KEPT_OUTPUT_CHARS)
  }
  return {
    tail: () => lastLines(tail),
    stderr: keep,
    stdout: (chunk: Buffer) => {
      keep(chunk)
      const lines = (rest + chunk.toString('utf8')).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) onLine?.(line)
    },
  }
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
