/**
 * How a local machine is kept apart from the computer it runs on: bubblewrap with a process space of its own, the system
 * read-only and nothing of the person's files, where it is installed and allowed; nothing otherwise, and then we say so.
 */
import { execFile } from 'node:child_process'
import { existsSync, lstatSync, readlinkSync } from 'node:fs'
import { promisify } from 'node:util'

const run = promisify(execFile)
const PROBE_LIMIT_MS = 5_000

/** What programs need of `/etc`, and nothing that names users or keys of this computer beyond the usual. */
const ETC = [
  'alternatives',
  'ca-certificates',
  'group',
  'hosts',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'localtime',
  'mime.types',
  'nsswitch.conf',
  'passwd',
  'pki',
  'resolv.conf',
  'ssl',
  'terminfo',
].map((name) => `/etc/${name}`)

export interface Confinement {
  readonly confined: boolean
  /** For the terminal of `npm start`. */
  readonly line: string
}

export async function describeConfinement(): Promise<Confinement> {
  return (await canConfine())
    ? { confined: true, line: 'local folders behind SSH, each confined by bubblewrap' }
    : {
        confined: false,
        line: 'local folders behind SSH, NOT confined: agents run commands as you (install bubblewrap to confine them)',
      }
}

export async function canConfine(): Promise<boolean> {
  if (process.platform !== 'linux') return false
  try {
    await run('bwrap', [...systemMounts(), 'true'], { timeout: PROBE_LIMIT_MS })
    return true
  } catch {
    return false
  }
}

/**
 * @param writable the only place that can be written to, under the same path inside as outside so that files stay valid
 *   when bubblewrap comes or goes between two starts
 * @param readable further paths to show, read-only
 */
export function confinedCommand(
  command: readonly string[],
  { writable, readable }: { writable: string; readable: readonly string[] },
): readonly string[] {
  const shown = readable.filter((path) => existsSync(path)).flatMap((path) => ['--ro-bind', path, path])
  return ['bwrap', ...systemMounts(), ...shown, '--bind', writable, writable, '--chdir', writable, ...command]
}

function systemMounts(): string[] {
  const roots = ['/bin', '/sbin', '/lib', '/lib32', '/lib64'].flatMap((path) => {
    if (!existsSync(path)) return []
    return lstatSync(path).isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path]
  })
  const etc = ETC.filter((path) => existsSync(path)).flatMap((path) => ['--ro-bind', path, path])
  return [
    ...['--die-with-parent', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--hostname', 'baal-machine'],
    ...['--ro-bind', '/usr', '/usr', ...roots, ...etc],
    ...['--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp', '--tmpfs', '/run'],
  ]
}
