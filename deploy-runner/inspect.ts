/** One round trip that tells everything a deployment depends on: what the machine is, and what of ours is on it already. */
import { z } from 'zod'
import { ASK_HEALTH } from './health-question.ts'
import {
  END_HOLDER_SCRIPT,
  LAYOUT_SCRIPT,
  LOCKED_EXIT_CODE,
  SERVER_USER,
  SERVICE_NAME,
  TAKE_LOCK_SCRIPT,
  TOOL_USER,
} from './layout.ts'
import { RunnerFailure } from './runner-failure.ts'
import { lastLines, type SshConnection } from './ssh-connection.ts'

/** Files of ours that are compared by content, by the name they have in a parcel. */
export const MANAGED = {
  'agent.mjs': '$base/agent.mjs',
  'launch.mjs': '$base/launch.mjs',
  'agent.json': '$config/agent.json',
  'secrets.json': '$config/secrets.json',
  service: '$service',
  Caddyfile: '/etc/caddy/Caddyfile',
} as const
export type ManagedName = keyof typeof MANAGED

const Health = z.object({ status: z.literal('ok'), version: z.string() })

export interface MachineState {
  readonly os: string
  readonly arch: string
  readonly mode: 'systemd' | 'plain'
  readonly home: string
  /** Of the Node that the agent would run on; empty when there is none. */
  readonly nodeVersion: string
  /** The two users of a systemd machine are there. Always true on a plain one. */
  readonly hasUsers: boolean
  readonly hasCaddy: boolean
  readonly caddyRuns: boolean
  /** SHA-256 of each managed file that is there. */
  readonly hashes: Readonly<Partial<Record<ManagedName, string>>>
  readonly templates: string
  /** What the running service and the running Caddy were last known to be good with; written after the fact. */
  readonly appliedService: string
  readonly appliedIngress: string
  /** Version that the running agent reports; absent when it does not answer. */
  readonly runningVersion?: string
}

/** Version of an agent bundle: the first digits of its hash, as the agent itself computes it. */
export const VERSION_DIGITS = 12

export async function inspect(ssh: SshConnection, limitMs: number): Promise<MachineState> {
  const { code, stdout, stderr } = await ssh.run(INSPECT_SCRIPT, {
    step: 'inspect',
    limitMs,
    endWith: END_HOLDER_SCRIPT,
  })
  if (code === LOCKED_EXIT_CODE) throw new RunnerFailure('busy', 'inspect', lastLines(stderr))
  if (code !== 0) {
    const output = lastLines(stderr || stdout)
    throw new RunnerFailure('step_failed', 'inspect', `The machine could not be inspected.\n${output}`)
  }
  const lines = stdout.split('\n')
  const facts = new Map(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
  const health = Health.safeParse(parseJson(facts.get('health') ?? ''))
  const names = Object.keys(MANAGED) as ManagedName[]
  return {
    os: facts.get('os') || 'unknown',
    arch: facts.get('arch') ?? '',
    mode: facts.get('mode') === 'systemd' ? 'systemd' : 'plain',
    home: facts.get('home') ?? '',
    nodeVersion: facts.get('node') ?? '',
    hasUsers: facts.get('users') === 'yes',
    hasCaddy: facts.get('caddy') === 'yes',
    caddyRuns: facts.get('caddy_runs') === 'yes',
    hashes: Object.fromEntries(names.flatMap((name) => (facts.get(name) ? [[name, facts.get(name) ?? '']] : []))),
    templates: facts.get('templates') ?? '',
    appliedService: facts.get('applied_service') ?? '',
    appliedIngress: facts.get('applied_ingress') ?? '',
    ...(health.success ? { runningVersion: health.data.version } : {}),
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const HASH_LINES = Object.entries(MANAGED)
  .map(([name, path]) => `echo "${name}=$(hash_of "${path}")"`)
  .join('\n')

const INSPECT_SCRIPT = `umask 077
${TAKE_LOCK_SCRIPT}
${LAYOUT_SCRIPT}
os=$(. /etc/os-release 2>/dev/null && echo "$PRETTY_NAME")
echo "os=\${os:-$(uname -s)}"
echo "arch=$(uname -m)"
echo "mode=$mode"
echo "home=$HOME"
echo "node=$([ -n "$node" ] && "$node" --version 2>/dev/null)"
${HASH_LINES}
echo "templates=$(cat "$base/templates.sha256" 2>/dev/null)"
echo "applied_service=$(cat "$config/applied-service" 2>/dev/null)"
echo "applied_ingress=$(cat "$config/applied-ingress" 2>/dev/null)"
running=yes
if [ $mode = systemd ]; then
  id ${SERVER_USER} >/dev/null 2>&1 && id ${TOOL_USER} >/dev/null 2>&1 && echo users=yes
  command -v caddy >/dev/null && echo caddy=yes
  systemctl is-active --quiet caddy && echo caddy_runs=yes
  systemctl is-active --quiet ${SERVICE_NAME} || running=
else echo users=yes; fi
if [ -n "$node" ] && [ -n "$running" ] && [ -f "$config/agent.json" ]; then
  echo "health=$(${ASK_HEALTH})"
fi
exit 0
`
