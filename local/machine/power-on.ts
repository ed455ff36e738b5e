/** Powers a local machine on: a folder that a real SSH server gives access to, in a process (and, if possible, space) of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ssh2 from 'ssh2'
import { z } from 'zod'
import { generateSshKeyPair } from '../../deploy-runner/ssh-key-pair.ts'
import { canConfine, confinedCommand } from './confinement.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const MAIN = fileURLToPath(new URL('main.ts', import.meta.url))
const POWER_ON_LIMIT_MS = 20_000
const POWER_OFF_LIMIT_MS = 3_000

const Ready = z.object({ ready: z.object({ port: z.int() }) })

export interface PowerOnOptions {
  /** Names the machine's processes. */
  readonly id: string
  /** Everything of the machine: `home/` for it to write to, its keys beside. */
  readonly folder: string
  /** 0 takes a free one. */
  readonly sshPort?: number
  readonly authorizedKeys: readonly string[]
  /** False never confines, true insists; by default as this computer allows. */
  readonly confine?: boolean
}

export interface LocalMachine {
  readonly sshPort: number
  /** OpenSSH public host key without comment. */
  readonly hostKey: string
  readonly home: string
  readonly confined: boolean
  /** Resolves when it has gone down, by itself or by `powerOff`. */
  readonly down: Promise<void>
  powerOff(): Promise<void>
}

export class PowerOnFailed extends Error {
  readonly code = 'power_on_failed'
}

/** @throws {PowerOnFailed} with what the machine printed */
export async function powerOn(options: PowerOnOptions): Promise<LocalMachine> {
  const home = join(options.folder, 'home')
  await mkdir(home, { recursive: true })
  const hostKeyFile = join(options.folder, 'host_key')
  const hostKey = await ensureHostKey(hostKeyFile)
  const authorizedKeysFile = join(options.folder, 'authorized_keys')
  await writeFile(authorizedKeysFile, options.authorizedKeys.join('\n'))
  const confined = options.confine ?? (await canConfine())
  const command = [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    MAIN,
    ...['--home', home, '--port', String(options.sshPort ?? 0), '--id', options.id],
    ...['--host-key', hostKeyFile, '--authorized-keys', authorizedKeysFile],
  ]
  const readable = [
    join(ROOT, 'node_modules'),
    join(ROOT, 'package.json'),
    dirname(MAIN),
    dirname(process.execPath),
    hostKeyFile,
    authorizedKeysFile,
  ]
  const [program = '', ...args] = confined ? confinedCommand(command, { writable: home, readable }) : command
  // Of our own environment the machine sees nothing but what its programs need to be found.
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH },
    detached: true,
  })
  const down = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  const sshPort = await readyPort(child)
  return { sshPort, hostKey, home, confined, down, powerOff: () => powerOff(child, down) }
}

async function ensureHostKey(file: string): Promise<string> {
  if (!existsSync(file)) {
    await writeFile(file, generateSshKeyPair().private, { mode: 0o600 })
  }
  const key = ssh2.utils.parseKey(await readFile(file))
  if (key instanceof Error || Array.isArray(key)) throw new PowerOnFailed('the host key is damaged')
  return `${key.type} ${key.getPublicSSH().toString('base64')}`
}

function readyPort(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let printed = ''
    const timer = setTimeout(() => fail('was not up in time'), POWER_ON_LIMIT_MS)
    const fail = (why: string) => {
      clearTimeout(timer)
      child.kill('SIGKILL')
      reject(new PowerOnFailed(`the machine ${why}: ${printed.slice(-2000)}`))
    }
    const read = (chunk: Buffer) => {
      printed += chunk
      const line = printed.split('\n').find((candidate) => candidate.startsWith('{"ready"'))
      if (!line) return
      clearTimeout(timer)
      resolve(Ready.parse(JSON.parse(line)).ready.port)
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', (chunk: Buffer) => {
      printed = `${printed}${chunk}`.slice(-20_000)
    })
    child.once('error', (error) => fail(`could not be started (${error.message})`))
    child.once('exit', (code) => fail(`ended with ${code}`))
  })
}

async function powerOff(child: ChildProcess, down: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  // Its end of this pipe tells the machine to go down; bubblewrap itself does not pass SIGTERM on.
  child.stdin?.end()
  const timer = setTimeout(() => {
    if (child.pid) process.kill(-child.pid, 'SIGKILL')
  }, POWER_OFF_LIMIT_MS)
  await down
  clearTimeout(timer)
}
