/**
 * Brings the former generation back, where a machine has one, after a deployment that failed. Safe to repeat: the former
 * generation stays until it has answered, so that a cut anywhere leaves the next deployment the same choice.
 *
 * It prints `rolled-back-to=<version>` when the former agent answers again.
 */
import { FORMER_DATABASE_SUFFIX } from '../agent-vm/protocol.ts'
import { FORGET_FORMER, GENERATION_FILES, ON_TRIAL, ROLLED_BACK } from './generation.ts'
import { waitForHealth } from './health-question.ts'
import { MANAGED, VERSION_DIGITS } from './inspect.ts'
import { LAYOUT_SCRIPT, SERVER_USER } from './layout.ts'
import { START_SERVICE, STOP_SERVICE } from './supervision.ts'

export const ROLL_BACK_FILE = 'roll-back.sh'

/** Shell for the installer: whatever fails from here on brings the former generation back, and fails all the same. */
export const ROLL_BACK_ON_FAILURE = `trap 'code=$?; [ $code = 0 ] || sh ./${ROLL_BACK_FILE} || true; exit $code' EXIT`

/**
 * As one transaction on the newer database, because that and what belongs to it beside it cannot be replaced at once. By the
 * server's user, whose file it stays.
 */
const RESTORE_DATABASE = `
const { backup, DatabaseSync } = require("node:sqlite")
const [, former, newer] = process.argv
const source = new DatabaseSync(former)
backup(source, newer).then(() => source.close())`

/**
 * The same for the way in. After the server, which is the greater loss; where Caddy does not take it, it stays marked as not
 * applied, so that the next deployment brings it.
 */
const RESTORE_INGRESS = `
if [ -f "$former/Caddyfile" ] && [ "$(cat "$config/applied-ingress" 2>/dev/null)" != "$(hash_of "$former/Caddyfile")" ]; then
  put_back "$former/Caddyfile" "${MANAGED.Caddyfile}"
  if systemctl reload-or-restart caddy; then hash_of "${MANAGED.Caddyfile}" > "$config/applied-ingress"; fi
fi`

export function rollBackScript(mode: 'systemd' | 'plain', healthLimitMs: number): string {
  const asServer = mode === 'systemd' ? `setpriv --reuid=${SERVER_USER} --regid=${SERVER_USER} --clear-groups --` : ''
  return `set -eu
umask 077
${LAYOUT_SCRIPT}
former="$base/former"
[ -d "$former" ] || exit 0
cd /
echo '@rollback start'
${STOP_SERVICE[mode]}
put_back() {
  [ -f "$1" ] || return 0
  # Never replaced: what is a link to itself cannot be moved over itself.
  [ ! "$1" -ef "$2" ] || return 0
  rm -f "$2.new"
  ln "$1" "$2.new" 2>/dev/null || cp -p "$1" "$2.new"
  mv -f "$2.new" "$2"
}
put_back "$former/node" "$base/bin/node"
if [ ! -f "$former/node" ]; then
  rm -f "$base/bin/node"
  node=$(command -v node || true)
fi
${GENERATION_FILES.map((name) => `put_back "$former/${name}" "${MANAGED[name]}"`).join('\n')}
for kept in "$data"/*.db${FORMER_DATABASE_SUFFIX}; do
  [ -f "$kept" ] || continue
  ${asServer} "$node" --no-warnings -e '${RESTORE_DATABASE}' "$kept" "\${kept%${FORMER_DATABASE_SUFFIX}}"
  rm -f "$kept"
done
${START_SERVICE[mode]}
version=$(hash_of "$base/agent.mjs" | cut -c 1-${VERSION_DIGITS})
${waitForHealth('"$version"', healthLimitMs)} || {
  echo 'the former version does not answer either'
  exit 1
}
${mode === 'systemd' ? RESTORE_INGRESS : ''}
[ ! -f "$former/applied-service" ] || mv -f "$former/applied-service" "$config/applied-service"
[ ! -f ${ON_TRIAL} ] || mv -f ${ON_TRIAL} ${ROLLED_BACK}
${FORGET_FORMER}
echo '@rollback ok'
echo "rolled-back-to=$version"
`
}
