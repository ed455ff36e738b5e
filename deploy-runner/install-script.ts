/**
 * The installer: runs on the machine inside the folder that the tar stream was unpacked into. Every file is put aside and
 * renamed, so that a cut at any point leaves old or new, never half.
 *
 * It prints `@<step> start|ok|skip`; everything else is for the error message. No secret is ever an argument.
 */
import { FILES_GROUP, LAYOUT_SCRIPT, SERVER_USER, TAKE_LOCK_SCRIPT, TOOL_USER } from './layout.ts'
import type { PlannedRollBack, PlannedStep } from './parcel.ts'
import { ROLL_BACK_ON_FAILURE } from './roll-back-script.ts'

export function installScript(
  steps: readonly PlannedStep[],
  mode: 'systemd' | 'plain',
  rollBack: PlannedRollBack | undefined,
): string {
  const guard = rollBack ? [rollBack.keep, ROLL_BACK_ON_FAILURE] : []
  const blocks = steps.flatMap(({ name, work }) => {
    const block = work ? `echo '@${name} start'\n${work.script.trim()}\necho '@${name} ok'` : `echo '@${name} skip'`
    // Folders belong to users, which are there only after their step.
    return name === 'users' ? [block, mode === 'systemd' ? SYSTEM_FOLDERS : HOME_FOLDERS, ...guard] : [block]
  })
  return `set -eu
umask 077
cd "$(dirname "$0")"
${LAYOUT_SCRIPT}
${mode === 'systemd' ? PLACE_AS_ROOT : PLACE}
${blocks.join('\n')}
${rollBack?.conclude ?? ''}`
}

/** How long the installer may run at all, also after its caller has gone. */
const INSTALLER_LIMIT_S = 20 * 60

/**
 * Takes the tar stream on its input. The staging folder is the caller's alone, holds the secrets until they are in place, and
 * goes in any case; what a machine that lost its power left behind, the next try removes.
 */
export const RECEIVE_SCRIPT = `set -e
umask 077
${TAKE_LOCK_SCRIPT}
${LAYOUT_SCRIPT}
staging="$HOME/.baal-staging"
clear_staging() {
  [ ! -f "$staging/files/secrets.json" ] || shred "$staging/files/secrets.json" 2>/dev/null || true
  rm -rf "$staging"
}
clear_staging
mkdir -p "$staging"
trap clear_staging EXIT
installer=
# In the background, because a shell hears a signal only when what it waits for is not in the foreground.
trap '[ -z "$installer" ] || kill "$installer" 2>/dev/null; tail -n 12 "$staging/apt.log" 2>/dev/null; exit 1' HUP INT TERM PIPE
tar -xzf - -C "$staging" || {
  # Of a full disk tar says only how much it could write.
  echo "what was sent could not be unpacked; free: $(df -Pk "$HOME" | tail -n 1 | tr -s ' ' | cut -d ' ' -f 4) KB" >&2
  exit 1
}
limit=
[ $mode = plain ] || limit="timeout -k 10 ${INSTALLER_LIMIT_S}"
$limit sh "$staging/install.sh" 2>&1 < /dev/null &
installer=$!
wait "$installer"
`

/** place SOURCE DESTINATION MODE OWNER: nothing is ever half-written. */
const PLACE = `
place() {
  # What a cut left there may be a link to what the agent ran with before.
  rm -f "$2.new"
  cp "$1" "$2.new"
  chmod "$3" "$2.new"
  mv -f "$2.new" "$2"
}
`
const PLACE_AS_ROOT = PLACE.replace('  mv ', '  chown "$4" "$2.new"\n  mv ')

const SYSTEM_FOLDERS = `
mkdir -p "$base/bin" "$config" "$data" "$workspace"
chmod 755 "$base" "$base/bin" /srv/baal
chmod 700 "$config" "$data"
chown ${SERVER_USER}:${SERVER_USER} "$data"
chown ${TOOL_USER}:${FILES_GROUP} "$workspace"
chmod 2770 "$workspace"
`

const HOME_FOLDERS = `
mkdir -p "$base/bin" "$config" "$data" "$workspace"
chmod 700 "$base" "$config" "$data"
`
