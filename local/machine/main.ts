/**
 * One machine as a process: its SSH server, the commands it runs, and what `rc.local` in its home starts at power-on. It is
 * powered off by SIGTERM or when whoever powered it on has gone, and takes everything it started with it.
 *
 * node local/machine/main.ts --home DIR --port N --host-key FILE --authorized-keys FILE --id NAME
 */
import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { startSshServer } from './ssh-server.ts'

const { values } = parseArgs({
  options: {
    home: { type: 'string' },
    port: { type: 'string' },
    'host-key': { type: 'string' },
    'authorized-keys': { type: 'string' },
    id: { type: 'string' },
  },
})
const { home, id } = values
if (!home || !id || !values['host-key'] || !values['authorized-keys'])
  throw new TypeError('--home, --id, --host-key and --authorized-keys are needed')

/** Marks every process of this machine, for where there is no process space to end as a whole. */
const MARKER = `BAAL_MACHINE=${id}`

const environment = {
  // The machine's image has Node: the one we run on.
  PATH: [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin'].join(delimiter),
  BAAL_MACHINE: id,
}
// As an image does at its first start; from then on the keys are the machine's own.
const authorizedKeysFile = join(home, '.ssh', 'authorized_keys')
if (!existsSync(authorizedKeysFile)) {
  mkdirSync(dirname(authorizedKeysFile), { recursive: true, mode: 0o700 })
  copyFileSync(values['authorized-keys'], authorizedKeysFile)
}
const server = await startSshServer({
  port: Number(values.port ?? 0),
  home,
  hostKey: readFileSync(values['host-key'], 'utf8'),
  authorizedKeysFile,
  environment,
})

const rcLocal = join(home, 'rc.local')
if (existsSync(rcLocal)) {
  spawn('/bin/sh', [rcLocal], {
    cwd: home,
    detached: true,
    stdio: 'ignore',
    env: { ...environment, HOME: home, LANG: 'C.UTF-8' },
  }).unref()
}
console.log(JSON.stringify({ ready: { port: server.port } }))

process.on('SIGTERM', powerOff)
process.on('SIGINT', powerOff)
// The pipe ends when the one who powered us on is gone, however it went.
process.stdin.on('end', powerOff)
process.stdin.on('error', powerOff)
process.stdin.resume()

function powerOff(): void {
  for (const pid of ownProcesses()) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It ended by itself in the meantime.
    }
  }
  process.exit(0)
}

/** Inside bubblewrap everything ends with us anyway; elsewhere the marker in their environment finds them. */
function ownProcesses(): number[] {
  if (!existsSync('/proc/self/environ')) return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => isMarked(`/proc/${name}/environ`))
    .map(Number)
}

function isMarked(path: string): boolean {
  try {
    return readFileSync(path, 'latin1').split('\0').includes(MARKER)
  } catch {
    return false
  }
}
