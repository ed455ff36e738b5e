/** Where things lie on a machine. Shell variables, because only the machine knows its mode and home when a script begins. */

/**
 * Sets `mode`, and for it: `base` programs, `config` settings and secrets, `data` the server's own, `workspace` the agent's.
 * `systemd`: users `baal` (server) and `baal-tools` (tools), sharing the workspace by the group `baal-files`. `plain`: all in
 * the home, one user.
 */
export const LAYOUT_SCRIPT = `
if [ "$(id -u)" = 0 ] && [ -d /run/systemd/system ]; then
  mode=systemd base=/opt/baal config=/etc/baal data=/var/lib/baal workspace=/srv/baal/workspace
  service=/etc/systemd/system/baal-agent.service
  node=/opt/baal/bin/node
else
  mode=plain base="$HOME/baal" config="$HOME/baal/config" data="$HOME/baal/data" workspace="$HOME/baal/workspace"
  service="$HOME/baal/supervise.sh"
  node="$base/bin/node"
  [ -x "$node" ] || node=$(command -v node || true)
fi
hash_of() { if [ -f "$1" ]; then (sha256sum "$1" 2>/dev/null || shasum -a 256 "$1") | cut -d ' ' -f 1; fi; }
`

export const AGENT_PORT = 8080
export const SERVICE_NAME = 'baal-agent'
export const SERVER_USER = 'baal'
export const TOOL_USER = 'baal-tools'
export const FILES_GROUP = 'baal-files'

/** What an installer that found another one at work ends with (sysexits: EX_TEMPFAIL). */
export const LOCKED_EXIT_CODE = 75
const LOCK_WAIT_S = 100

/**
 * Held by whoever changes the machine. A caller whose connection was cut may have left an installer behind that still runs:
 * the next call looks at the machine only when that has ended, so this stands before the layout, which looks too. Released with
 * the shell; where there is no `flock`, not taken.
 */
export const TAKE_LOCK_SCRIPT = `
if command -v flock >/dev/null; then
  exec 9>> "$HOME/.baal-lock"
  flock -w ${LOCK_WAIT_S} 9 || { echo 'another installation is at work on this machine' >&2; exit ${LOCKED_EXIT_CODE}; }
  echo $$ > "$HOME/.baal-lock"
fi
`

/** Ends who holds the lock, with all it started: sshd makes what it runs the leader of a group. Only for one's own hanging command. */
export const END_HOLDER_SCRIPT = 'kill -s TERM -- "-$(cat "$HOME/.baal-lock")"'
