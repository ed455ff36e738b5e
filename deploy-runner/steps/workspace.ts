import { FILES_GROUP, TOOL_USER } from '../layout.ts'
import type { InstallStep } from './step.ts'

/**
 * Template files, never over what is there already: it is the agent's by then. On a systemd machine they are laid out by the
 * tools' user itself, because root must not follow links in a folder that tools write to.
 */
export const workspace: InstallStep = {
  name: 'workspace',
  holds: ({ artifacts }, state) => state.templates === artifacts.templatesHash,
  apply: ({ artifacts }, state) => ({
    templates: true,
    script: `
(cd files/workspace && tar -cf - .) | ${state.mode === 'systemd' ? AS_TOOLS : ''} sh -c '${LAY_OUT}' sh "$workspace"
printf %s ${artifacts.templatesHash} > "$base/templates.sha256"
`,
  }),
}

const AS_TOOLS = `setpriv --reuid=${TOOL_USER} --regid=${FILES_GROUP} --clear-groups --no-new-privs --`

const LAY_OUT = `set -e
umask 007
aside=$(mktemp -d)
trap "rm -rf $aside" EXIT
tar -xf - -C "$aside"
chmod -R u+rwX,g+rwX "$aside"
cd "$aside"
find . -type d | while read -r dir; do mkdir -p "$1/$dir"; done
find . -type f | while read -r file; do [ -e "$1/$file" ] || [ -L "$1/$file" ] || cp "$file" "$1/$file"; done`
