/** A real SSH server for one machine: public keys only, commands run by `sh` in the machine's home with a clean environment. */
import { spawn } from 'node:child_process'
import { timingSafeEqual } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import ssh2, { type AuthContext, type Connection, type ServerChannel } from 'ssh2'

/** How long a command's output may still come after it has ended. */
const DRAIN_MS = 1_000

export interface SshServerOptions {
  readonly port: number
  readonly home: string
  /** OpenSSH private key. */
  readonly hostKey: string
  /** As sshd does, read anew for each login: one OpenSSH public key a line; what is none lets nobody in. */
  readonly authorizedKeysFile: string
  readonly environment: Readonly<Record<string, string>>
}

export interface SshServer {
  readonly port: number
  close(): Promise<void>
}

export async function startSshServer(options: SshServerOptions): Promise<SshServer> {
  const connections = new Set<Connection>()
  const server = new ssh2.Server({ hostKeys: [options.hostKey] }, (client) => {
    connections.add(client)
    // The types do not know it. An acknowledgement that is waited for comes 40 ms late otherwise.
    ;(client as Connection & { setNoDelay(on: boolean): void }).setNoDelay(true)
    client.on('authentication', (context) => authenticate(context, options.authorizedKeysFile))
    client.on('session', (accept) => {
      const session = accept()
      session.on('exec', (acceptExec, _reject, { command }) => execute(command, acceptExec(), options))
    })
    client.on('close', () => connections.delete(client))
    // A peer that resets its connection is an ordinary end.
    client.on('error', () => client.end())
  })
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  server.once('error', reject)
  server.listen(options.port, '127.0.0.1', () => resolve(listeningPort(server)))
  return {
    port: await promise,
    close: () =>
      new Promise((done) => {
        for (const client of connections) client.end()
        server.close(() => done())
      }),
  }
}

function listeningPort(server: ssh2.Server): number {
  const address = server.address()
  return address && typeof address === 'object' ? address.port : 0
}

function authenticate(context: AuthContext, authorizedKeysFile: string): void {
  if (isAllowed(context, readKeys(authorizedKeysFile))) context.accept()
  else context.reject(['publickey'])
}

function readKeys(file: string): ssh2.ParsedKey[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n')
  const keys = lines.filter((line) => line.trim() !== '').map((line) => ssh2.utils.parseKey(line))
  return keys.flatMap((key) => (key instanceof Error ? [] : key))
}

function isAllowed(context: AuthContext, allowed: readonly ssh2.ParsedKey[]): boolean {
  if (context.method !== 'publickey') return false
  const key = allowed.find((candidate) => equal(candidate.getPublicSSH(), context.key.data))
  if (!key || context.key.algo !== key.type) return false
  // Without a signature the client only asks whether this key would do.
  if (!context.signature || !context.blob) return true
  return key.verify(context.blob, context.signature, context.hashAlgo) === true
}

function equal(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

function execute(command: string, channel: ServerChannel, { home, environment }: SshServerOptions): void {
  const child = spawn('/bin/sh', ['-c', command], {
    cwd: home,
    // A session of its own: what outlives the command is not tied to this connection, as with a real sshd.
    detached: true,
    env: { ...environment, HOME: home, USER: userInfo().username, LANG: 'C.UTF-8' },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  channel.pipe(child.stdin)
  child.stdout.pipe(channel, { end: false })
  child.stderr.pipe(channel.stderr, { end: false })
  // The command may end without reading all it was given, and the client may go while it still prints.
  child.stdin.on('error', () => child.stdin.destroy())
  channel.on('error', () => channel.destroy())
  // As sshd does: what still prints when nobody listens any more is told so.
  channel.once('close', () => {
    child.stdout.destroy()
    child.stderr.destroy()
  })
  child.once('error', () => finish(channel, 126))
  child.once('close', (code, signal) => finish(channel, code ?? 128, signal ?? undefined))
  // Background jobs may hold the pipes open for ever: what was printed by then is all that is waited for.
  child.once('exit', (code, signal) => {
    setTimeout(() => finish(channel, code ?? 128, signal ?? undefined), DRAIN_MS).unref()
  })
}

function finish(channel: ServerChannel, code: number, signal?: NodeJS.Signals): void {
  if (channel.destroyed || channel.writableEnded) return
  if (signal) channel.exit(signal.replace(/^SIG/, ''))
  else channel.exit(code)
  channel.end()
}
