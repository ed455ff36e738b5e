/**
 * How the tool process is started, and as whom.
 *
 * `setpriv` (util-linux) switches the user, takes away every capability and forbids new privileges before anything of ours
 * runs. Without it only root may switch: a server that merely holds CAP_SETUID would hand that on to its tools.
 */
import { accessSync, constants, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { programEntry } from './packed-programs.ts'

export interface ToolUser {
  readonly uid: number
  readonly gid: number
}

export interface Launch {
  readonly command: string
  readonly args: readonly string[]
  readonly uid?: number
  readonly gid?: number
  readonly env: Readonly<Record<string, string>>
  /** One line for the log: what separates the tools from the server. */
  readonly confinement: string
  /** False: the tools can read what the server can read. */
  readonly separateUser: boolean
}

export interface LaunchFacts {
  readonly uid: number
  /** The server holds CAP_SETUID and CAP_SETGID, or is root. */
  readonly maySwitch: boolean
  readonly setpriv: string | undefined
  readonly user: ToolUser | undefined
}

export class ToolUserUnknown extends Error {
  readonly code = 'tool_user_unknown'
  constructor(name: string) {
    super(`TOOL_USER names ${JSON.stringify(name)}, and there is no such user: create it or unset TOOL_USER`)
  }
}

/** Small heap: what tools read is cut anyway. The regexp flag ends patterns that would backtrack for ever. */
const NODE_FLAGS = [
  '--max-semi-space-size=1',
  '--optimize-for-size',
  '--single-threaded-gc',
  '--max-old-space-size=256',
  '--enable-experimental-regexp-engine-on-excessive-backtracks',
  '--no-warnings',
]
/** As for the server. Only pages of the web are large enough to gain by being read with optimized code. */
const NO_COMPILERS = ['--no-opt', '--no-maglev']
const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const SETPRIV_PLACES = ['/usr/bin/setpriv', '/bin/setpriv', '/usr/sbin/setpriv', '/sbin/setpriv']
const CAP_SETGID = 6n
const CAP_SETUID = 7n

export function planLaunch(facts: LaunchFacts, workspacePath: string, entry: readonly string[]): Launch {
  const { uid, maySwitch, setpriv, user } = facts
  const node = [process.execPath, ...NODE_FLAGS, ...entry]
  const env = toolEnvironment(workspacePath)
  const wanted = user !== undefined && user.uid !== uid
  const privileges = ['--no-new-privs', '--inh-caps=-all', '--ambient-caps=-all']
  if (wanted && maySwitch && setpriv) {
    const bounding = uid === 0 ? ['--bounding-set=-all'] : []
    const ids = [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups']
    return {
      command: setpriv,
      args: [...ids, ...privileges, ...bounding, '--', ...node],
      env,
      confinement: `tools run as user ${user.uid}, without capabilities or new privileges`,
      separateUser: true,
    }
  }
  const [command = process.execPath, ...args] = node
  if (wanted && uid === 0) {
    const confinement = `tools run as user ${user.uid}; setpriv is missing, so set-user-id programs still work for them`
    return { command, args, uid: user.uid, gid: user.gid, env, confinement, separateUser: true }
  }
  const why = sameUserReason(facts)
  if (setpriv && uid !== 0) {
    const confinement = `${why} New privileges are forbidden to them.`
    return { command: setpriv, args: ['--no-new-privs', '--', ...node], env, confinement, separateUser: false }
  }
  return { command, args, env, confinement: why, separateUser: false }
}

function sameUserReason({ uid, maySwitch, setpriv, user }: LaunchFacts): string {
  const consequence = 'Tools run as the same user as the server and can read its secrets and memory.'
  if (user === undefined) return `${consequence} TOOL_USER is not set.`
  if (user.uid === uid) return `${consequence} TOOL_USER is the server's own user.`
  if (maySwitch && !setpriv) return `${consequence} setpriv (util-linux) is missing.`
  return `${consequence} The server may not switch users.`
}

/** Nothing of the server's environment goes on to the tools. */
function toolEnvironment(workspacePath: string): Record<string, string> {
  // The runtime's own folder comes last: the agent may use `node` where the machine has none.
  return {
    PATH: `${SYSTEM_PATH}:${dirname(process.execPath)}`,
    HOME: workspacePath,
    LANG: 'C.UTF-8',
    TERM: 'dumb',
  }
}

/** @throws {ToolUserUnknown} a user that was asked for and is not there: running as somebody else would be a surprise */
export function findLaunchFacts(toolUser: string | undefined): LaunchFacts {
  const uid = process.getuid?.() ?? -1
  return {
    uid,
    maySwitch: uid === 0 || holdsSwitchingCapabilities(),
    setpriv: SETPRIV_PLACES.find(isExecutable),
    user: toolUser === undefined ? undefined : findUser(toolUser),
  }
}

function findUser(name: string): ToolUser {
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [login, , uid, gid] = line.split(':')
    if (login === name && uid && gid) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new ToolUserUnknown(name)
}

function holdsSwitchingCapabilities(): boolean {
  if (process.platform !== 'linux') return false
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  if (effective === undefined) return false
  const bits = BigInt(`0x${effective}`)
  return ((bits >> CAP_SETUID) & 1n) === 1n && ((bits >> CAP_SETGID) & 1n) === 1n
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * How this very program is started in its role as tool process: from its sources, or out of the one bundled file.
 * @param web it also reads the web, which takes libraries that are packed apart
 */
export function toolProcessEntry(modulePath: string, { web }: { web: boolean }): readonly string[] {
  if (modulePath.endsWith('.ts')) return [join(dirname(modulePath), 'process', 'run-from-sources.ts')]
  return [...(web ? [] : NO_COMPILERS), ...programEntry(modulePath, web ? 'web' : 'tools')]
}
